# How the tools talk: what they do now, how long it took, and a sentence when it failed. Sourced by bash.
# Everything goes to stderr, so that a tool's standard output stays its result.
# shellcheck shell=bash

say_started=$SECONDS
if [[ -t 2 && ${TERM:-dumb} != dumb ]]; then say_live=yes; else say_live=no; fi

say() { printf '%s\n' "$*" >&2; }

# One sentence, and out.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

say_section() { printf '\n== %s (at %d:%02d)\n' "$*" $(((SECONDS - say_started) / 60)) $(((SECONDS - say_started) % 60)) >&2; }

# Shows on a terminal how long the step runs and what it printed last; elsewhere nothing, a log wants no animation.
say_watch() { # TITLE LOG PID
  local title=$1 log=$2 pid=$3 from=$SECONDS last width
  width=$(tput cols 2>/dev/null || echo 80)
  while kill -0 "$pid" 2>/dev/null; do
    last=$(tail -c 400 "$log" 2>/dev/null | tr '\r' '\n' | tr -cd '[:print:]\n' | grep -v '^ *$' | tail -n 1) || true
    last="   $title … $((SECONDS - from)) s  $last"
    printf '\r\033[K%s' "${last:0:width-1}" >&2
    sleep 0.5
  done
  printf '\r\033[K' >&2
}

# step TITLE LOG COMMAND…: runs the command with its output in LOG. On failure shows the log's tail and ends the tool.
step() {
  local title=$1 log=$2 from=$SECONDS pid status=0
  shift 2
  mkdir -p "$(dirname "$log")"
  [[ $say_live == yes ]] || printf '   %s …\n' "$title" >&2
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  [[ $say_live == no ]] || say_watch "$title" "$log" "$pid"
  wait "$pid" || status=$?
  if ((status != 0)); then
    say "   $title: failed after $((SECONDS - from)) s. The end of its log:"
    tail -n "${SAY_TAIL:-25}" "$log" | sed 's/^/   | /' >&2
    die "$title failed (exit status $status). The whole log is in $log."
  fi
  say "   $title: done in $((SECONDS - from)) s"
}
