# The Debian packages this project needs, by purpose. The only such list: tools/quickstart and tools/test both read
# it, so that a package added for one is never missing in the other. Sourced by bash, never run.
# shellcheck shell=bash disable=SC2034

# To build: the compiler, the build system and what the programs link.
packages_build=(
  g++ meson ninja-build pkg-config ccache
  libseccomp-dev libcap-dev libarchive-dev nlohmann-json3-dev libsystemd-dev libssl-dev libcurl4-openssl-dev libtomlplusplus-dev
  libzstd-dev liblzma-dev libbz2-dev zlib1g-dev libisal-dev
)

# To build and check the Debian package (tools/package).
packages_package=(build-essential dpkg-dev debhelper fakeroot lintian)

# To make a tree that croft can boot.
packages_tree=(
  mmdebstrap debian-archive-keyring ca-certificates util-linux busybox-static
)

# To run every test: the unit tests' library, the runner of the others, and a virtual machine with its disks.
# systemd brings systemd-analyze, whose groups of system calls are compared with ours; it need not be running.
packages_test=(
  libgtest-dev libgmock-dev python3-pytest python3-pytest-timeout
  qemu-system-x86 qemu-utils e2fsprogs kmod zstd lz4
  acl attr libcap2-bin iproute2 procps groff-base zsh fish systemd
  dbus-daemon polkitd python3-dbus libglib2.0-bin  # the command line over a bus, and programs on it
  fdisk dosfstools squashfs-tools erofs-utils cryptsetup-bin  # disk images
  uidmap  # containers of users
  python3-jsonschema  # the shape of what croft-oci prints
  libarchive-tools bzip2 xz-utils  # other hands that write and read archives
)

# The tools for images that croft is compared with, and a registry.
packages_images=(docker-registry skopeo podman buildah umoci uidmap gpg gpg-agent gpgv openssl perl-base zstd xz-utils bzip2 e2fsprogs)

# The engines that croft-oci is tried under, on this host and in a virtual host; nothing else needs them. runc and crun are
# for comparing.
packages_engines=(
  podman buildah containerd docker.io conmon runc crun tini catatonit slirp4netns uidmap fuse-overlayfs
  containernetworking-plugins iptables apparmor busybox-static dbus-user-session bsdutils
)
