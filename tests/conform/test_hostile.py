"""Trees, payloads and hooks that want to do harm: what is swapped under the runtime's feet leads nowhere, its programs cannot
be overwritten, no descriptor gets inside, and a hook that hangs does not keep a container from being deleted."""

import contextlib
import ctypes
import hashlib
import json
import multiprocessing
import os
import pathlib
import shutil
import subprocess

import pytest
from harness.host import leftovers, new_leftovers
from harness.machines import until
from harness.oci import PROGRAM

BUSYBOX = shutil.which("busybox")
RENAME_EXCHANGE = 2
AT_FDCWD = -100


@pytest.fixture
def root(scratch):
    """A writable root with busybox."""
    top = scratch / "a/root"
    for name in ("bin", "dev", "proc", "sys", "etc", "tmp", "d"):
        (top / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, top / "bin/busybox")
    for name in ("sh", "ls", "sleep", "true", "cat", "echo", "readlink", "test", "stat"):
        (top / "bin" / name).symlink_to("busybox")
    return top


@pytest.fixture
def outside(scratch):
    """What no container may touch: each name that a swapped one leads to."""
    top = scratch / "outside"
    for name in ("x", "file", "dev", "root", "cwd"):
        (top / name).mkdir(parents=True)
    (top / "plain").write_text("mine\n")
    return top


def picture(top):
    """All that is in a directory, with what may have been changed about it."""
    out = {}
    for directory, names, files in os.walk(top):
        for name in [*names, *files]:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            out[path] = (info.st_mode, info.st_uid, info.st_size, info.st_mtime_ns)
    return out


def exchange_for_ever(ready, one, other):
    libc = ctypes.CDLL(None, use_errno=True)
    ready.set()
    while os.getppid() != 1:
        libc.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE)


@contextlib.contextmanager
def swapping(one, other):
    """Two names change places as fast as the kernel can."""
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    child = context.Process(target=exchange_for_ever, args=(ready, os.fsencode(one), os.fsencode(other)), daemon=True)
    child.start()
    ready.wait(30)
    try:
        yield
    finally:
        child.kill()
        child.join()


def mount(target, kind, source=None, *options):
    return {"destination": target, "type": kind, "source": str(source or kind), "options": list(options)}


# ---------------------------------------------------------------- what is swapped


@pytest.mark.parametrize("users", [False, True], ids=["host-users", "private-users"])
@pytest.mark.parametrize("kind", ["target", "below", "masked", "device", "cwd"])
def test_a_directory_of_the_tree_is_swapped_for_a_link(oci, bundle, new_id, root, outside, scratch, kind, users):
    """What the runtime mounts on, makes, covers or enters below it is in the tree, or the container does not start."""
    (root / "link").symlink_to(outside)
    (root / "d/x").mkdir()
    (root / "d/cwd").mkdir()
    (root / "d/plain").write_text("inside\n")
    source = scratch / "source"
    source.mkdir()
    if users:
        subprocess.run(["chown", "-hR", "100000:100000", root], check=True)

    def change(config):
        config["process"]["env"] = ["PATH=/bin"]
        config["mounts"] += {"target": [mount("/d/x", "tmpfs"), mount("/d/new", "bind", source, "rbind")],
                             "below": [mount("/d", "tmpfs"), mount("/d/x/y", "tmpfs")]}.get(kind, [])
        if kind == "masked":
            config["linux"]["maskedPaths"] += ["/d/x", "/d/plain"]
            config["linux"]["readonlyPaths"] += ["/d/file"]
        if kind == "device":
            config["linux"]["devices"] = [{"path": "/d/dev/null2", "type": "c", "major": 1, "minor": 3}]
        if kind == "cwd":
            config["process"]["cwd"] = "/d/cwd"
        if users:
            config["linux"]["namespaces"].append({"type": "user"})
            config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [
                {"containerID": 0, "hostID": 100000, "size": 65536}]

    # A link to an absolute path leads to that path inside, so names tell nothing.
    where, before, kept = bundle("stat", "-c", "%i", ".", root=root, change=change), leftovers(), picture(outside)
    theirs = {str(os.stat(path).st_ino) for path in [outside, *kept]}
    with swapping(root / "d", root / "link"):
        for _ in range(12):
            ran = oci("run", new_id(), bundle=where)
            assert ran.status == 0 or ran.stderr.strip(), ran
            assert ran.stdout.strip() not in theirs, ran
    assert picture(outside) == kept
    assert not new_leftovers(before)


