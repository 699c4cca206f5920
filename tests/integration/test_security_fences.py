"""The promises of docs/security.md, asked from inside: the guest program `probe` runs as a machine's payload (run), as a
further process in one (exec) and as a process of a booted one (boot), with and without private users, with a network of
its own and with the host's. Each line of that page's table names a test of this file."""

import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import shutil
import stat
import subprocess
import time
import typing

import pytest
from harness.host import SESSION, cgroup_root, mounts_below
from harness.probing import Said


class Fence(typing.NamedTuple):
    how: str  # run, exec, boot
    users: bool
    network: str  # none, host

    @property
    def app(self):
        return self.how != "boot"

    def options(self):
        return [f"--network={self.network}", *([] if self.users else ["--private-users=no"])]

    def __str__(self):
        return f"{self.how}-{'private' if self.users else 'host'}-users-{self.network}-network"


FENCES = [Fence(*each) for each in itertools.product(("run", "exec", "boot"), (True, False), ("none", "host"))]
every_fence = pytest.mark.parametrize("fence", FENCES, ids=str)
LOOKS = ("caps", "ids", "namespaces", "process", "mounts", "ps", "net", "try", "escape /tmp")
STRANGE_FDS = (17, 100, 777)  # of the caller's, inheritable: a directory of the host, a file, a directory


# ---------------------------------------------------------------- one machine for each fence, asked once


class Ground:
    """Trees on a disk with probe in them, the machines of this module, and what was said in them."""

    def __init__(self, croft, source, probe):
        self.croft = croft
        self.place = pathlib.Path("/var/tmp") / f"{SESSION}-fences"
        self.place.mkdir(mode=0o755)
        self.source, self.probe = source, probe
        self.said, self.names, self.trees = {}, {}, {}
        self.tree = self.new_tree("run")

    def new_tree(self, name):
        """One for each machine: no two may write to one tree at once."""
        tree = self.place / f"tree-{name}"
        subprocess.run(["cp", "-a", "--reflink=auto", self.source, tree], check=True)
        for where in ("probe", "sbin/init"):
            shutil.copy(self.probe, tree / where)
        # A tree may ship nodes: of a disk, and of the kernel's memory.
        for node, kind, number in (("disk", stat.S_IFBLK, (8, 0)), ("memory", stat.S_IFCHR, (1, 1))):
            os.mknod(tree / node, kind | 0o666, os.makedev(*number))
            os.chmod(tree / node, 0o666)
        return tree

    def tree_of(self, fence):
        if fence.how == "run":
            return self.tree
        return self.trees[self.machine(fence)]

    @contextlib.contextmanager
    def strange_fds(self):
        """Descriptors that whoever calls croft forgot to close, open over exec."""
        opened = []
        for number, path in zip(STRANGE_FDS, ("/", "/etc/shadow", "/var")):
            fd = os.open(path, os.O_RDONLY)
            os.dup2(fd, number, inheritable=True)
            os.close(fd)
            opened.append(number)
        yield tuple(opened)
        for number in opened:
            os.close(number)

    def machine(self, fence):
        """The name of a running machine with this fence (not for run, whose machine is its payload)."""
        key = fence._replace(how="app" if fence.app else "boot")
        if key not in self.names:
            name = self.names[key] = f"fence-{os.getpid()}-{len(self.names)}"
            verb, payload = ("run", ["/probe", "sleep"]) if fence.app else ("boot", ["init"])
            self.trees[name] = self.new_tree(len(self.names))
            self.croft(verb, "-d", f"--name={name}", *fence.options(), self.trees[name], *payload).check()
        return self.names[key]

    def inside(self, fence, *words, options=(), **more):
        """Runs words in a machine with this fence."""
        if fence.how == "run":
            return self.croft("run", *fence.options(), *options, self.tree, *words, **more)
        return self.croft("exec", *options, self.machine(fence), *words, **more)

    def ask(self, fence):
        """All that probe says, once for each fence."""
        if fence not in self.said:
            script = "; ".join(f"/probe {look}" for look in LOOKS)
            self.said[fence] = Said(self.inside(fence, "/bin/sh", "-c", script).check().stdout)
        return self.said[fence]

    def close(self):
        for name in self.names.values():
            self.croft("rm", "--force", "--quiet", name)
        for mount in mounts_below(self.place):
            subprocess.run(["umount", "-l", mount])
        shutil.rmtree(self.place, ignore_errors=True)


@pytest.fixture(scope="module")
def ground(croft, tree, guest):
    made = Ground(croft, tree("app"), guest("probe"))
    yield made
    made.close()


