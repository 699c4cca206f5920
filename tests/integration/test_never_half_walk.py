"""Never half: each step of a launch is made to fail in turn, and the launcher is killed after each step in turn. Afterwards
nothing is left, or the next command clears it and says so.

The hidden options --fail-step=N and --kill-step=N name points of a launch (src/run/launch.h): the steps for the host and
the stage, the clone, the steps inside, and the stages of the process. A walk ends at the first number that is no point."""

import json
import os
import pathlib
import subprocess
import time

import pytest
from harness.host import RUN_DIR, leftovers, new_leftovers

PROCESS_STAGES = 18  # of src/run/child.cc, the last points of a launch
MOST = 400


def variants(scratch):
    """Between them these have each kind of step there is."""
    (scratch / "data").mkdir()
    (scratch / "data" / "file").write_text("x")
    binds = [f"--bind={scratch}/data:/mnt", f"--bind-ro={scratch}/data/file:/opt/file", "--tmpfs=/srv", "--inaccessible=/home"]
    return {
        "plain": ["run"],
        "host-users": ["run", "--private-users=no"],
        "mounts": ["run", *binds, "--hostname=web", "--set-credential=a:b"],
        "ephemeral": ["run", "--ephemeral", "--init", "--sysctl=net.ipv4.ip_forward=1", "--user=app"],
        "volatile": ["run", "--volatile=overlay", "--network=host", "--resolv-conf=copy-host"],
        "boot": ["boot", "--ephemeral"],
    }


NAMES = ["plain", "host-users", "mounts", "ephemeral", "volatile", "boot"]


@pytest.fixture
def walked(croft, copy_tree, guest, scratch, machine):
    """walked(VARIANT) → Walk"""
    return lambda variant: Walk(croft, copy_tree("app"), guest("probe"), variants(scratch)[variant], machine("walk"))


class Walk:
    def __init__(self, croft, tree, probe, options, name):
        for where in ("probe", "sbin/init"):
            (tree / where).write_bytes(probe.read_bytes())
            (tree / where).chmod(0o755)
        self.croft, self.tree, self.name = croft, tree, name
        self.verb, *self.options = options
        self.payload = ["poweroff"] if self.verb == "boot" else ["/probe", "exit", "0"]
        self.before = leftovers()

    def run(self, *more, **keywords):
        return self.croft(self.verb, *more, f"--name={self.name}", *self.options, self.tree, *self.payload, **keywords)

    def points(self):
        plan = self.croft("plan", "--launch", "--json", self.verb, f"--name={self.name}", *self.options, self.tree, *self.payload)
        lists = json.loads(plan.check().stdout)["launch"]
        return sum(len(lists[place]) for place in ("host", "stage", "inside")) + 1 + PROCESS_STAGES

    def settled(self):
        """What is left, when what ends by itself has ended."""
        until = time.monotonic() + 5
        while (left := [*new_leftovers(self.before), *self.processes()]) and time.monotonic() < until:
            time.sleep(0.01)
        return left

    def processes_end(self, step):
        """What a killed launcher had started ends with it, a moment later, with nobody's help."""
        until = time.monotonic() + 5
        while (left := self.processes()) and time.monotonic() < until:
            time.sleep(0.005)
        assert not left, (step, left)

    def processes(self):
        """Processes of this machine: the launcher's own and the payload, before or after exec."""
        found = []
        for directory in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (directory / "cmdline").read_bytes().split(b"\0")
                root = os.readlink(directory / "root")
            except OSError:
                continue
            if f"--name={self.name}".encode() in words or root == str(self.tree):
                found.append(f"process {directory.name} {words}")
        return found


@pytest.mark.parametrize("variant", NAMES)
def test_each_step_fails_in_turn(walked, variant):
    """The start fails with 125 (126 where it is the command that is looked at) and a sentence, and nothing at all is left."""
    walk, failed = walked(variant), 0
    for step in range(MOST):
        ran = walk.run(f"--fail-step={step}")
        if ran.status == 0:
            break
        assert ran.status == (126 if "executing '/" in ran.stderr else 125), (step, ran)
        last = ran.stderr.strip().splitlines()[-1]
        assert last.startswith(f'croft: starting machine "{walk.name}": ') or walk.name in last, (step, last)
        assert "Input/output error" in last, (step, last)
        assert walk.settled() == [], (step, last)
        failed += 1
    assert failed == walk.points()