def test_the_root_itself_is_swapped(oci, bundle, new_id, root, outside, scratch):
    """The tree is the one that was there at one moment: what is mounted and made is never spread over two."""
    shutil.copytree(root, outside / "other/root", symlinks=True)
    (root / "etc/which").write_text("one\n")
    (outside / "other/root/etc/which").write_text("other\n")

    def change(config):
        config["process"]["env"] = ["PATH=/bin"]
        config["mounts"].append(mount("/etc/made", "tmpfs"))

    script = "cat /etc/which; cat /proc/self/mountinfo"
    where, before, seen = bundle("sh", "-c", script, root=root, change=change), leftovers(), set()
    (scratch / "b").symlink_to(outside / "other")
    with swapping(scratch / "a", scratch / "b"):
        for _ in range(15):
            ran = oci("run", new_id(), bundle=where)
            assert ran.status == 0, ran
            which, *table = ran.stdout.splitlines()
            seen.add(which)
            assert [line for line in table if line.split()[4] == "/etc/made"], ran
    assert seen <= {"one", "other"}
    assert not new_leftovers(before)


# ---------------------------------------------------------------- the runtime's own programs


def programs():
    """croft-oci, and what it starts in and for containers."""
    names = ("croft-oci", "croft-init", "croft-hold", "croft-seccomp")
    return {name: hashlib.sha256((PROGRAM.parent / name).read_bytes()).hexdigest() for name in names}


# Waits for processes that join, holds the program of each, and writes to it when nobody executes it any more (until then the
# kernel refuses).
OVERWRITE = """
cd /proc
echo up >/tmp/up
until [ -e /tmp/stop ]; do
  for p in [0-9]*; do
    [ "$p" = 1 ] || for i in 1 2 3 4 5 6 7 8 9; do echo x >>/proc/self/fd/9; done 9<$p/exe
  done
done 2>/dev/null
"""


@pytest.mark.parametrize("command", ["/proc/self/exe", "/me", "/script"])
def test_a_payload_that_is_the_runtime_itself(oci, bundle, new_id, root, command):
    """CVE-2019-5736: /proc/self/exe as the program is croft-init out of a read-only mount, and nothing of the host's. It says
    that it is not for payloads, and ends."""
    (root / "me").symlink_to("/proc/self/exe")
    (root / "script").write_text("#!/proc/self/exe\n")
    (root / "script").chmod(0o755)
    before = programs()

    def change(config):
        config["process"]["env"] = ["PATH=/bin"]
        config["process"]["args"] = [command, "-c", "echo x >>/proc/self/exe"]

    def refused(ran):
        assert ran.status == 126 and "this is croft-init" in ran.stderr and "not /proc/self/exe" in ran.stderr, ran

    refused(oci("run", new_id(), bundle=bundle("true", root=root, change=change)))
    name = new_id()
    oci.create(name, bundle("sleep", "600", root=root, change=lambda config: config["process"].update(env=["PATH=/bin"])))
    oci("start", name).check()
    refused(oci("exec", name, command, "-c", "echo x >>/proc/self/exe"))
    assert programs() == before


@pytest.mark.parametrize("all_rights", [False, True])
def test_who_joins_is_watched_for_its_program(oci, bundle, new_id, root, all_rights):
    def change(config):
        config["process"]["env"] = ["PATH=/bin"]
        if all_rights:
            every = json.loads(oci("features").check().stdout)["linux"]["capabilities"]
            config["process"]["capabilities"] = {kind: every for kind in ("bounding", "effective", "permitted", "inheritable")}

    before, name = programs(), new_id()
    oci.create(name, bundle("sh", "-c", OVERWRITE, root=root, change=change))
    oci("start", name).check()
    assert until(lambda: (root / "tmp/up").exists()), "it does not watch"
    for _ in range(25):
        oci("exec", name, "true")
    (root / "tmp/stop").touch()
    oci.until(name, "stopped")
    assert programs() == before


# ---------------------------------------------------------------- descriptors


