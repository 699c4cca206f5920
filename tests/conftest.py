"""What the integration tests share: croft as a program, trees, guest programs, terminals, and a check for leaks.

    def test_hostname(croft, tree):
        ran = croft("run", "--hostname=web", tree("app"), "hostname")
        assert (ran.status, ran.stdout) == (0, "web\\n")

Each session has a run directory, a cgroup and a state directory of its own (CROFT_RUN_DIR, CROFT_CGROUP,
CROFT_STATE_DIR), so that two sessions on one host do not meet, and a session's leaks are its own.
"""

import contextlib
import dataclasses
import functools
import os
import pathlib
import shutil
import subprocess
import time

import pytest
from harness.bus import session_bus
from harness.host import CONFIG_DIR, RUN_DIR, SESSION, STATE_DIR, cgroups, leftovers, mounts_below, new_leftovers
from harness.terminal import Terminal, shell_status

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("CROFT_BUILD", ROOT / "build"))
PROGRAM = BUILD / "src/apps/croft"
# The same tests for a user who is not root, through croftd (harness/bus.py). What is in front of a verb's words then.
OVER_BUS = os.environ.get("CROFT_OVER_BUS") == "1"
COMMAND = [PROGRAM]


@dataclasses.dataclass
class Ran:
    status: int  # the exit status; 128+n for a signal, as a shell says it
    stdout: str
    stderr: str
    seconds: float

    def check(self):
        assert self.status == 0, f"exit status {self.status}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        return self


# ---------------------------------------------------------------- the program