def own_namespace(kind):
    return os.readlink(f"/proc/self/ns/{kind}")


# ---------------------------------------------------------------- users


@every_fence
def test_users_are_a_range_of_their_own(ground, fence):
    ids, namespaces = ground.ask(fence).one("ids"), ground.ask(fence).one("namespaces")
    assert (ids["uid"], ids["gid"]) == (0, 0)
    if not fence.users:
        assert namespaces["user"] == own_namespace("user")
        return
    assert namespaces["user"] != own_namespace("user")
    assert ids["uid_map"] == ids["gid_map"]
    inside, outside, count = map(int, ids["uid_map"].split())
    assert (inside, count, outside % 65536) == (0, 65536, 0)
    assert 524288 <= outside <= 1878982656


@every_fence
def test_tree_keeps_its_owners(ground, fence):
    """Files of the tree belong to root inside, and what root inside makes belongs to root of the tree: nothing on the
    disk is changed for it."""
    tree = ground.tree_of(fence)
    owners = {path: os.lstat(path).st_uid for path in tree.rglob("*")}
    made = tree / f"var/made-{fence}"
    said = Said(ground.inside(fence, "/bin/sh", "-c", f"echo x >/var/{made.name}; /probe stat / /bin/busybox /home/app").check().stdout)
    assert [line["uid"] for line in said.all("node")] == [0, 0, 1000]
    root = next(mount for mount in ground.ask(fence).all("mount") if mount["target"] == "/")
    assert ("idmapped" in root["options"].split(",")) == fence.users
    assert made.stat().st_uid == 0
    made.unlink()
    assert {path: os.lstat(path).st_uid for path in tree.rglob("*")} == owners


def test_no_two_machines_share_ids(ground, croft, machine):
    """Also of machines that are started at the same moment."""
    names = [machine("ids") for _ in range(6)]
    started = [croft.start("run", "-d", f"--name={name}", "--read-only", ground.tree, "/probe", "sleep") for name in names]
    for one in started:
        one.communicate(timeout=30)
        assert one.returncode == 0
    bases = [Said(croft("exec", name, "/probe", "ids").check().stdout).one("ids")["uid_map"].split()[1] for name in names]
    assert len(set(bases)) == len(names), bases


# ---------------------------------------------------------------- namespaces and what is seen through them


@every_fence
def test_namespaces_are_its_own(ground, fence):
    namespaces = ground.ask(fence).one("namespaces")
    for kind in ("mnt", "pid", "ipc", "uts", "cgroup"):
        assert namespaces[kind] != own_namespace(kind), kind
    assert (namespaces["net"] != own_namespace("net")) == (fence.network == "none")


@every_fence
def test_cgroup_namespace_hides_the_host(ground, fence):
    """The machine's own group is the root of what it sees; an app cannot write there, an init only below."""
    said = ground.ask(fence)
    unified = next(line for line in said.one("process")["cgroup"].splitlines() if line.startswith("0::"))
    assert unified == "0::/" if fence.how != "boot" else not unified.startswith("0::/..")
    mount = next(m for m in said.all("mount") if m["target"] == "/sys/fs/cgroup")
    assert (mount["type"], mount["root"]) == ("cgroup2", "/")
    if fence.app:
        assert "ro" in mount["options"].split(",")


def processes_in(group):
    return {line for path in group.rglob("cgroup.procs") for line in path.read_text().split()}


@every_fence
def test_limits_are_out_of_reach(ground, fence):
    """Its processes are in the machine's group, and the files that hold the limits are not among those it owns."""
    if fence.how == "run":
        fence = fence._replace(how="exec")
    name = ground.machine(fence)
    group = cgroup_root() / SESSION / name
    assert all(path.is_dir() or path.stat().st_uid == 0 for path in group.iterdir())
    before = processes_in(group)
    further = ground.croft.start("exec", name, "/probe", "sleep", "20")
    until = time.monotonic() + 10
    # For a moment there are two: who enters the namespaces, and its child.
    while len(processes_in(group)) != len(before) + 1 and time.monotonic() < until:
        time.sleep(0.02)
    assert len(processes_in(group)) == len(before) + 1
    assert further.poll() is None
    further.terminate()
    further.communicate(timeout=10)
    assert ground.inside(fence, "/bin/sh", "-c", "ls /sys/fs/cgroup/cgroup.procs; ls -d /sys/fs/cgroup/payload").stdout.split() == [
        "/sys/fs/cgroup/cgroup.procs"]


@every_fence
def test_processes_of_the_host_are_not_seen(ground, fence):
    for one in ground.ask(fence).all("proc"):
        assert one["name"] in ("sh", "probe", "init", "croft-init"), one


