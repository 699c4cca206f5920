#!/usr/bin/python3
"""Takes out of a Debian tree what a virtual machine starts from: kernel.py TREE VMLINUX INITRD.

VMLINUX is the ELF kernel inside the bzImage. QEMU starts it directly (PVH), without firmware, real mode and the
kernel's own unpacking, all of which are slow under emulation. INITRD holds a static busybox and the few modules
between the kernel and its root disk, uncompressed, because the guest is slow and the host's disk is not.
"""

import glob
import gzip
import lzma
import os
import struct
import subprocess
import sys

# The root disk and its file system; everything else is loaded by the system itself.
MODULES = ["virtio_pci", "virtio_blk", "ext4"]

INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
while read -r module; do /bin/busybox insmod "/modules/$module" || echo "insmod $module failed"; done </modules/order
until [ -b /dev/vda ]; do /bin/busybox sleep 0.05; done
/bin/busybox mount -t ext4 -o rw /dev/vda /root || exec /bin/busybox sh
/bin/busybox umount /proc
exec /bin/busybox switch_root /root /sbin/init
"""


def unpack(data):
    if data[:6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(data)
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    for magic, tool in ((b"\x28\xb5\x2f\xfd", "zstd"), (b"\x02\x21\x4c\x18", "lz4")):
        if data[:4] == magic:
            # A bzImage has four bytes of length after the stream: the tools write all they have, then complain of them.
            return subprocess.run([tool, "-dcq"], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    raise SystemExit(f"kernel.py: the kernel is packed in a way this program does not know ({data[:4].hex()})")


def elf_kernel(path):
    """The payload of a bzImage, found by its setup header (Documentation/arch/x86/boot.rst)."""
    image = open(path, "rb").read()
    if image[0x202:0x206] != b"HdrS" and image[0x1FE:0x200] != b"\x55\xaa":
        raise SystemExit(f"kernel.py: {path} is no bzImage")
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    elf = unpack(image[start:start + length])
    if elf[:4] != b"\x7fELF":
        raise SystemExit(f"kernel.py: what is packed in {path} is no ELF kernel")
    return elf


def module_order(directory):
    """The files of MODULES and of all they depend on, dependencies first. Built-in modules are simply absent."""
    depends = {}
    for line in open(f"{directory}/modules.dep"):
        name, _, needs = line.partition(":")
        depends[name] = needs.split()
    by_name = {os.path.basename(path).split(".")[0].replace("-", "_"): path for path in depends}
    order = []
    wanted = [by_name[name] for name in MODULES if name in by_name]
    for line in open(f"{directory}/modules.softdep"):
        words = line.split()
        if words[:1] == ["softdep"] and words[1] in MODULES:  # ext4 looks for its checksum by name, as it is mounted
            wanted = [by_name[word] for word in words if word in by_name and word not in MODULES] + wanted
    for path in wanted + [by_name[name] for name in ("crc32c_generic", "crc32c_cryptoapi") if name in by_name]:
        for each in [*reversed(depends[path]), path]:
            if each not in order:
                order.append(each)
    return order


def module_bytes(path):
    data = open(path, "rb").read()
    return lzma.decompress(data) if path.endswith(".xz") else unpack(data) if path.endswith(".zst") else data


class Cpio:
    """Just enough of the 'newc' format for an initramfs."""

    def __init__(self):
        self.data = bytearray()
        self.inode = 0

    def add(self, name, mode, content=b"", device=(0, 0)):
        self.inode += 1
        fields = [self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0]
        self.data += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        self.data += b"\0" * (-len(self.data) % 4) + content
        self.data += b"\0" * (-len(self.data) % 4)

    def finish(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.data)


def initrd(tree, version):
    directory = f"{tree}/lib/modules/{version}"
    archive = Cpio()
    for name in ("bin", "dev", "proc", "root", "modules"):
        archive.add(name, 0o040755)
    archive.add("dev/console", 0o020600, device=(5, 1))
    archive.add("bin/busybox", 0o100755, open("/bin/busybox", "rb").read())
    names = []
    for path in module_order(directory):
        names.append(os.path.basename(path).split(".")[0] + ".ko")
        archive.add("modules/" + names[-1], 0o100644, module_bytes(f"{directory}/{path}"))
    archive.add("modules/order", 0o100644, "".join(name + "\n" for name in names).encode())
    archive.add("init", 0o100755, INIT.encode())
    return archive.finish()


def main():
    tree, vmlinux, initrd_path = sys.argv[1:]
    kernels = glob.glob(f"{tree}/boot/vmlinuz-*")
    if len(kernels) != 1:
        raise SystemExit(f"kernel.py: {tree}/boot has {len(kernels)} kernels, not one")
    version = os.path.basename(kernels[0]).removeprefix("vmlinuz-")
    with open(vmlinux, "wb") as out:
        out.write(elf_kernel(kernels[0]))
    with open(initrd_path, "wb") as out:
        out.write(initrd(tree, version))


main()