@pytest.fixture(scope="session", autouse=True)
def session_directories():
    """This session's own run and state directories. Nothing of it is left, whatever tests did."""
    os.environ.update(CROFT_RUN_DIR=str(RUN_DIR), CROFT_STATE_DIR=str(STATE_DIR), CROFT_CGROUP=SESSION)
    if OVER_BUS:  # croftd is told once where machine files are; tests take turns in there
        CONFIG_DIR.mkdir(mode=0o755)
        os.environ["CROFT_CONFIG_DIR"] = str(CONFIG_DIR)
    with session_bus(PROGRAM.parent / "croftd") if OVER_BUS else contextlib.nullcontext([]) as other_user:
        COMMAND[:] = [*other_user, PROGRAM, *(["--system"] if other_user else [])]
        yield
        if OVER_BUS:
            assert list(RUN_DIR.glob("jobs/*")), "croftd was never asked for anything: these tests did not go over the bus"
    if PROGRAM.exists():
        subprocess.run([PROGRAM, "rm", "--force", "--all", "--quiet"], stdin=subprocess.DEVNULL, timeout=120)
    for mount in mounts_below(RUN_DIR, STATE_DIR):
        subprocess.run(["umount", "-l", mount])
    for directory in cgroups():
        with contextlib.suppress(OSError):
            os.rmdir(directory)
    shutil.rmtree(RUN_DIR, ignore_errors=True)
    shutil.rmtree(STATE_DIR, ignore_errors=True)
    shutil.rmtree(CONFIG_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def in_process_only(request):
    marker = request.node.get_closest_marker("in_process")
    if marker and OVER_BUS:
        pytest.skip(marker.args[0])


def run_program(*words, timeout=60, stdin=None, env=None, **more):
    """Runs croft with these words and waits. `stdin` is text or bytes to feed; without it, it reads /dev/null."""
    began = time.monotonic()
    text = stdin.encode() if isinstance(stdin, str) else stdin
    feed = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    child = subprocess.run([*COMMAND, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                           env={**os.environ, **(env or {})}, **feed, **more)
    return Ran(shell_status(child.returncode), child.stdout.decode(errors="replace"), child.stderr.decode(errors="replace"),
               time.monotonic() - began)


@pytest.fixture(scope="session")
def croft(session_directories):
    """croft(WORD…, timeout=, stdin=, env=, cwd=, …) → Ran(status, stdout, stderr, seconds). croft.start(WORD…) gives a
    running subprocess.Popen with three pipes instead."""
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not built: ninja -C {BUILD}")

    def call(*words, **more):
        return run_program(*words, **more)

    def start(*words, env=None, **more):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen([*COMMAND, *map(str, words)], env={**os.environ, **(env or {})}, **pipes)

    call.start = start
    call.path = PROGRAM
    return call


# ---------------------------------------------------------------- trees, directories, names


@functools.cache
def kept_tree(name):
    made = subprocess.run([ROOT / "tests/trees/make", name], stdout=subprocess.PIPE, text=True)
    assert made.returncode == 0, f"tests/trees/make {name} failed"
    return pathlib.Path(made.stdout.strip())


def copy_of(name, target):
    subprocess.run(["cp", "-a", "--reflink=auto", kept_tree(name), target], check=True)
    return target


@pytest.fixture(scope="session")
def tree():
    """tree(NAME): this session's copy of the tree of that name (tests/trees/recipes.sh). All tests share it, and a
    machine may hold it alone: one that does not write to it takes it --read-only or --ephemeral, one that does, and
    lives longer than a moment, takes a copy_tree."""
    home = pathlib.Path("/var/tmp") / f"{SESSION}-trees"
    home.mkdir(mode=0o755)
    yield functools.cache(lambda name: copy_of(name, home / name))
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def copy_tree(scratch):
    """copy_tree(NAME): a copy of a tree that is this test's own."""
    return lambda name: copy_of(name, scratch / f"tree-{name}")


@pytest.fixture
def scratch():
    """An empty directory of this test, on a disk (not a tmpfs), that every user may pass through."""
    path = pathlib.Path("/var/tmp") / f"{SESSION}-{next_number()}"
    path.mkdir(mode=0o755)
    yield path
    for mount in mounts_below(path):
        subprocess.run(["umount", "-l", mount])
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def config(scratch, monkeypatch):
    """The only directory of machine files that croft looks at in this test."""
    if not OVER_BUS:
        path = scratch / "machines"
        path.mkdir()
        monkeypatch.setenv("CROFT_CONFIG_DIR", str(path))
        yield path
        return
    yield CONFIG_DIR
    for mount in mounts_below(CONFIG_DIR):
        subprocess.run(["umount", "-l", mount])
    for left in CONFIG_DIR.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()


@pytest.fixture(scope="session")
def guest():
    """guest(NAME): a static program of tests/guest, to be put into a tree or bound into a machine."""
    def find(name):
        path = BUILD / "tests/guest" / name
        if not path.exists():
            pytest.fail(f"{path} is not built: ninja -C {BUILD}")
        return path
    return find


numbers = iter(range(1, 1 << 30))


def next_number():
    return next(numbers)


@pytest.fixture
def machine(croft):
    """machine(): a name that no other machine has. What bears it is removed after the test, alive or not."""
    names = []

    def name(word="m"):
        names.append(f"{word}-{os.getpid()}-{next_number()}")
        return names[-1]

    yield name
    for each in names:
        croft("rm", "--force", "--quiet", each)


# ---------------------------------------------------------------- terminals


@pytest.fixture
def terminal(croft):
    """terminal(WORD…, rows=, columns=, env=): croft with these words on a terminal → Terminal."""
    started = []

    def start(*words, **more):
        started.append(Terminal([*COMMAND, *words], **more))
        return started[-1]

    yield start
    for each in started:
        each.close()


# ---------------------------------------------------------------- leaks


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left(session_directories):
    """After a module's tests nothing of their machines is left: no mount, cgroup, file, lock or loop device."""
    before = leftovers()
    yield
    until = time.monotonic() + 5  # a keeper removes the last of a machine a moment after its end
    while new_leftovers(before) and time.monotonic() < until:
        time.sleep(0.05)
    left = new_leftovers(before)
    assert not left, "the tests of this module left behind:\n  " + "\n  ".join(left)