@every_fence
def test_network_is_its_own(ground, fence):
    seen = {line["name"] for line in ground.ask(fence).all("interface")}
    if fence.network == "none":
        assert seen == {"lo"}
    else:
        assert seen == set(os.listdir("/sys/class/net"))


@every_fence
def test_no_descriptor_of_the_host(ground, fence):
    with ground.strange_fds() as strange:
        said = Said(ground.inside(fence, "/probe", "fds", pass_fds=strange).check().stdout)
    assert [line["fd"] for line in said.all("fd")] == [0, 1, 2]
    assert {line["type"] for line in said.all("fd")} <= {"character", "pipe"}


@every_fence
def test_no_descriptor_of_the_host_in_pid_1(ground, fence):
    """PID 1 itself, and croft-init where it is in between. Links that say nothing of a path are sockets and pipes."""
    with ground.strange_fds() as strange:
        if fence.how == "run":
            seen = ground.inside(fence, "/bin/sh", "-c", "ls -l /proc/1/fd", options=["--init"], pass_fds=strange)
        else:
            seen = ground.inside(fence, "/bin/sh", "-c", "ls -l /proc/1/fd")
    links = [line.split(" -> ")[1] for line in seen.check().stdout.splitlines() if " -> " in line]
    for link in links:
        assert link.startswith(("pipe:", "/dev/null", "/dev/console", "/dev/pts/", "anon_inode:", "socket:")), links


# ---------------------------------------------------------------- privileges


APP_CAPABILITIES = 0xA80425FB
BOOT_CAPABILITIES = 0xFDECAFFF
NET_ADMIN, NET_BIND_SERVICE, SYS_RESOURCE = 1 << 12, 1 << 10, 1 << 24


def expected_capabilities(fence):
    if fence.app:
        wanted = APP_CAPABILITIES
    elif fence.network == "none":
        wanted = BOOT_CAPABILITIES | NET_ADMIN
    else:
        wanted = BOOT_CAPABILITIES & ~NET_BIND_SERVICE if fence.users else BOOT_CAPABILITIES
    if not fence.users:  # what croft does not have it cannot give
        own = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapBnd"))
        wanted &= int(own, 16)
    return wanted


@every_fence
def test_capabilities_are_bounded(ground, fence):
    caps = ground.ask(fence).one("caps")
    wanted = expected_capabilities(fence)
    assert {key: f"{int(caps[key], 16):x}" for key in ("bounding", "permitted", "effective", "inheritable", "ambient")} == {
        "bounding": f"{wanted:x}", "permitted": f"{wanted:x}", "effective": f"{wanted:x}", "inheritable": "0", "ambient": "0"}


@pytest.mark.parametrize("fence", [fence for fence in FENCES if fence.app], ids=str)
def test_a_user_gains_nothing(ground, fence):
    """A payload that is not root has no capability, and a set-user-id file of root gives it none."""
    script = "/probe caps; /probe ids; /var/root caps; /var/root ids"
    ground.inside(fence, "/bin/sh", "-c", "cp /probe /var/root; chmod 4755 /var/root").check()
    said = Said(ground.inside(fence, "/bin/sh", "-c", script, options=["--user=app"]).check().stdout)
    for caps in said.all("caps"):
        assert int(caps["effective"], 16) == int(caps["permitted"], 16) == int(caps["ambient"], 16) == 0
        assert caps["no_new_privileges"] == 1
    assert [(ids["uid"], ids["euid"]) for ids in said.all("ids")] == [(1000, 1000)] * 2


@every_fence
def test_filter_is_on(ground, fence):
    caps = ground.ask(fence).one("caps")
    assert (caps["seccomp"], caps["seccomp_filters"]) == (2, 1)


