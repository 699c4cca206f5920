# Debian trees by mmdebstrap. Sourced by bash after say.sh and apt.sh.
# shellcheck shell=bash

# A booting Debian with little in it: enough for units, D-Bus, a PAM login and a look at addresses.
# shellcheck disable=SC2034
debian_systemd_packages=(systemd systemd-sysv dbus libpam-systemd login passwd util-linux iproute2 procps)

# Where debian_tree's packages come from, as mmdebstrap takes it: apt lines or a mirror. Empty: this host's mirror.
debian_sources=()

# Acquire::Check-Valid-Until=false, because a frozen mirror's sid is soon "expired" and no less fit for tests.
debian_tree() { # SUITE DIR PACKAGE…
  local suite=$1 dir=$2 sources=("${debian_sources[@]}")
  shift 2
  ((${#sources[@]})) || sources=("$(apt_mirror)")
  mmdebstrap --mode=root --format=directory --variant=minbase \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --include="$(IFS=,; echo "$*")" "$suite" "$dir" "${sources[@]}"
}

# A tree that nobody has booted yet: a name, and an empty machine id, which systemd fills without taking this for a
# first boot with its presets and questions. What mmdebstrap copied from this host goes.
debian_unused() { # DIR NAME
  : >"$1/etc/machine-id"
  rm -f "$1/var/lib/dbus/machine-id"
  echo "$2" >"$1/etc/hostname"
  printf '127.0.0.1 localhost %s\n::1 localhost\n' "$2" >"$1/etc/hosts"
  rm -f "$1/etc/resolv.conf"
  : >"$1/etc/resolv.conf"
}
