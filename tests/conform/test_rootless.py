"""Containers of a user who is not root, and of no engine: croft-oci itself makes the user namespace above the container's,
with what newuidmap gives to the user, or with the user's own id alone."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from harness.oci import PROGRAM, Oci

USER = 4242
BUSYBOX = shutil.which("busybox")
# In a mount namespace of its own, because this host's users are not a test's to change.
WITH_RANGES = """mount --make-rprivate /
for name in passwd subuid subgid; do mount --bind "$0/$name" "/etc/$name" || exit; done
exec "$@"
"""


class UserOci(Oci):
    """croft-oci as a user; `ranges` is a directory with passwd, subuid and subgid that give more ids."""

    def __init__(self, home, ranges=None):
        super().__init__(home / "run/croft-oci")
        self.home = home
        self.prefix = ["unshare", "--mount", "sh", "-c", WITH_RANGES, str(ranges)] if ranges else []
        self.prefix += ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "env", "-i", f"HOME={home}",
                        f"XDG_RUNTIME_DIR={home}/run", f"PATH={os.environ['PATH']}"]

    def words(self, *words, bundle=None, flags=()):
        verb, *rest = map(str, words)
        where = ["--bundle", str(bundle)] if bundle else []
        return [*self.prefix, str(PROGRAM), *map(str, flags), verb, *where, *rest]


@pytest.fixture
def home():
    """A user's home, with a run directory and a tree."""
    at = pathlib.Path(tempfile.mkdtemp(prefix="croft-user-", dir="/var/tmp"))
    for name in ("bin", "dev", "proc", "sys", "tmp", "etc"):
        (at / "box/rootfs" / name).mkdir(parents=True)
    (at / "run").mkdir()
    shutil.copy(BUSYBOX, at / "box/rootfs/bin/busybox")
    for name in ("sh", "cat", "id", "sleep", "touch", "stat", "hostname", "date"):
        (at / "box/rootfs/bin" / name).symlink_to("busybox")
    subprocess.run(["chown", "-R", f"{USER}:{USER}", at], check=True)
    at.chmod(0o755)
    yield at
    shutil.rmtree(at)


@pytest.fixture(params=["one id", "a range"])
def user(request, home):
    ranges = None
    if request.param == "a range":
        ranges = home / "ranges"
        ranges.mkdir()
        (ranges / "passwd").write_text(f"root:x:0:0::/:/bin/sh\ntester:x:{USER}:{USER}::{home}:/bin/sh\n")
        for name in ("subuid", "subgid"):
            (ranges / name).write_text(f"other:200000:1000\ntester:300000:1000\n{USER}:500000:65536\n")
    oci = UserOci(home, ranges)
    oci.many = ranges is not None
    yield oci
    for name in oci("list", "-q").stdout.split():
        assert oci("delete", "--force", name).status == 0
    assert not list((home / "run/croft-oci").glob("*")), "a container's directory stays"


@pytest.fixture
def box(user, home):
    """box(SCRIPT, change=function) → the bundle that spec --rootless makes, with this command."""

    def make(script, change=None):
        config = home / "box/config.json"
        config.unlink(missing_ok=True)
        user("spec", "--rootless", bundle=home / "box").check()
        spec = json.loads(config.read_text())
        spec["process"].update(terminal=False, args=["sh", "-c", script], env=["PATH=/bin"])
        spec["root"]["readonly"] = False
        if user.many:
            spec["linux"]["uidMappings"].append({"containerID": 1, "hostID": 500000, "size": 65536})
            spec["linux"]["gidMappings"].append({"containerID": 1, "hostID": 500000, "size": 65536})
        if change:
            change(spec)
        config.write_text(json.dumps(spec))
        return home / "box"

    return make


def test_run(user, box, home):
    ran = user("run", "one", bundle=box("id -u; id -g; touch /made; hostname; cat /proc/self/uid_map; exit 7"))
    assert ran.status == 7, ran.stderr
    maps = ["0", str(USER), "1"] + (["1", "500000", "65536"] if user.many else [])
    # What is in the map are ids of the namespace above, which have the host's numbers.
    assert ran.stdout.split() == ["0", "0", "croft", *maps]
    made = (home / "box/rootfs/made").stat()
    assert (made.st_uid, made.st_gid) == (USER, USER)


def test_from_create_to_delete(user, box):
    user.create("one", box("sleep 600"))
    assert user.status("one") == "created"
    user("start", "one").check()
    assert user.status("one") == "running"
    assert user("exec", "one", "sh", "-c", "id -u; hostname; exit 3", ).stdout.split() == ["0", "croft"]
    assert user("exec", "one", "sh", "-c", "exit 3").status == 3
    assert "sleep 600" in user("ps", "one").check().stdout
    assert user("list", "-q").check().stdout == "one\n"
    user("kill", "one", "KILL").check()
    user.until("one", "stopped")
    user("delete", "one").check()
    assert user("state", "one").status == 1


def test_a_user_inside_has_an_id_of_the_range(user, box, home):
    def other(spec):
        spec["process"]["user"] = {"uid": 33, "gid": 33}

    ran = user("run", "one", bundle=box("id -u; touch /tmp/x", other))
    if not user.many:
        assert ran.status == 1 and "process.user: 33:33" in ran.stderr
        return
    (home / "box/rootfs/tmp").chmod(0o777)
    ran = user("run", "one", bundle=box("id -u; touch /tmp/x", other)).check()
    assert ran.stdout == "33\n" and (home / "box/rootfs/tmp/x").stat().st_uid == 500032
    user.create("two", box("sleep 600", other))
    user("start", "two").check()
    assert user("exec", "--user", "33:33", "two", "id", "-u").check().stdout == "33\n"
    user("delete", "--force", "two").check()


def test_clocks_of_its_own(user, box):
    def clocks(spec):
        spec["linux"]["namespaces"].append({"type": "time"})
        spec["linux"]["timeOffsets"] = {"boottime": {"secs": 100000000, "nanosecs": 0}, "monotonic": {"secs": 5, "nanosecs": 1}}

    ran = user("run", "one", bundle=box("cat /proc/uptime /proc/self/timens_offsets", clocks)).check()
    words = ran.stdout.split()
    assert float(words[0]) > 100000000
    assert words[2:] == ["monotonic", "5", "1", "boottime", "100000000", "0"]
    user.create("two", box("sleep 600", clocks))
    user("start", "two").check()
    assert float(user("exec", "two", "cat", "/proc/uptime").check().stdout.split()[0]) > 100000000


def test_ids_that_are_not_the_users(user, box):
    def others(spec):
        spec["linux"]["uidMappings"] = [{"containerID": 0, "hostID": 0, "size": 1}]

    ran = user("run", "one", bundle=box("true", others))
    assert ran.status == 1 and "linux.uidMappings" in ran.stderr and "/etc/subuid" in ran.stderr


def test_a_container_without_a_user_namespace(user, box):
    def of_host(spec):
        spec["linux"]["namespaces"] = [one for one in spec["linux"]["namespaces"] if one["type"] != "user"]
        del spec["linux"]["uidMappings"], spec["linux"]["gidMappings"]

    ran = user("run", "one", bundle=box("true", of_host))
    assert ran.status == 1 and "'user'" in ran.stderr and "spec --rootless" in ran.stderr