@pytest.mark.parametrize("variant", NAMES)
def test_each_step_fails_in_turn_detached(walked, variant):
    walk, failed = walked(variant), 0
    for step in range(MOST):
        ran = walk.run("-d", f"--fail-step={step}")
        if ran.status == 0 or "Input/output error" not in ran.stderr:
            break
        assert ran.status == (126 if "executing '/" in ran.stderr else 125), (step, ran)
        assert walk.settled() == [], (step, ran.stderr)
        failed += 1
    assert failed == walk.points()


@pytest.mark.parametrize("variant", NAMES)
def test_killed_after_each_step_the_next_start_clears(walked, variant):
    """SIGKILL cannot be cleaned up after. But no process is left, and the next start of that name clears the rest, says
    so, and works."""
    walk, killed = walked(variant), 0
    last = walk.points() - 1  # test_killed_after_the_very_last_step
    for step in range(MOST):
        if step == last:
            break
        ran = walk.run(f"--kill-step={step}")
        assert ran.status == 137, (step, ran)
        walk.processes_end(step)
        again = walk.run()
        assert again.status == 0, (step, again)
        assert "was lost (its keeper was killed): clearing what it left" in again.stderr, (step, again.stderr)
        assert walk.settled() == [], step
        killed += 1
    assert killed == last > 40


@pytest.mark.parametrize("way", ["rm", "doctor"])
@pytest.mark.parametrize("variant", ["host-users", "boot"])
def test_killed_after_each_step_is_cleared(walked, variant, way):
    walk, killed = walked(variant), 0
    last = walk.points() - 1  # test_killed_after_the_very_last_step
    for step in range(MOST):
        if step == last:
            break
        ran = walk.run(f"--kill-step={step}")
        assert ran.status == 137, (step, ran)
        walk.processes_end(step)
        clear(walk, way, step)
        assert walk.settled() == [], step
        killed += 1
    assert killed == last > 40


def clear(walk, way, step):
    if way == "rm":
        ran = walk.croft("rm", walk.name)
        assert ran.status == 0, (step, ran)
        return
    seen = json.loads(walk.croft("doctor", "--json").stdout)
    assert [f["repairable"] for f in seen if f["topic"] == f"machine {walk.name}"] == [True], (step, seen)
    ran = walk.croft("doctor", "--repair", "--json")
    found = [f for f in json.loads(ran.stdout) if f["topic"] == f"machine {walk.name}"]
    assert [f["repaired"] for f in found] == [True], (step, ran.stdout)
    assert "was lost" in found[0]["text"]


@pytest.mark.parametrize("variant", NAMES)
def test_a_killed_keeper_in_the_making_leaves_nothing(walked, variant):
    """Detached, it is the keeper that dies; the command is there to clear up and to say what happened."""
    walk, killed = walked(variant), 0
    last = walk.points() - 1  # test_killed_after_the_very_last_step
    for step in range(MOST):
        if step == last:
            break
        ran = walk.run("-d", f"--kill-step={step}")
        assert "the launching process was killed" in ran.stderr, (step, ran)
        assert ran.status == 125, (step, ran)
        assert walk.settled() == [], step
        killed += 1
    assert killed == last > 40


def test_killed_at_any_moment(walked, croft):
    """Not only between steps: SIGKILL after 0, 0.2, 0.4 … ms, and whatever is left is cleared by the next start."""
    walk = walked("ephemeral")
    for tenth in range(0, 150, 2):
        command = croft.start("run", f"--name={walk.name}", *walk.options, walk.tree, "/probe", "sleep", "60")
        time.sleep(tenth / 10000)
        command.kill()
        command.communicate(timeout=10)
        ran = walk.run()
        assert ran.status == 0, (tenth, ran)
        assert walk.settled() == [], tenth


def test_locks_of_a_killed_start_are_free(walked):
    """The tree and the name can be used by others at once, though nobody has cleared anything."""
    walk = walked("plain")
    assert walk.run("--kill-step=3").status == 137
    walk.processes_end(3)
    other = walk.croft("run", f"--name={walk.name}-other", walk.tree, "/probe", "exit", "0")
    assert other.status == 0, other
    assert (RUN_DIR / "machines" / walk.name).exists()
    assert walk.croft("rm", walk.name).status == 0
    assert walk.settled() == []


def test_killed_after_the_very_last_step(walked, machine):
    walk = walked("plain")
    command = walk.croft.start("run", f"--name={walk.name}", f"--kill-step={walk.points() - 1}", walk.tree, "/probe", "exit", "0",
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command.wait(timeout=10)
    try:
        walk.processes_end("last")
    finally:
        walk.croft("rm", "--force", walk.name)
