"""One regression test for each known escape and slip that fits a manager like croft. The docstring says what the slip was
and why croft's way does not have it."""

import os
import subprocess
import time

import pytest
from harness.probing import Said

USERS = pytest.mark.parametrize("users", [[], ["--private-users=no"]], ids=["private-users", "host-users"])


@pytest.fixture
def ground(copy_tree, guest):
    """A tree of this test's own, with probe in it."""
    tree = copy_tree("app")
    for where in ("probe", "sbin/init"):
        (tree / where).write_bytes(guest("probe").read_bytes())
        (tree / where).chmod(0o755)
    return tree


def unchanged(path):
    info = os.stat(path)
    return info.st_size, info.st_mtime_ns, info.st_ino


@USERS
@pytest.mark.parametrize("how", ["run", "init", "exec"])
def test_cve_2019_5736(croft, ground, machine, users, how):
    """A payload that was a link to /proc/self/exe made the runtime execute itself inside the container; root there then
    opened that file for writing and so replaced the host's runtime. With private users root inside has no right to any
    program of the host's; where it could be the owner of one, the last exec is made by croft-init out of a read-only
    mount, so that the link leads there."""
    (ground / "me").symlink_to("/proc/self/exe")
    before = unchanged(croft.path)
    if how == "exec":
        name = machine("exe")
        croft("run", "-d", f"--name={name}", *users, ground, "/probe", "sleep").check()
    for command in ("/me",):
        words = ["exec", name] if how == "exec" else ["run", *users, *(["--init"] if how == "init" else []), ground]
        said = croft(*words, command, "open", "/proc/self/exe", "/proc/1/exe", timeout=20)
        assert said.status != 0
        for line in Said(said.stdout).all("open"):
            assert line["way"] != "write" or not line["done"], line
    script = "cat /proc/1/exe | head -c 65536 >/tmp/init; echo x >>/proc/1/exe; echo x >/proc/$$/exe; true"
    croft(*(["exec", name] if how == "exec" else ["run", *users, "--init", ground]), "/bin/sh", "-c", script)
    assert unchanged(croft.path) == before


def test_cve_2019_14271(croft, ground, machine, scratch):
    """`docker cp` entered the container's root and there loaded its name service libraries, which ran the guest's code
    with the host's rights. croft cp executes and loads nothing of the tree: it holds the root as a descriptor, resolves
    users by reading files, and is a static program."""
    assert b"/ld-linux" not in croft.path.read_bytes()  # no interpreter: static
    for library in ("lib/libnss_files.so.2", "lib/x86_64-linux-gnu/libnss_files.so.2", "usr/lib/libnss_files.so.2"):
        (ground / library).parent.mkdir(parents=True, exist_ok=True)
        (ground / library).write_bytes((ground / "probe").read_bytes())
    (ground / "etc/nsswitch.conf").write_text("passwd: files evil\n")
    (ground / "etc/ld.so.preload").write_text("/lib/libnss_files.so.2\n")
    name = machine("cp")
    croft("run", "-d", f"--name={name}", ground, "/probe", "sleep").check()
    (scratch / "in").write_text("content")
    croft("cp", scratch / "in", f"{name}:/var/in").check()
    croft("cp", f"{name}:/var/in", scratch / "out").check()
    assert (scratch / "out").read_text() == "content"


@USERS
def test_cve_2021_30465(croft, ground, scratch, users):
    """Mount targets were resolved as text and mounted later: a symlink swapped in by another container in between put the
    mount (or the host's root) where the attacker wanted. croft walks a target once, with RESOLVE_IN_ROOT, and attaches
    to the descriptor that it found; a link can only lead to another place of the same tree."""
    outside = scratch / "outside"
    outside.mkdir()
    (scratch / "data").mkdir()
    (scratch / "data/file").write_text("x")
    for name, target in (("absolute", outside), ("climbing", f"../../../../../..{outside}"), ("magic", "/proc/self/root")):
        link = ground / f"mnt/{name}"
        link.symlink_to(target)
        ran = croft("run", *users, f"--bind={scratch}/data:/mnt/{name}/below", ground, "/bin/cat", f"/mnt/{name}/below/file")
        # Where a link leads is made, inside the tree; what is made below its /proc is covered, and nobody sees it.
        assert ran.status in ((0, 125) if name != "magic" else (1, 125)), ran
        assert list(outside.iterdir()) == [] and not os.path.exists("/below")


