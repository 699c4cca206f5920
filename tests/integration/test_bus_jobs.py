"""croftd as programs see it, on a bus of the tests' own (harness/bus.py): long work as jobs, and methods that answer themselves."""

import json
import os
import subprocess

import pytest
from harness.bus import USER, session_bus
from harness.machines import until

NAME, PATH = "org.croft.Croft1", "/org/croft/Croft1"
MANAGER, JOB = f"{NAME}.Manager", f"{NAME}.Job"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the machine files and trees of these tests are."""
    path = tmp_path_factory.mktemp("bus-jobs")
    path.chmod(0o755)
    (path / "machines").mkdir()
    return path


@pytest.fixture(scope="module", autouse=True)
def bus(croft, place):
    os.environ["CROFT_CONFIG_DIR"] = str(place / "machines")
    with session_bus(croft.path.parent / "croftd"):
        yield
    del os.environ["CROFT_CONFIG_DIR"]


def busctl(*words, user=None):
    other = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    return subprocess.run([*other, "busctl", "--system", "--json=short", "--timeout=240", "--", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)


def call(path, interface, method, *arguments, user=None):
    """The answer as a list of values; an error of croftd's fails the test."""
    ran = busctl("call", NAME, path, interface, method, *arguments, user=user)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)["data"] if ran.stdout else []


def prop(job, name):
    ran = busctl("get-property", NAME, job, JOB, name)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)["data"]


def command(verb, *words):
    job, = call(PATH, MANAGER, "Command", "sasa{sv}ah", verb, len(words), *words, 0, 0)
    return job


# ---------------------------------------------------------------- progress and cancel


@pytest.fixture
def large(place):
    """A tree that takes a while to copy: more small files than a moment is enough for."""
    source = place / "large"
    if not source.exists():
        for directory in range(170):
            below = source / f"d{directory}"
            below.mkdir(parents=True)
            for file in range(170):
                (below / f"f{file}").write_text("x" * 100)
    return source


def copied(job):
    """Of "copying /x: 123 files, 1M"; -1: it says nothing."""
    text = prop(job, "Progress")
    return int(text.split(": ")[1].split(" ")[0]) if "files" in text else -1


@pytest.mark.timeout(600)
def test_a_long_copy_tells_how_far_it_is(place, large):
    target = place / "copy-of-large"
    job = command("create", "-q", "copied", f"--from={large}", f"--directory={target}")
    assert prop(job, "Verb") == "create" and prop(job, "Machine") == "copied"
    seen = []

    def grows():
        number = copied(job)
        if number >= 0 and number not in seen:
            seen.append(number)
        return len(seen) > 2 or prop(job, "State") != "running"

    assert until(grows, 200)
    assert len(seen) > 2 and seen == sorted(seen), f"progress: {seen}, then {prop(job, 'State')}"
    assert call(job, JOB, "Wait") == [0]
    assert prop(job, "State") == "done" and prop(job, "Progress") == ""
    assert sum(len(files) for _, _, files in os.walk(target)) == 170 * 170
    call(command("rm", "-q", "--config", "--tree", "copied"), JOB, "Wait")
    assert not target.exists()


@pytest.mark.timeout(600)
def test_cancelling_a_copy_leaves_nothing(place, large):
    target = place / "cancelled"
    before = sorted(path.name for path in place.iterdir())
    job = command("create", "-q", "cancelled", f"--from={large}", f"--directory={target}")
    assert until(lambda: copied(job) > 0, 200)
    call(job, JOB, "Cancel")
    assert until(lambda: prop(job, "State") != "running", 200)
    assert prop(job, "State") == "failed" and prop(job, "Status") == 143
    assert "interrupted, and nothing is left of it" in prop(job, "Message")
    waited = busctl("call", NAME, job, JOB, "Wait")
    assert waited.returncode != 0 and "interrupted" in waited.stderr
    assert sorted(path.name for path in place.iterdir()) == before and list((place / "machines").iterdir()) == []
    # Cancelling what has ended is no error.
    call(job, JOB, "Cancel")


# ---------------------------------------------------------------- Verify and Reload


@pytest.fixture
def mistakes(place):
    """Two machine files: one with a mistake in line 2 and a warning, one that is right but for its tree."""
    wrong, absent = place / "machines/wrong.machine", place / "machines/absent.machine"
    wrong.write_text("[Resources]\nMemoryMax=lots\n[Machine]\nDirectory=/\n")
    absent.write_text("[Machine]\nDirectory=/nowhere/at/all\n")
    yield wrong, absent
    wrong.unlink()
    absent.unlink()


def test_verify_answers_with_findings(mistakes):
    wrong, absent = map(str, mistakes)
    found, = call(PATH, MANAGER, "Verify", "as", 0)
    assert [one[:4] for one in sorted(found)] == [["absent", absent, 0, "error"], ["wrong", wrong, 2, "error"]]
    sentences = {one[0]: one[4] for one in found}
    assert "'lots'" in sentences["wrong"] and not sentences["wrong"].startswith("/")
    assert sentences["absent"] == "the tree '/nowhere/at/all' is not there"
    found, = call(PATH, MANAGER, "Verify", "as", 1, "absent")
    assert [one[0] for one in found] == ["absent"]


def test_verify_of_what_is_right_finds_nothing(place, tree):
    good = place / "machines/good.machine"
    good.write_text(f"[Exec]\nBoot=no\nParameters=true\n[Machine]\nDirectory={tree('app')}\n")
    found, = call(PATH, MANAGER, "Verify", "as", 1, "good")
    assert [one for one in found if one[3] == "error"] == []
    good.unlink()


def test_verify_refuses_what_is_no_declared_machine():
    nobody = busctl("call", NAME, PATH, MANAGER, "Verify", "as", 1, "nobody")
    assert nobody.returncode != 0 and "nobody" in nobody.stderr
    for word in ("/etc/passwd", "../x", "--json", "./x.machine"):
        refused = busctl("call", NAME, PATH, MANAGER, "Verify", "as", 1, word)
        assert refused.returncode != 0 and "name" in refused.stderr, word


def test_reload_says_that_there_is_no_systemd_here():
    refused = busctl("call", NAME, PATH, MANAGER, "Reload")
    assert refused.returncode != 0 and "no systemd on this bus" in refused.stderr


def test_both_are_for_those_who_may_define(mistakes):
    # The rules of these tests let USER do everything, and nobody else.
    found, = call(PATH, MANAGER, "Verify", "as", 0, user=USER)
    assert len(found) == 2
    assert "no systemd" in busctl("call", NAME, PATH, MANAGER, "Reload", user=USER).stderr
    for words in (("Verify", "as", 0), ("Reload",)):
        refused = busctl("call", NAME, PATH, MANAGER, *words, user=65534)
        assert refused.returncode != 0 and ("you may not define or change" in refused.stderr or "denied" in refused.stderr.lower()), refused
