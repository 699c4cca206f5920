# The recipes of the trees that tests run in. Sourced by tests/trees/make and tests/vm/make.
#
# Each recipe is a function `tree_NAME DIR` that fills DIR. A tree is made by root and owned by root, small, and has
# nothing in it that a test does not need. What a test changes, it changes in a copy or an overlay.
# What Debian trees have in common is in tools/lib/debian.sh.
# shellcheck shell=bash

tree_names=(bookworm trixie sid busybox sysvinit openrc app)

# The functions that the recipe of a tree uses: they are part of its cache key.
tree_helpers() {
  case $1 in
    busybox | app) echo busybox_tree ;;
    *) echo debian_tree debian_unused debian_settle sysv_console ;;
  esac
}

tree_bookworm() { debian_tree bookworm "$1" "${debian_systemd_packages[@]}" && debian_settle "$1"; }
tree_trixie() { debian_tree trixie "$1" "${debian_systemd_packages[@]}" && debian_settle "$1"; }
tree_sid() { debian_tree sid "$1" "${debian_systemd_packages[@]}" && debian_settle "$1"; }

# sysvinit as Debian ships it, but for its getties: a container has a console and no tty1 to tty6, where a getty
# would be started again and again.
tree_sysvinit() {
  debian_tree bookworm "$1" sysvinit-core initscripts login passwd util-linux procps && sysv_console "$1" && debian_settle "$1"
}

tree_openrc() {
  debian_tree bookworm "$1" sysvinit-core openrc initscripts login passwd util-linux procps && sysv_console "$1" && debian_settle "$1"
}

# Makes a Debian tree fit for tests: the user `app`, root without a password, and no timer that wakes during a test.
debian_settle() { # DIR
  local dir=$1 timer
  debian_unused "$dir" croft-tree
  chroot "$dir" useradd --create-home --uid 1000 --shell /bin/sh app
  chroot "$dir" passwd --quiet --delete root
  for timer in "$dir"/usr/lib/systemd/system/*.timer "$dir"/lib/systemd/system/*.timer; do
    [[ ! -e $timer ]] || ln -sf /dev/null "$dir/etc/systemd/system/${timer##*/}"
  done
}

sysv_console() { # DIR
  sed -i '/^[1-6]:.*getty/d' "$1/etc/inittab"
  echo 'co:2345:respawn:/sbin/getty --noclear --keep-baud console 115200,38400,9600 vt100' >>"$1/etc/inittab"
}

# A system whose init is busybox: the smallest thing that boots, has a console shell and powers off when told.
tree_busybox() {
  busybox_tree "$1" busybox-init
  ln -s ../bin/busybox "$1/sbin/init"
  mkdir -p "$1/etc/init.d"
  cat >"$1/etc/inittab" <<'EOF'
::sysinit:/etc/init.d/rcS
::once:/bin/touch /run/ready
::respawn:/sbin/getty -n -l /bin/sh 0 console
::shutdown:/bin/touch /run/going-down
::ctrlaltdel:/sbin/reboot
EOF
  cat >"$1/etc/init.d/rcS" <<'EOF'
#!/bin/sh
[ -z "$container" ] || echo "busybox init in container=$container"
hostname -F /etc/hostname 2>/dev/null
ip link set lo up 2>/dev/null
exit 0
EOF
  chmod 755 "$1/etc/init.d/rcS"
}

# No init: a tree for single programs, with the user `app` (uid 1000) to run them as.
tree_app() { busybox_tree "$1" app; }

busybox_tree() { # DIR ID
  local dir=$1 id=$2 applet
  mkdir -p "$dir"/{bin,sbin,etc,proc,sys,dev,run,tmp,root,home/app,usr/bin,usr/sbin,usr/lib,var/log,var/lib,mnt,opt,srv}
  chmod 755 "$dir"
  chmod 1777 "$dir/tmp"
  chmod 700 "$dir/root"
  chown 1000:1000 "$dir/home/app"
  install -m 755 /bin/busybox "$dir/bin/busybox"
  while read -r applet; do
    [[ $applet == bin/busybox || -e $dir/$applet ]] && continue
    mkdir -p "$dir/${applet%/*}"
    ln -s /bin/busybox "$dir/$applet"
  done < <(/bin/busybox --list-full | grep -vx -e sbin/init -e linuxrc)
  printf 'ID=%s\nNAME="croft test tree %s"\nPRETTY_NAME="croft test tree %s"\nVERSION_ID=1\n' "$id" "$id" "$id" >"$dir/etc/os-release"
  printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$dir/etc/passwd"
  printf 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nextra:x:100:app\napp:x:1000:\nnogroup:x:65534:\n' >"$dir/etc/group"
  printf 'root::19000:0:99999:7:::\napp:*:19000:0:99999:7:::\n' >"$dir/etc/shadow"
  chmod 640 "$dir/etc/shadow"
  echo "croft-$id" >"$dir/etc/hostname"
  printf '127.0.0.1 localhost\n' >"$dir/etc/hosts"
  : >"$dir/etc/resolv.conf"
  : >"$dir/etc/machine-id"
}
