"""A real systemd host for tests, in seconds, without KVM: `with Host("bookworm") as host: host.run("…")`.

Everything here rests on one trick. A machine is booted once with its memory in a file; then QEMU writes only its
devices' state (half a megabyte), because the memory is in the file already. Every later machine maps that file
privately and goes on from there in a tenth of a second, on throwaway overlays of the disks the first one had. So each
Host is fresh, and what one does no other sees. Two things follow for whoever writes tests: boot_id and machine-id are
the same in each Host, and the guest is 10 to 20 times slower than the host at fork and exec, so many checks belong in
one Host and a time limit wants to be generous.

Inside: /files/NAME are the given files, /trees/NAME the given trees (ext4, writable, gone afterwards), /scratch is an
empty disk at /dev/vde that nobody has made a file system on. /files/apps is first in PATH.
"""

import concurrent.futures
import contextlib
import ctypes
import dataclasses
import fcntl
import hashlib
import inspect
import json
import os
import pathlib
import secrets
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("CROFT_CACHE", "/var/cache/croft-dev"))
BUILD = pathlib.Path(os.environ.get("CROFT_BUILD", ROOT / "build"))
MEMORY = "1536M"
# The disks that a machine has beside its root. They must be there when the snapshot is taken, with the size they will
# always have: files (a tar), two trees, and an empty one.
SLOTS = ("vdb", "vdc", "vdd", "vde")
SLOT_SIZE = "8G"
TREE_SLOTS = ("vdc", "vdd")
KERNEL_LINE = "root=/dev/vda console=ttyS0 TERM=dumb tsc=reliable mitigations=off nokaslr quiet"
# Booting takes 15 seconds on an idle machine; the rest is for busy ones.
BOOT_SECONDS = 600


def suites(default="bookworm trixie sid"):
    """Debian's suites that a module of tests is for: `default`, or those of them that $CROFT_VM_SUITES names."""
    wanted = os.environ.get("CROFT_VM_SUITES", default).split()
    return [suite for suite in default.split() if suite in wanted]


class HostError(Exception):
    """The virtual host itself failed (not an order that ran in it). Says how its console ended."""


@dataclasses.dataclass
class Ran:
    status: int
    stdout: str
    stderr: str

    def check(self):
        assert self.status == 0, f"exit status {self.status}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        return self