# What must be refused, by how far the refusal reaches. The order of the list is the order of attempts_*.cc.
ALWAYS = """
bpf-load open-by-handle kexec-load kexec-file-load init-module finit-module delete-module swapon swapoff acct
clock-settime syslog-read syslog-console-level perf-event fanotify fanotify-unprivileged quotactl iopl ioperm modify-ldt
mlock lookup-dcookie memfd-secret unknown-syscall socket-audit
node-disk node-loop node-mem node-kmsg read-kcore write-own-executable write-init-executable
chroot-escape escape-by-descriptor tiocsti-stdin unmount-kcore-mask write-binfmt
mount-cgroup1-release-agent mount-cgroup1-release-agent-userns
""".split()
# Root of the host with CAP_SYS_ADMIN (boot without private users) can mount what is missing and lift what is masked.
NOT_FOR_HOST_ROOT = """
mount-devtmpfs mount-debugfs mount-tracefs mount-securityfs mount-bpf
read-keys read-timer-list write-sysrq write-core-pattern write-modprobe write-panic write-printk write-swappiness
write-irq-affinity write-uevent-helper write-power-state write-cgroup-max rlimit-raise unmount-firmware-mask
unmount-sysrq-mask userfaultfd nice-minus-20 scheduler-fifo
""".split()
# An init mounts, makes namespaces and groups, and reboots: with private users all of that is its own.
APPS_ONLY = """
ptrace-child reboot-bad-magic unshare-mount unshare-net unshare-pid setns-init-mount sethostname vhangup
mount-proc mount-sysfs mount-tmpfs mount-overlay mount-mqueue mount-cgroup2 fsopen-sysfs fsopen-proc
remount-root-writable remount-proc-sys-writable remount-sys-writable unmount-proc-sys look-under-proc-masks
make-cgroup write-ip-forward read-kmsg
""".split()
# No fence: harmless, namespaced, or of the machine's own. docs/security.md says why for each that is not obvious.
ALLOWED = """
keyctl add-key io-uring clone3 unshare-user unshare-user-mount signal-init socket-route socket-inet socket-unix
socket-raw socket-packet socket-alg socket-vsock node-null read-kallsyms open-init-root
""".split()
REFUSALS = {"EPERM", "EACCES", "EROFS", "ENOSYS", "EAFNOSUPPORT", "EXDEV", "ENODATA", "ENOENT", "ENOTTY", "ETXTBSY", "EINVAL"}


def test_each_attempt_is_judged(ground):
    judged = [*ALWAYS, *NOT_FOR_HOST_ROOT, *APPS_ONLY, *ALLOWED]
    assert len(judged) == len(set(judged))
    assert set(judged) == set(ground.ask(FENCES[0]).attempts())


def refused(fence):
    names = list(ALWAYS)
    if fence.app or fence.users:
        names += NOT_FOR_HOST_ROOT
    return names + (APPS_ONLY if fence.app else [])


@every_fence
def test_attempts_are_refused(ground, fence):
    said = ground.ask(fence).attempts()
    broken = {name: said[name] for name in refused(fence) if said[name] not in REFUSALS}
    assert not broken, broken


@every_fence
def test_calls_are_refused_by_the_filter(ground, fence):
    """Not by a wrong argument: the kernel's code behind these calls is never reached."""
    said = ground.ask(fence).attempts()
    calls = """bpf-load open-by-handle kexec-load kexec-file-load init-module finit-module delete-module swapon swapoff acct
               clock-settime syslog-read perf-event fanotify quotactl iopl ioperm modify-ldt mlock lookup-dcookie
               memfd-secret unknown-syscall""".split()
    assert {name: said[name] for name in calls if said[name] not in ("EPERM", "ENOSYS")} == {}
    assert said["socket-audit"] == "EAFNOSUPPORT"


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("fence", [fence for fence in FENCES if fence.app or fence.users], ids=str)
def test_the_kernels_files_are_masked(ground, fence):
    script = "for f in /proc/kcore /proc/keys /proc/timer_list /proc/sysrq-trigger; do head -c1 $f 2>/dev/null; done | wc -c"
    assert ground.inside(fence, "/bin/sh", "-c", script).check().stdout.strip() == "0"
    covers = {mount["target"] for mount in ground.ask(fence).all("mount") if mount["root"].startswith("/blank-")}
    assert {"/proc/keys", "/proc/timer_list"} <= covers


@every_fence
def test_the_kernels_addresses_are_hidden(ground, fence):
    shown = ground.inside(fence, "/bin/sh", "-c", "head -n 100 /proc/kallsyms 2>/dev/null; true").check().stdout
    assert all(int(line.split()[0], 16) == 0 for line in shown.splitlines())


@pytest.mark.parametrize("fence", [fence for fence in FENCES if fence.app], ids=str)
def test_settings_of_the_kernel_are_read_only(ground, fence):
    options = {mount["target"]: mount["options"].split(",") for mount in ground.ask(fence).all("mount")}
    for target in ("/proc/sys", "/proc/irq", "/proc/bus", "/sys", "/sys/fs/cgroup"):
        assert "ro" in options[target], (target, options[target])


