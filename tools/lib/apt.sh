# What the tools ask apt: packages that are missing, and which mirror this host uses. Sourced by bash after say.sh.
# No host name of a mirror stands anywhere in this project: a tree comes from where its host's own packages come from.
# shellcheck shell=bash

need_root() { ((EUID == 0)) || die "this needs root, because it installs packages and mounts file systems: run it with sudo."; }

need_debian() {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    die "this host has no apt: the tool installs Debian packages. On another distribution install what tools/lib/packages.sh lists and build with meson."
}

# Those of the named packages that are not installed, one a line.
apt_missing() {
  local have
  have=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null | sed -n 's/^ii *//p' || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$have")
}

apt_install_now() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q && apt-get install -q -y --no-install-recommends -- "$@"
}

# apt_need LOG PACKAGE…: installs what is missing; says nothing and asks no server where nothing is.
apt_need() {
  local log=$1 missing
  shift
  mapfile -t missing < <(apt_missing "$@")
  ((${#missing[@]} == 0)) && return 0
  step "Installing ${#missing[@]} packages: ${missing[*]}" "$log" apt_install_now "${missing[@]}"
}

host_suite() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

apt_targets() { apt-get indextargets --format "$1" 'Created-By: Packages' 2>/dev/null | sort -u; }

# The mirror that this host's own suite comes from; any suite of the same archive is found there too.
apt_mirror() {
  local suite uri
  suite=$(host_suite)
  uri=$(apt_targets '$(CODENAME) $(REPO_URI)' | awk -v s="$suite" '$1 == s { print $2; exit }')
  [[ $uri ]] || uri=$(apt_targets '$(LABEL) $(REPO_URI)' | awk '$1 == "Debian" { print $2; exit }')
  [[ $uri ]] || die "apt knows no mirror of $suite: run 'apt-get update', and look at /etc/apt/sources.list."
  echo "$uri"
}

# apt lines for a tree of this host's own release, with its updates and security suites.
apt_host_sources() {
  local suite
  suite=$(host_suite)
  apt_targets '$(RELEASE) deb $(REPO_URI) $(RELEASE) $(COMPONENT)' | awk -v s="$suite" '$1 ~ "^" s "($|-)" { sub(/^[^ ]+ /, ""); print }'
}