def make(*items):
    """The paths of kept things: images and disks. Making them is the recipes' business, and may take a minute."""
    done = subprocess.run([HERE / "make", *items], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise HostError(f"tests/vm/make {' '.join(items)} failed")
    return [pathlib.Path(line) for line in done.stdout.splitlines()]


def die_with_parent():
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """One QEMU: its process, its monitor and its port of orders."""

    def __init__(self, image, memory, shared, disks, work, extra=()):
        self.console = work / "console.log"
        self.errors = work / "qemu.log"
        self.qmp, qmp_far = socket.socketpair()
        self.port, port_far = socket.socketpair()
        share = "on" if shared else "off"
        command = [
            "qemu-system-x86_64", "-M", "pc,memory-backend=ram", "-accel", "tcg,tb-size=256", "-cpu", "max", "-m", MEMORY,
            "-object", f"memory-backend-file,id=ram,size={MEMORY},mem-path={memory},share={share}",
            "-nodefaults", "-no-user-config", "-display", "none", "-nic", "none", "-rtc", "base=utc",
            "-serial", f"file:{self.console}", "-kernel", image / "vmlinux", "-initrd", image / "initrd", "-append", KERNEL_LINE,
            "-chardev", f"socket,id=qmp,fd={qmp_far.fileno()}", "-mon", "chardev=qmp,mode=control",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=orders,fd={port_far.fileno()}",
            "-device", "virtserialport,chardev=orders,name=croft.orders", "-device", "virtio-rng-pci",
        ]
        for number, disk in enumerate(disks):
            command += ["-drive", f"if=none,id=disk{number},file={disk},format=qcow2,cache=unsafe,discard=unmap",
                        "-device", f"virtio-blk-pci,drive=disk{number}"]
        self.process = subprocess.Popen([*map(str, command), *extra], stdin=subprocess.DEVNULL, stdout=open(self.errors, "wb"),
                                        stderr=subprocess.STDOUT, pass_fds=(qmp_far.fileno(), port_far.fileno()),
                                        preexec_fn=die_with_parent)
        qmp_far.close()
        port_far.close()
        self.qmp_lines = self.qmp.makefile("rb")
        self.qmp.settimeout(60)
        self.qmp_lines.readline()  # its greeting
        self.monitor("qmp_capabilities")

    def failure(self, what):
        parts = [what]
        for path in (self.errors, self.console):
            with contextlib.suppress(OSError):
                tail = path.read_bytes()[-3000:].decode(errors="replace").strip()
                parts += [f"--- the end of {path.name}", tail] if tail else []
        return HostError("\n".join(parts))

    def monitor(self, command, **arguments):
        with contextlib.suppress(OSError):
            self.qmp.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            for line in self.qmp_lines:
                answer = json.loads(line)
                if "error" in answer:
                    raise self.failure(f"QEMU refused {command}: {answer['error']['desc']}")
                if "return" in answer:
                    return answer["return"]
        raise self.failure(f"QEMU ended or hung at {command}")

    def send(self, kind, order):
        data = json.dumps(order).encode()
        self.port.settimeout(60)
        self.port.sendall(kind + struct.pack("<I", len(data)) + data)

    def exactly(self, count, until):
        data = b""
        while len(data) < count:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.port.settimeout(left)
            piece = self.port.recv(count - len(data))
            if not piece:
                raise self.failure("the virtual host ended by itself")
            data += piece
        return data

    def receive(self, until):
        head = self.exactly(5, until)
        return head[:1], self.exactly(struct.unpack("<I", head[1:])[0], until)

    def wait_migrated(self, seconds=120):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            info = self.monitor("query-migrate")
            if info.get("status") == "completed":
                return
            if info.get("status") == "failed":
                raise self.failure(f"QEMU could not move the machine's state: {info.get('error-desc', 'no reason given')}")
            time.sleep(0.02)
        raise self.failure("QEMU did not finish moving the machine's state")

    def quit(self):
        with contextlib.suppress(HostError):
            self.monitor("quit")
        self.stop(20)

    def stop(self, seconds=0):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.qmp_lines.close()
        self.qmp.close()
        self.port.close()


def overlay(path, size=None, backing=None, backing_format="raw"):
    command = ["qemu-img", "create", "-q", "-f", "qcow2", str(path)]
    command[5:5] = ["-b", str(backing), "-F", backing_format] if backing else []
    subprocess.run(command + ([size] if size else []), check=True)
    return path


def snapshot(suite):
    """The directory of a booted machine of that suite: image/, memory, state, root.qcow2. Made once and kept."""
    image = make(suite)[0]
    recipe = [str(image), MEMORY, KERNEL_LINE, SLOT_SIZE, *SLOTS, qemu_version(), inspect.getsource(Machine), inspect.getsource(take_snapshot)]
    key = hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:12]
    path = CACHE / "snapshots" / f"{suite}-{key}"
    if path.exists():
        return image, path
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "locks" / f"snapshots-{suite}", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            print(f"   Booting {suite} once, to keep it ready …", file=sys.stderr, flush=True)
            drop_old(path.parent.glob(f"{suite}-????????????"))
            making = path.parent / f".making-{suite}"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            take_snapshot(image, making)
            making.rename(path)
    return image, path


def drop_old(paths):
    """Snapshots of older recipes go after a day: another checkout may still be using its own."""
    for path in paths:
        if path.stat().st_mtime < time.time() - 24 * 3600:
            shutil.rmtree(path)


def qemu_version():
    return subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout


def take_snapshot(image, path):
    disks = [overlay(path / "root.qcow2", backing=image / "disk.img")]
    disks += [overlay(path / f"{slot}.qcow2", SLOT_SIZE) for slot in SLOTS]
    machine = Machine(image, path / "memory", True, disks, path)
    try:
        kind, data = machine.receive(time.monotonic() + BOOT_SECONDS)
        booted = json.loads(data)
        if kind != b"B" or booted["state"] != "running":
            raise machine.failure(f"the virtual host booted to '{booted['state']}': {booted['failed']}")
        machine.monitor("stop")
        machine.monitor("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])
        machine.monitor("migrate", uri=f"exec:cat >'{path}/state'")
        machine.wait_migrated()
        machine.quit()
    except TimeoutError:
        raise machine.failure(f"the virtual host did not boot in {BOOT_SECONDS} s") from None
    finally:
        machine.stop()


def default_files():
    """croft's own programs, as the release build has made them: static, so they run in any suite."""
    programs = (path for path in sorted((BUILD / "src/apps").glob("croft*")) if path.is_file() and os.access(path, os.X_OK))
    return {f"apps/{path.name}": path for path in programs}


class Host:
    """A fresh virtual host of a suite. `files` maps names below /files to files or directories here; `trees` names up
    to two trees of tests/trees. Where the build has croft's programs, they are in /files/apps. `scratch` is a file that is
    the disk /dev/vde, made where it is not there, and stays: what one Host had on it the next one finds.

    The end of a Host is a power cut: QEMU is killed, and what the guest has in memory is gone. What it has flushed is not."""

    def __init__(self, suite="bookworm", files=None, trees=(), apps=True, scratch=None):
        if len(trees) > len(TREE_SLOTS):
            raise HostError(f"a virtual host has room for {len(TREE_SLOTS)} trees, not {len(trees)}")
        self.suite = suite
        self.files = {**(default_files() if apps else {}), **(files or {})}
        self.trees = tuple(trees)
        self.scratch = scratch
        self.machine = None

    def __enter__(self):
        self.work_dir = tempfile.TemporaryDirectory(prefix="croft-vm-")
        work = pathlib.Path(self.work_dir.name)
        try:
            image, kept = snapshot(self.suite)
            disks = [overlay(work / "root.qcow2", backing=kept / "root.qcow2", backing_format="qcow2"), *self.slot_disks(work)]
            self.machine = Machine(image, kept / "memory", False, disks, work, ["-incoming", "defer"])
            self.resume(kept / "state")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.machine:
            self.machine.stop()
        self.work_dir.cleanup()

    def slot_disks(self, work):
        """This run's disks, all of the size that the snapshot knows: beyond their backing file they read as zeros."""
        tar = work / "files.tar"
        with tarfile.open(tar, "w") as archive:
            for name, path in self.files.items():
                archive.add(path, arcname=name)
        backing = {"vdb": tar, **dict(zip(TREE_SLOTS, make(*(f"tree:{name}" for name in self.trees)) if self.trees else ()))}
        disks = [overlay(work / f"{slot}.qcow2", SLOT_SIZE, backing.get(slot)) for slot in SLOTS if slot != "vde" or not self.scratch]
        if self.scratch and not self.scratch.exists():
            overlay(self.scratch, SLOT_SIZE)
        return disks + ([self.scratch] if self.scratch else [])

    def resume(self, state):
        machine = self.machine
        machine.monitor("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])
        machine.monitor("migrate-incoming", uri=f"exec:cat '{state}'")
        machine.wait_migrated()
        machine.monitor("cont")  # the snapshot was taken of a stopped machine, so it wakes up stopped
        commands = ["tar -xf /dev/vdb -C /files"]
        for slot, name in zip(TREE_SLOTS, self.trees):
            commands.append(f"mkdir -p /trees/{name} && mount -t ext4 /dev/{slot} /trees/{name}")
        machine.send(b"H", {"time": time.time(), "seed": secrets.token_hex(64), "commands": commands})
        try:
            kind, data = machine.receive(time.monotonic() + BOOT_SECONDS)
        except TimeoutError:
            raise machine.failure("the resumed virtual host does not answer") from None
        if kind != b"K" or data:
            raise machine.failure(f"the resumed virtual host could not get ready: {data.decode(errors='replace')}")

    def run(self, script, timeout=120, env=None, live=False):
        """Runs a bash script as root and waits for it. `live` shows its output while it runs. One that takes longer is
        ended inside, with all that it has in the background, so that the next order finds the host free."""
        guarded = f"exec timeout --kill-after=5 {timeout} bash -c {shlex.quote(script)}"
        self.machine.send(b"R", {"script": guarded, "env": env or {}})
        streams = {b"O": b"", b"E": b""}
        until = time.monotonic() + timeout + 30
        with contextlib.suppress(TimeoutError):
            while True:
                kind, data = self.machine.receive(until)
                if kind == b"X":
                    break
                streams[kind] += data
                if live:
                    sys.stderr.buffer.write(data)
                    sys.stderr.flush()
            out, err = (stream.decode(errors="replace") for stream in streams.values())
            if int(data) != 124:
                return Ran(int(data), out, err)
        said = "".join(stream.decode(errors="replace") for stream in streams.values())
        raise self.machine.failure(f"after {timeout} s still running: {script}\n--- so far\n{said}")


def main(words):
    """vm.py SUITE SCRIPT: for a look inside by hand. vm.py --ready SUITE…: boots what is not kept ready yet, two at a time."""
    if words[0] == "--ready":
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(snapshot, words[1:]))
        return 0
    with Host(words[0]) as host:
        return host.run(words[1], timeout=600, live=True).status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