@pytest.fixture
def many_open():
    """Descriptors that a careless caller has open, directories of the host among them, and lets through."""
    fds = [os.open("/", os.O_RDONLY | os.O_DIRECTORY), os.open("/etc", os.O_PATH), *os.pipe(),
           os.open("/proc/self/ns/mnt", os.O_RDONLY)]
    yield fds
    for fd in fds:
        os.close(fd)


LIST = "for f in /proc/self/fd/*; do echo ${f##*/} $(readlink $f); done"


def test_no_descriptor_gets_inside(oci, bundle, new_id, root, scratch, many_open):
    """Neither into the container, nor into a process that joins it, nor into a hook."""
    def change(config):
        config["process"]["env"] = ["PATH=/bin"]
        hook = {"path": "/bin/sh", "args": ["sh", "-c", f"ls /proc/self/fd >{scratch}/hook"]}
        config["hooks"] = {"createRuntime": [hook]}

    def only_streams(text):
        # The shell's own look at the directory is one more.
        numbers = {int(line.split()[0]) for line in text.splitlines()}
        assert {0, 1, 2} <= numbers and len(numbers) <= 4, text
        assert not [line for line in text.splitlines() if line.split()[1:] == ["/"] or "mnt:" in line or "/etc" in line], text

    where = bundle("sh", "-c", LIST, root=root, change=change)
    only_streams(oci("run", new_id(), bundle=where, pass_fds=many_open).check().stdout)
    assert len((scratch / "hook").read_text().split()) <= 4
    name = new_id()
    oci.create(name, bundle("sleep", "600", root=root, change=change), pass_fds=many_open)
    oci("start", name, pass_fds=many_open).check()
    only_streams(oci("exec", name, "sh", "-c", LIST, pass_fds=many_open).check().stdout)


@pytest.mark.parametrize("number", range(3, 12))
def test_a_working_directory_that_is_a_descriptor(oci, bundle, new_id, root, scratch, number):
    """CVE-2024-21626: /proc/self/fd/N as working directory was one of the host's, which the runtime had open."""
    def change(config):
        config["process"]["env"] = ["PATH=/bin"]
        config["process"]["cwd"] = f"/proc/self/fd/{number}"

    (scratch / "marker").touch()
    marker = str(scratch / "marker")
    depth = "/".join([".."] * 12)
    ran = oci("run", new_id(), bundle=bundle("ls", f"{depth}{marker}", root=root, change=change))
    assert ran.status != 0 and marker not in ran.stdout, ran


# ---------------------------------------------------------------- hooks that hang


@pytest.mark.parametrize("where", ["createRuntime", "createContainer", "startContainer", "poststart"])
def test_a_hook_that_hangs(oci, bundle, new_id, scratch, root, where):
    """`delete --force` ends the hook with all that it has started, and the croft-oci that waits for it."""
    # A startContainer hook is a program of the tree; the others are the host's. Each says who it is, and stays.
    place = "/mnt" if where == "startContainer" else scratch
    script = f"sh -c 'sleep 600; : {place}/hangs' & echo $$ >{place}/hangs; wait"
    hook = {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"]}

    def change(config):
        config["process"]["env"] = ["PATH=/bin"]
        config["mounts"].append(mount("/mnt", "bind", scratch, "rbind"))
        config["hooks"] = {where: [hook]}

    name, before = new_id(), leftovers()
    at = bundle("sleep", "600", root=root, change=change)
    null = subprocess.DEVNULL
    if where in ("startContainer", "poststart"):
        oci.create(name, at)
    words = ("start", name) if where in ("startContainer", "poststart") else ("create", "--bundle", str(at), name)
    hanging = subprocess.Popen(oci.words(*words), stdin=null, stdout=null, stderr=null)
    assert until(lambda: (scratch / "hangs").exists() and (scratch / "hangs").read_text().strip()), "the hook was not run"
    mine = [pid for pid in pathlib.Path("/proc").glob("[0-9]*") if str(scratch) in words_of(pid) or "/mnt/hangs" in words_of(pid)]
    assert len(mine) >= 2, "not the hook and what it has started"
    oci("delete", "--force", name).check()
    assert hanging.wait(timeout=60) != 0
    assert until(lambda: not [pid for pid in mine if words_of(pid)]), "the hook goes on"
    assert oci("state", name).status == 1
    assert not new_leftovers(before)


def words_of(process):
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
