# Things that are made once and kept: trees, images, file systems. Sourced by bash after say.sh.
#
# A kept thing is named NAME-KEY, where KEY is a digest of all that it was made from; a changed recipe is another
# thing. It appears by one rename when it is finished, so that a tool killed half-way leaves nothing that looks done,
# and a lock a thing makes the second of two tools wait for the first instead of making the same again.
# shellcheck shell=bash

cache_dir=${CROFT_CACHE:-/var/cache/croft-dev}

# A digest of the given words, short enough for a file name.
cache_key() { printf '%s\0' "$@" | sha256sum | cut -c1-12; }

# cache_keep KIND NAME KEY MAKER…: prints the path of the kept thing; where there is none, runs `MAKER… TMP`, which
# must make TMP (a directory or a file). MAKER's output goes to a log, shown when it fails.
cache_keep() {
  local kind=$1 name=$2 key=$3 path lock tmp
  shift 3
  path=$cache_dir/$kind/$name-$key
  if [[ ! -e $path ]]; then
    mkdir -p "$cache_dir/$kind" "$cache_dir/locks" "$cache_dir/logs"
    exec {lock}>"$cache_dir/locks/$kind-$name"
    flock -n "$lock" || { say "   $name: another run is making it, waiting …"; flock "$lock"; }
    if [[ ! -e $path ]]; then
      tmp=$cache_dir/$kind/.making-$name
      cache_discard "$tmp"
      step "Making $kind/$name" "$cache_dir/logs/$kind-$name.log" "$@" "$tmp"
      mv -T "$tmp" "$path"
      cache_drop_old "$kind" "$name"
    fi
    exec {lock}>&-
  fi
  echo "$path"
}

# Removes a half-made thing. What a killed maker left mounted below it goes first, so that rm never walks into /proc.
cache_discard() {
  local at
  [[ -e $1 ]] || return 0
  while read -r at; do umount -l -- "$at"; done < <(awk -v d="$1/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
  rm -rf --one-file-system -- "$1"
}

# Things of older recipes go after two days: until then another checkout may still be using its own.
cache_drop_old() { # KIND NAME
  local old
  while IFS= read -r old; do cache_discard "$old"; done < <(find "$cache_dir/$1" -maxdepth 1 -name "$2-????????????" -mmin +2880 ! -path "$path")
}

# Removes those things of a kind and name whose key is another than the given one.
cache_drop_others() {
  local kind=$1 name=$2 key=$3 old
  for old in "$cache_dir/$kind/$name"-????????????; do
    [[ -e $old && $old != "$cache_dir/$kind/$name-$key" ]] || continue
    say "   Removing $old"
    cache_discard "$old"
  done
}
