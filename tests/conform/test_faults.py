"""Faults in every verb: each step of a launch is made to fail, croft-oci is killed after each of them, and then at its system
calls. What is left is shown by `state`, and `delete --force` clears all of it."""

import json
import os
import pathlib
import subprocess

import pytest
from harness.host import leftovers, new_leftovers
from harness.oci import Ran
from harness.terminal import shell_status

KILLED = 137


def points(first=0, stride=1):
    """The numbers of the points of a verb, until the caller has seen its end."""
    yield from range(first, 5000, stride)
    pytest.fail("it has no end")


def rich(scratch, config):
    """A configuration with a step of each kind that only bundles have."""
    hook = {"path": "/bin/true"}
    config["hooks"] = {name: [hook] for name in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart")}
    config["mounts"].append({"destination": "/made/up", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]})
    config["mounts"].append({"destination": "/mnt", "type": "bind", "source": str(scratch), "options": ["rbind", "rro"]})
    config["linux"].update(
        devices=[{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}],
        sysctl={"net.ipv4.ip_forward": "1"}, rootfsPropagation="slave")
    config["process"]["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]


def mapped(scratch, config):
    rich(scratch, config)
    config["linux"]["namespaces"].append({"type": "user"})
    config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 65536}]


KINDS = {"rich": rich, "mapped": mapped}


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Watched:
    """A container's verbs, and what they leave on the host."""

    def __init__(self, oci, where, said):
        self.oci, self.where, self.said, self.before = oci, where, said, leftovers()

    def make(self, name, *more):
        """`create`; its messages go through a file, because a pipe would be held open by the container."""
        with open(self.said, "wb") as out:
            child = subprocess.run(self.oci.words("create", *more, name, bundle=self.where), stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=out, timeout=60)
        return Ran(shell_status(child.returncode), "", self.said.read_text())

    def consistent(self, name):
        """`state` knows what there is a directory of; the state, None when there is no such container."""
        state = self.oci("state", name)
        assert (state.status == 0) == (self.oci.root / name).exists(), state.stderr
        return json.loads(state.stdout) if state.status == 0 else None

    def cleared(self, name, at):
        state = self.consistent(name)
        self.oci("delete", "--force", name).check()
        assert not state or not alive(state.get("pid") or 0), at
        self.nothing_left(at)

    def nothing_left(self, at):
        assert not new_leftovers(self.before), at
        assert not list(self.oci.root.glob("*")), at


@pytest.fixture(params=KINDS)
def watched(request, oci, bundle, scratch):
    return Watched(oci, bundle("sleep", "600", change=lambda config: KINDS[request.param](scratch, config)),
                   scratch / "said")


@pytest.mark.parametrize("watched", ["mapped"], indirect=True)
def test_each_step_of_a_creation_fails_in_turn(watched, new_id):
    name, failed = new_id(), 0
    for step in points():
        ran = watched.make(name, f"--fail-step={step}")
        if ran.status == 0:
            break
        assert ran.status == 1 and "Input/output error" in ran.stderr, (step, ran)
        watched.nothing_left((step, ran.stderr))
        failed += 1
    assert failed > 40
    watched.cleared(name, "the last")


@pytest.mark.parametrize("watched", ["rich"], indirect=True)
def test_a_creation_is_killed_after_each_step(watched, new_id):
    name, killed = new_id(), 0
    for step in points():
        ran = watched.make(name, f"--kill-step={step}")
        if ran.status == 0:
            break
        assert ran.status == KILLED, (step, ran)
        watched.cleared(name, step)
        killed += 1
    assert killed > 40
    watched.cleared(name, "the last")


@pytest.mark.parametrize("watched", ["rich"], indirect=True)
def test_each_step_of_an_exec_fails_in_turn(watched, new_id):
    name, failed = new_id(), 0
    watched.make(name).check()
    watched.oci("start", name).check()
    for fault, status in (("--fail-step", 255), ("--kill-step", KILLED)):
        for step in points():
            ran = watched.oci("exec", f"{fault}={step}", name, "echo", "in")
            if ran.status == 0:
                break
            assert ran.status == status and ran.stdout == "", (step, ran)
            assert status == KILLED or "Input/output error" in ran.stderr, (step, ran)
            failed += 1
    assert failed > 20
    assert watched.oci.status(name) == "running"
    watched.cleared(name, "the last")


# ---------------------------------------------------------------- at each system call

# Each run is some milliseconds: of the calls of a verb every STRIDE-th is taken, and all of them with CROFT_EVERY_CALL=1.
STRIDE = 1 if os.environ.get("CROFT_EVERY_CALL") == "1" else 17


@pytest.fixture
def interrupted(oci, guest):
    """interrupted(N, WORD…): croft-oci, killed at its N-th system call → exit status."""

    def run(at, *words, bundle=None):
        child = subprocess.run([guest("interrupt"), str(at), *oci.words(*words, bundle=bundle)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        status = shell_status(child.returncode)
        assert status in (0, KILLED), (at, words)
        return status

    return run


@pytest.mark.parametrize("verb", ["create", "run"])
def test_killed_while_it_creates(watched, interrupted, new_id, verb):
    name, killed = new_id(), 0
    for at in points(1, STRIDE):
        if interrupted(at, verb, *(["--detach"] if verb == "run" else []), name, bundle=watched.where) == 0:
            break
        watched.cleared(name, at)
        killed += 1
    assert killed > 100 / STRIDE
    watched.cleared(name, "the last")


def test_killed_while_it_starts(watched, interrupted, new_id):
    """Then it waits still, or runs, or has ended because nobody would have told how its start went."""
    name, seen = new_id(), set()
    for at in points(2, STRIDE):
        watched.make(name).check()
        status = interrupted(at, "start", name)
        seen.add(watched.consistent(name)["status"])
        watched.cleared(name, at)
        if status == 0:
            break
    assert seen <= {"created", "running", "stopped"} and "running" in seen


def test_killed_while_it_executes(watched, interrupted, new_id):
    """The container goes on; what joined it runs or is gone."""
    name, killed = new_id(), 0
    watched.make(name).check()
    watched.oci("start", name).check()
    for at in points(3, STRIDE):
        if interrupted(at, "exec", name, "true") == 0:
            break
        assert watched.oci.status(name) == "running", at
        killed += 1
    assert killed > 50 / STRIDE
    watched.cleared(name, "the last")


def test_killed_while_it_deletes(watched, interrupted, new_id):
    name, killed = new_id(), 0
    for at in points(4, STRIDE):
        watched.make(name).check()
        if interrupted(at, "delete", "--force", name) == 0:
            break
        watched.cleared(name, at)
        killed += 1
    assert killed > 20 / STRIDE
