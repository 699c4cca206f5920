# How a virtual machine's disk is made. Sourced by tests/vm/make, after the trees' recipes.
# shellcheck shell=bash

# A host that has what croft meets: systemd with machined, D-Bus, polkit, a firewall, file systems with and without
# snapshots. Python is the agent's. What an administrator's programs talk to the bus with: python3-dbus, gdbus, pkcheck.
vm_packages=(
  systemd systemd-sysv dbus polkitd systemd-container libpam-systemd libnss-mymachines
  iproute2 nftables procps util-linux login passwd linux-image-cloud-amd64
  python3 python3-dbus libglib2.0-bin strace btrfs-progs e2fsprogs acl attr libcap2-bin
  libcurl4 libisal2  # what the package needs of its own: there is no network to get it from
)

# vm_image NAME AGENT KERNEL_PY DIR: fills DIR with vmlinux, initrd and disk.img. NAME is a suite, or `engines`: bookworm
# with container engines, which would only be in the way of the other tests.
vm_image() {
  local suite=$1 agent=$2 kernel_py=$3 dir=$4 tree=$4/tree more=()
  [[ $suite != engines ]] || { suite=bookworm && more=("${packages_engines[@]}"); }
  mkdir -p "$dir"
  # A Debian initrd would take a minute to make and is not used.
  INITRD=No debian_tree "$suite" "$tree" "${vm_packages[@]}" "${more[@]}" &&
    debian_settle "$tree" &&
    vm_settle "$tree" "$agent" &&
    /usr/bin/python3 "$kernel_py" "$tree" "$dir/vmlinux" "$dir/initrd" &&
    rm -rf "$tree"/boot/* &&
    ext4_image "$dir/disk.img" 6G "$tree" &&
    rm -rf --one-file-system "$tree"
}

# No journal: each run writes to a throwaway overlay, and nobody reads a disk after its machine is gone.
ext4_image() { # FILE SIZE TREE
  truncate -s "$2" "$1" && mkfs.ext4 -q -F -O ^has_journal,^resize_inode -E lazy_itable_init=1,root_owner=0:0 -m 0 -i 32768 -d "$3" "$1"
}

vm_settle() { # TREE AGENT
  local tree=$1 unit
  printf '%s\n' virtio_console loop overlay squashfs nf_tables >"$tree/etc/modules-load.d/croft-tests.conf"
  install -D -m 755 "$2" "$tree/usr/local/lib/croft-tests/agent.py"
  chroot "$tree" useradd --create-home --uid 1001 --shell /bin/bash alice
  cat >"$tree/etc/systemd/system/croft-test-agent.service" <<'EOF'
[Unit]
Description=Runs the orders of croft's tests
After=systemd-udevd.service dbus.service systemd-logind.service
[Service]
ExecStart=/usr/local/lib/croft-tests/agent.py
Environment=PATH=/files/apps:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Orders start daemons that must outlive them, as an administrator's shell does.
KillMode=process
TasksMax=infinity
OOMScoreAdjust=-500
[Install]
WantedBy=multi-user.target
EOF
  ln -s ../croft-test-agent.service "$tree/etc/systemd/system/multi-user.target.wants/" 2>/dev/null ||
    { mkdir -p "$tree/etc/systemd/system/multi-user.target.wants" && ln -s ../croft-test-agent.service "$tree/etc/systemd/system/multi-user.target.wants/"; }
  for unit in serial-getty@.service getty@.service systemd-networkd-wait-online.service networking.service systemd-timesyncd.service \
    e2scrub_reap.service apparmor.service grub-common.service docker.service docker.socket containerd.service \
    podman.service podman.socket podman-auto-update.service podman-restart.service; do
    ln -sf /dev/null "$tree/etc/systemd/system/$unit"
  done
  mkdir -p "$tree/files" "$tree/trees" "$tree/scratch"
}