def test_cve_2021_30465_swapped_while_starting(croft, ground, scratch):
    """The same, with the link swapped all the time by who can write to the tree."""
    outside, stop = scratch / "outside", scratch / "stop"
    (outside / "below").mkdir(parents=True)
    (scratch / "data").mkdir()
    script = f"while [ ! -e {stop} ]; do rm -rf {ground}/mnt/a; mkdir -p {ground}/mnt/a/below; rm -rf {ground}/mnt/a; ln -s {outside} {ground}/mnt/a; done"
    swapper = subprocess.Popen(["/bin/sh", "-c", script], stderr=subprocess.DEVNULL)
    try:
        until, started = time.monotonic() + 4, 0
        while time.monotonic() < until:
            ran = croft("run", f"--bind={scratch}/data:/mnt/a/below", ground, "/bin/touch", "/mnt/a/below/written")
            started += ran.status == 0
            assert list((outside / "below").iterdir()) == []
            assert str(outside) not in open("/proc/self/mountinfo").read()
    finally:
        stop.touch()
        swapper.wait(timeout=10)


@pytest.mark.parametrize("words", [["run"], ["run", "--private-users=no"], ["boot"]], ids=" ".join)
def test_cve_2022_0492(croft, ground, machine, words):
    """A cgroup v1 hierarchy's release_agent is run by the host's kernel as root; a container that could mount one, also by
    way of a new user namespace, owned the host. Here an app has no right to mount, an init only that of its user
    namespace, to which the kernel refuses the file since 5.17. (boot --private-users=no: see docs/security.md.)"""
    name, (verb, *users) = machine("agent"), words
    payload = ["init"] if verb == "boot" else ["/probe", "sleep"]
    croft(verb, "-d", f"--name={name}", *users, ground, *payload).check()
    attempt = """for c in $(awk 'NR > 1 { print $1 }' /proc/cgroups) none,name=x none,name=systemd; do
                   mount -t cgroup -o $c cgroup /mnt 2>/dev/null || continue
                   [ -e /mnt/release_agent ] && echo /evil >/mnt/release_agent && echo owned by $c
                   umount /mnt; done; true"""
    for way in (["/bin/sh", "-c", attempt], ["/bin/busybox", "unshare", "-Urm", "--", "/bin/sh", "-c", attempt]):
        assert "owned" not in croft("exec", name, *way).stdout
    assert "/evil" not in subprocess.run("cat /sys/fs/cgroup/*/release_agent", shell=True, capture_output=True, text=True).stdout


@USERS
@pytest.mark.parametrize("how", ["run", "exec"])
def test_cve_2024_21626(croft, ground, machine, users, how):
    """A leaked descriptor of a host directory let the working directory be /proc/self/fd/N: the payload began outside of
    its root. croft walks the working directory with RESOLVE_NO_MAGICLINKS inside the root, closes everything above 2,
    and refuses a standard stream that is a directory."""
    name = machine("cwd")
    if how == "exec":
        croft("run", "-d", f"--name={name}", *users, ground, "/probe", "sleep").check()
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for number in range(3, 24):
            os.set_inheritable(fd, True)
            words = ["exec", f"--workdir=/proc/self/fd/{number}", name] if how == "exec" else ["run", *users, f"--workdir=/proc/self/fd/{number}", ground]
            ran = croft(*words, "/bin/sh", "-c", "ls ../../../..", pass_fds=(fd,))
            assert ran.status == 125 and ran.stdout == "", (number, ran)
        child = subprocess.run([croft.path, *(["exec", name] if how == "exec" else ["run", *users, ground]), "/probe", "fds"], stdin=fd,
                               capture_output=True, text=True, timeout=20)
        assert child.returncode == 125 and "directory of the host" in child.stderr
    finally:
        os.close(fd)


