"""Images of an ordinary user: brought in, run, committed and removed, with a range of ids of the user's own and without."""

import json
import os
import shutil
import subprocess

import pytest
from harness.machines import until

UID = 4711
pytestmark = [pytest.mark.in_process("the user's store is looked into from here"),
              pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")]
# The user exists in a mount namespace alone.
BECOME = """
for file in passwd group subuid subgid; do mount --bind "$PLACE/$file" /etc/$file || exit 99; done
cd "$PLACE/home" && exec setpriv --reuid UID --regid UID --clear-groups "$@"
""".replace("UID", str(UID))


class User:
    def __init__(self, place, program, ranges):
        self.place, self.program = place, program
        self.store = place / "home/.local/share/croft/store"
        place.chmod(0o755)
        for name in ("passwd", "group"):
            line = f"imguser:x:{UID}:{UID}::{place}/home:/bin/sh\n" if name == "passwd" else f"imguser:x:{UID}:\n"
            (place / name).write_text(open(f"/etc/{name}").read() + line)
        for name in ("subuid", "subgid"):
            (place / name).write_text("imguser:700000:65536\n" if ranges else "")
        for name in ("home", "run"):
            (place / name).mkdir()
            os.chown(place / name, UID, UID)
        self.environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(place / "home"), "XDG_RUNTIME_DIR": str(place / "run"),
                            "PLACE": str(place), "CROFT_HELPER_DIR": str(program.parent), "TERM": "dumb"}

    def run(self, *words):
        words = ["unshare", "--mount", "sh", "-c", BECOME, "sh", self.program, *words]
        return subprocess.run([*map(str, words)], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=240)

    def good(self, *words):
        ran = self.run(*words)
        assert ran.returncode == 0, f"{words}: exit status {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout


@pytest.fixture(params=[True, False], ids=["with-ids", "without-ids"])
def user(request, scratch, croft):
    """Programs that the user may execute, wherever the build directory is."""
    if request.param and not shutil.which("newuidmap"):
        pytest.fail("newuidmap is not installed (Debian: uidmap)")
    apps = scratch / "apps"
    apps.mkdir()
    for program in ("croft", "croft-images", "croft-unpack", "croft-hold", "croft-launch", "croft-init", "croft-seccomp"):
        source = os.path.join(os.path.dirname(croft.path), program)
        if os.path.exists(source):
            shutil.copy(source, apps / program)
    place = scratch / "user"
    place.mkdir()
    scratch.chmod(0o755)
    made = User(place, apps / "croft", request.param)
    made.ranges = request.param
    yield made
    subprocess.run(["rm", "-rf", place / "home", place / "run"], check=True)


@pytest.fixture
def archive(scratch, tree):
    """A tree in which a file and a closed directory belong to somebody else than root."""
    copy, path = scratch / "copy", scratch / "app.tar.gz"
    subprocess.run(["cp", "-a", tree("app"), copy], check=True)
    (copy / "closed").mkdir(mode=0o700)
    (copy / "closed/file").write_text("inside")
    os.chown(copy / "closed/file", 42, 42)
    os.chown(copy / "closed", 42, 42)
    subprocess.run(["tar", "-C", copy, "-czf", path, "."], check=True)
    path.chmod(0o644)
    return path


def test_from_an_archive_to_a_machine_and_back(user, archive, scratch):
    user.good("image", "import", archive, "app")
    owner = user.good("run", "app", "/bin/sh", "-c", "stat -c %u /closed; cat /closed/file").splitlines()
    assert owner == ["42" if user.ranges else "0", "inside"]
    on_disk = next((user.store / "layers").glob("*/tree/closed")).stat().st_uid
    assert on_disk == (700041 if user.ranges else UID)
    assert [each["state"] for each in json.loads(user.good("image", "list", "--json"))] == ["complete"]
    user.good("image", "verify")
    user.good("image", "export", "app", "back.tar.gz")
    assert (user.place / "home/back.tar.gz").read_bytes() == archive.read_bytes()


def test_several_layers_with_whiteouts(user, archive):
    user.good("image", "import", archive, "app")
    user.good("create", "web", "--image=app", "--", "/bin/true")
    user.good("run", "web", "/bin/sh", "-c", "echo mine >/etc/mine; rm /etc/passwd; rm -r /home; mkdir /home; touch /home/x")
    user.good("image", "commit", "web", "derived")
    line = "cat /etc/mine; ls /home; ls /etc/passwd 2>/dev/null || echo gone"
    assert user.good("run", "derived", "/bin/sh", "-c", line) == "mine\nx\ngone\n"
    user.good("image", "copy", "derived", "oci:layout:1")
    user.good("image", "pull", "oci:layout:1", "again")
    assert user.good("run", "again", "/bin/sh", "-c", line) == "mine\nx\ngone\n"
    user.good("rm", "--config", "--tree", "web")
    assert user.good("run", "derived", "/bin/sh", "-c", line) == "mine\nx\ngone\n"


def test_what_is_removed_is_gone(user, archive):
    user.good("image", "import", archive, "app")
    user.good("image", "rm", "app")
    user.good("image", "prune")
    for name in ("layers", "blobs/sha256", "trash", "partial"):
        assert until(lambda: os.listdir(user.store / name) == []), (name, os.listdir(user.store / name))


def test_a_user_mounts_no_images(user, archive):
    user.good("image", "import", archive, "app")
    ran = user.run("image", "mount", "app")
    assert ran.returncode != 0 and "by root alone" in ran.stderr, ran
