"""Where engines are tried: on this host in a world of their own (cgroupfs as cgroup manager), and on a virtual host
(systemd as cgroup manager, all controllers). Both take bash scripts and give vm.Ran; `place.prelude` is in front.

The world on this host is a process in new mount, network, PID, IPC and cgroup namespaces: cgroup2 alone at
/sys/fs/cgroup, an empty /run, /etc and /var/lib as overlays. Its first process is an init that reaps what engines leave
behind; when that one is killed, everything an engine started is gone, mounts too.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import image
from harness.host import cgroup_root
from vm import BUILD, ROOT, Host, Ran

# What is tried. CROFT_ENGINES_RUNTIME=/usr/bin/crun tells whether a test is right before croft is asked.
RUNTIME = os.environ.get("CROFT_ENGINES_RUNTIME", "")

# What engines on this host must be told: the defaults want limits higher than tests may have.
CONTAINERS_CONF = """[containers]
default_ulimits=["nofile=4000:4000","nproc=4000:4000"]
log_driver="k8s-file"
{more}
[engine]
events_logger="file"
"""
POLICY = '{"default":[{"type":"insecureAcceptAnything"}]}'

SETUP = """
set -e
mount --make-rprivate /
mount --make-rshared /
mount -t proc proc /proc
while umount -l /sys/fs/cgroup 2>/dev/null; do :; done
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/init
echo 0 > /sys/fs/cgroup/init/cgroup.procs
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock "$WORK/over"
mount -t tmpfs over "$WORK/over"
for at in etc var/lib; do
  mkdir -p "$WORK/over/$at/upper" "$WORK/over/$at/work"
  mount -t overlay -o "lowerdir=/$at,upperdir=$WORK/over/$at/upper,workdir=$WORK/over/$at/work" overlay "/$at"
done
for node in fuse:10:229 net/tun:10:200; do
  IFS=: read -r name major minor <<<"$node"
  [ -e "/dev/$name" ] || continue
  mknod -m 666 "$WORK/over/${name##*/}" c "$major" "$minor"
  mount --bind "$WORK/over/${name##*/}" "/dev/$name"
done
echo 1000000 > /proc/sys/user/max_user_namespaces 2>/dev/null || true
ip link set lo up
chmod 755 "$WORK"  # a user who is not root has a home below it
echo ready
exec /usr/bin/tini -s -- sleep infinity
"""


def make_tree(name):
    made = subprocess.run([ROOT / "tests/trees/make", name], stdout=subprocess.PIPE, text=True, check=True)
    return made.stdout.splitlines()[-1]


class Here:
    """This host's world."""

    systemd = False
    limits = False  # no controllers are delegated to the v2 tree of a host with mixed cgroups

    def __enter__(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="croft-engines-", dir="/var/tmp"))
        self.cgroup = cgroup_root() / self.work.name
        self.cgroup.mkdir()
        self.runtime = pathlib.Path(RUNTIME) if RUNTIME else BUILD / "src/apps/croft-oci"
        self.files = self.work
        image.write(self.work / "bb.tar")
        self.first = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--ipc", "--cgroup", "--fork", "--kill-child", "bash", "-c", SETUP],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "WORK": str(self.work)}, preexec_fn=lambda: self.enter_cgroup(self.cgroup))
        said = ""
        for line in self.first.stdout:
            said += line
            if line == "ready\n":
                break
        assert said.endswith("ready\n"), f"the world for engines could not be made: {said}"
        children = pathlib.Path(f"/proc/{self.first.pid}/task/{self.first.pid}/children").read_text().split()
        self.pid = int(children[0])
        (self.cgroup / "init/cgroup.procs").write_text(str(self.first.pid))  # none may be in a cgroup that has others below
        return self

    @staticmethod
    def enter_cgroup(at):
        (at / "cgroup.procs").write_text(str(os.getpid()))

    def run(self, script, timeout=120, env=None):
        child = subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-n", "-p", "-i", "-C", "bash", "-c", script],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, cwd="/",
                               env={**os.environ, **(env or {})}, preexec_fn=lambda: self.enter_cgroup(self.cgroup / "init"))
        return Ran(child.returncode, child.stdout.decode(errors="replace"), child.stderr.decode(errors="replace"))

    def tree(self, name):
        return make_tree(name)

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.first.wait()
        for directory, _, _ in os.walk(self.cgroup, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
        shutil.rmtree(self.work, ignore_errors=True)


class Virtual:
    """A virtual host with systemd."""

    systemd = True
    limits = True

    def __enter__(self):
        self.files = pathlib.Path("/files/engines")
        self.work = pathlib.Path("/var/lib/croft-engines")
        self.runtime = pathlib.Path(RUNTIME or "/files/apps/croft-oci")
        self.kept = tempfile.TemporaryDirectory(prefix="croft-engines-")
        self.host = Host("engines", files={"engines/bb.tar": image.write(pathlib.Path(self.kept.name) / "bb.tar")}, trees=["bookworm"])
        self.host.__enter__()
        self.host.run(f"mkdir -p {self.work}; systemctl stop docker containerd 2>/dev/null; loginctl enable-linger alice").check()
        return self

    def run(self, script, timeout=300, env=None):
        return self.host.run(script, timeout=timeout, env=env)

    def tree(self, name):
        return f"/trees/{name}"

    def __exit__(self, *_):
        self.host.__exit__()
        self.kept.cleanup()


PLACES = {"here": Here, "systemd": Virtual}


class Engine:
    """An engine at a place: scripts with a prelude that defines its command and tells it of the runtime under test."""

    def __init__(self, place, prelude):
        self.place = place
        self.prelude = prelude

    def __call__(self, script, timeout=240, **more):
        return self.place.run(f"{self.prelude}\n{script}", timeout=timeout, **more)

    def ok(self, script, **more):
        """What a script that must succeed printed, without the last end of line."""
        ran = self(script, **more)
        assert ran.status == 0, f"{script}\nexit status {ran.status}\n--- stdout\n{ran.stdout}\n--- stderr\n{ran.stderr}"
        return ran.stdout.rstrip("\n")