@every_fence
def test_devices_are_those_of_the_policy(ground, fence):
    """What a tree ships, what root makes, and what is made under a name of /dev: only the policy's devices open."""
    script = "/probe open /disk /memory; /probe device b 8 0; /probe device b 8 0 /var; /probe device c 1 1; /probe device c 1 11"
    said = Said(ground.inside(fence, "/bin/sh", "-c", script).check().stdout)
    tries = [(line["path"], line["way"], line["error"]) for line in said.all("open") if line["way"] != "path"]
    assert len(tries) == 4
    assert all(error in ("EPERM", "EACCES") for _, _, error in tries), tries
    for line in said.all("device"):
        assert not line["done"], line
    for node in ("null", "zero", "urandom"):
        opened = Said(ground.inside(fence, "/probe", "open", f"/dev/{node}").check().stdout)
        assert all(line["done"] for line in opened.all("open")), node


@pytest.mark.parametrize("fence", [fence for fence in FENCES if fence.how == "boot"], ids=str)
def test_mounts_are_locked(ground, croft, machine, fence):
    """What croft has bound read-only stays so, also for an init that may mount. Without private users nothing can lock a
    mount against root of the same user namespace, and this is what the page says."""
    name, kept = machine("lock"), ground.place / "kept"
    (kept / "below").mkdir(parents=True, exist_ok=True)
    options = [f"--bind-ro={kept}:/mnt", "--inaccessible=/opt", "--tmpfs=/tmp"]
    croft("boot", "-d", f"--name={name}", *fence.options(), *options, ground.new_tree(name), "init").check()
    script = """mount -o remount,bind,rw /mnt && echo writable
                umount /mnt && echo lifted
                umount /opt && echo uncovered
                mkdir -p /tmp/x; mount --bind / /tmp/x && ls /tmp/x/mnt/below && echo seen
                touch /mnt/below/written && echo written; true"""
    done = croft("exec", name, "/bin/sh", "-c", script).check().stdout.split()
    if fence.users:
        assert done == []
    else:
        assert "writable" in done


@every_fence
def test_chroot_leads_nowhere(ground, fence):
    """The old way out of a chroot ends at the machine's own root: above it is nothing that one could climb to."""
    said = ground.ask(fence)
    assert said.one("escape")["error"] == ""
    assert not said.one("escape")["elsewhere"]
    assert (said.attempt("chroot-escape"), said.attempt("escape-by-descriptor")) == ("EXDEV", "EXDEV")


# ---------------------------------------------------------------- keys


libc = ctypes.CDLL(None, use_errno=True)
SYS_ADD_KEY, SYS_KEYCTL = {"x86_64": (248, 250), "aarch64": (217, 219)}[os.uname().machine]
KEYCTL_UNLINK, USER_KEYRING, SESSION_KEYRING = 9, -4, -3


@pytest.fixture
def secret():
    """A key of root's, in the session's keyring and in the user's: what administrators' tools leave there."""
    name = f"croft-test-{os.getpid()}".encode()
    keys = [(libc.syscall(SYS_ADD_KEY, b"user", name, b"secret", 6, ring), ring) for ring in (USER_KEYRING, SESSION_KEYRING)]
    if min(key for key, _ in keys) < 0:
        pytest.skip("this host has no keys (add_key)")
    yield name.decode()
    for key, ring in keys:
        libc.syscall(SYS_KEYCTL, KEYCTL_UNLINK, key, ring)


@every_fence
def test_keys_of_the_host_are_not_found(ground, secret, fence):
    # exec is asked in a machine that was there before the key was.
    said = Said(ground.inside(fence, "/probe", "keys", secret).check().stdout)
    found = [line["ring"] for line in said.all("keys") if line["found"]]
    assert len(said.all("keys")) == 5
    assert found == []


# ---------------------------------------------------------------- other ways to ask for a machine


def test_plan_says_what_is_not_kept(ground, croft):
    """Giving up private users is said aloud each time."""
    ran = croft("run", "--private-users=no", ground.tree, "/probe", "exit", 0)
    assert ran.status == 0 and "without private users root inside is root of the host" in ran.stderr
    ran = croft("run", ground.tree, "/probe", "exit", 0)
    assert (ran.status, ran.stderr) == (0, "")


def test_record_and_plan_are_not_the_guests(ground, croft, machine):
    """The files that croft trusts later are writable for root of the host only, and no guest sees them."""
    fence = Fence("exec", True, "none")
    name = ground.machine(fence)
    directory = pathlib.Path(os.environ["CROFT_RUN_DIR"]) / "machines" / name
    for path in [directory, *directory.iterdir()]:
        info = path.lstat()
        assert info.st_uid == 0 and not info.st_mode & 0o022, path
    assert json.loads(croft("list", "--json").check().stdout)
    assert ground.inside(fence, "/bin/sh", "-c", f"ls {directory} /run/croft 2>/dev/null; true").check().stdout == ""