def test_cve_2024_23651(croft, ground, scratch):
    """Two builds that shared a cache mount raced: a subpath of it was swapped for a link to the host between the check and
    the mount. croft's binds of a part of the tree (+PATH) are opened inside the tree's descriptor, never by a host's
    path."""
    secret = scratch / "secret"
    secret.write_text("host")
    (ground / "part").symlink_to(scratch)
    ran = croft("run", "--bind=+/part:/mnt", ground, "/bin/sh", "-c", "cat /mnt/secret /part/secret")
    assert "host" not in ran.stdout and ran.status != 0


@USERS
def test_cve_2025_31133(croft, ground, users):
    """Masks were binds of the container's /dev/null; swapped for a link, they bound a file of the attacker's choice
    (writable /proc/sys/kernel/core_pattern). croft's covers come from the stage, not from the tree or its /dev, and a
    link in the place of a target is not followed."""
    (ground / "dev/null").unlink(missing_ok=True)
    (ground / "dev/null").symlink_to("/proc/sys/kernel/core_pattern")
    said = Said(croft("run", *users, ground, "/probe", "open", "/proc/keys", "/proc/timer_list", "/proc/sys/kernel/core_pattern").check().stdout)
    assert [line["way"] for line in said.all("open") if line["done"] and line["way"] == "write" and "core_pattern" in line["path"]] == []
    mounts = Said(croft("run", *users, ground, "/probe", "mounts").check().stdout).all("mount")
    for target in ("/proc/keys", "/proc/timer_list"):
        cover = next(mount for mount in mounts if mount["target"] == target)
        assert (cover["root"], cover["type"], "ro" in cover["options"].split(",")) == ("/blank-file", "tmpfs", True)


@USERS
def test_cve_2025_52565(croft, ground, users):
    """/dev/console was made by binding /dev/pts/N by its path before masks were in place; a link there bound what it
    named. croft takes the terminal by descriptor (TIOCGPTPEER), binds what it opened, and allows no link on the way to
    /dev/console, in a /dev that the tree has no part in."""
    for name in ("console", "pts", "ptmx"):
        (ground / f"dev/{name}").symlink_to("/proc/sys/kernel/core_pattern")
    name = f"console-{os.getpid()}"
    try:
        croft("boot", "-d", f"--name={name}", *users, ground, "init").check()
        mounts = Said(croft("exec", name, "/probe", "mounts").check().stdout).all("mount")
        console = next(mount for mount in mounts if mount["target"] == "/dev/console")
        assert console["type"] == "devpts"
        assert not [mount for mount in mounts if "core_pattern" in mount["root"]]
    finally:
        croft("rm", "--force", name)


@USERS
def test_cve_2025_52881(croft, ground, users, scratch):
    """Writes to /proc (labels, sysctls) were led to another file by a race of shared mounts: a label lost, or text written
    into a file like sysrq-trigger. croft mounts a proc of its own where no link may be on the way, refuses mounts below
    /proc, and writes only to what says that it is proc."""
    (ground / "proc").rmdir()
    (ground / "fake/sys/net/ipv4").mkdir(parents=True)
    (ground / "fake/sys/net/ipv4/ip_forward").write_text("kept")
    (ground / "proc").symlink_to("fake")
    ran = croft("run", *users, "--sysctl=net.ipv4.ip_forward=1", ground, "/probe", "exit", "0")
    assert ran.status == 125 and "/proc" in ran.stderr, ran
    assert (ground / "fake/sys/net/ipv4/ip_forward").read_text() == "kept"
    (ground / "proc").unlink()
    (ground / "proc").mkdir()
    for target in ("/proc", "/proc/sys", "/proc/self/attr", "/sys/fs"):
        ran = croft("run", *users, f"--bind={scratch}:{target}", ground, "/probe", "exit", "0")
        assert ran.status == 125 and ("kernel's own" in ran.stderr or "croft itself mounts it" in ran.stderr), (target, ran)
    for name in ("../../tmp/x", "net/../../../fake/sys/net/ipv4/ip_forward"):
        ran = croft("run", *users, f"--sysctl={name}=1", ground, "/probe", "exit", "0")
        assert ran.status != 0, (name, ran)
    assert (ground / "fake/sys/net/ipv4/ip_forward").read_text() == "kept"
