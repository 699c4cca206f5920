"""What the integration tests share: croft as a program, trees, guest programs, terminals, and a check for leaks.

    def test_hostname(croft, tree):
        ran = croft("run", "--hostname=web", tree("app"), "hostname")
        assert (ran.status, ran.stdout) == (0, "web\\n")

Each session has a run directory, a cgroup and a state directory of its own (CROFT_RUN_DIR, CROFT_CGROUP,
CROFT_STATE_DIR), so that two sessions on one host do not meet, and a session's leaks are its own.
"""

import contextlib
import dataclasses
import fcntl
import functools
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("CROFT_BUILD", ROOT / "build"))
PROGRAM = BUILD / "src/apps/croft"
SESSION = f"croft-test-{os.getpid()}"
RUN_DIR = pathlib.Path("/run") / SESSION
STATE_DIR = pathlib.Path("/var/lib") / SESSION
# In a test run that has the host for itself every change counts as a leak, not only what bears our names.
WHOLE_HOST = os.environ.get("CROFT_LEAKS") == "host"


@dataclasses.dataclass
class Ran:
    status: int  # the exit status; 128+n for a signal, as a shell says it
    stdout: str
    stderr: str
    seconds: float

    def check(self):
        assert self.status == 0, f"exit status {self.status}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        return self


def shell_status(returncode):
    return returncode if returncode >= 0 else 128 - returncode


# ---------------------------------------------------------------- the program


@pytest.fixture(scope="session", autouse=True)
def session_directories(tmp_path_factory):
    """This session's own run, state and helper directories. Nothing of it is left, whatever tests did."""
    helpers = tmp_path_factory.mktemp("helpers")
    for path in (BUILD / "src/apps").glob("*/croft-*"):
        if path.is_file() and os.access(path, os.X_OK):
            shutil.copy(path, helpers)
    os.environ.update(CROFT_RUN_DIR=str(RUN_DIR), CROFT_STATE_DIR=str(STATE_DIR), CROFT_CGROUP=SESSION, CROFT_HELPER_DIR=str(helpers))
    yield
    if PROGRAM.exists():
        subprocess.run([PROGRAM, "rm", "--force", "--all", "--quiet"], stdin=subprocess.DEVNULL, timeout=120)
    for mount in sorted(mounts_below(RUN_DIR, STATE_DIR), reverse=True):
        subprocess.run(["umount", "-l", mount])
    for directory in cgroups():
        with contextlib.suppress(OSError):
            os.rmdir(directory)
    shutil.rmtree(RUN_DIR, ignore_errors=True)
    shutil.rmtree(STATE_DIR, ignore_errors=True)


def run_program(*words, timeout=60, stdin=None, env=None, **more):
    """Runs croft with these words and waits. `stdin` is text or bytes to feed; without it, it reads /dev/null."""
    began = time.monotonic()
    text = stdin.encode() if isinstance(stdin, str) else stdin
    feed = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    child = subprocess.run([PROGRAM, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                           env={**os.environ, **(env or {})}, **feed, **more)
    return Ran(shell_status(child.returncode), child.stdout.decode(errors="replace"), child.stderr.decode(errors="replace"),
               time.monotonic() - began)


@pytest.fixture(scope="session")
def croft(session_directories):
    """croft(WORD…, timeout=, stdin=, env=, cwd=, …) → Ran(status, stdout, stderr, seconds). croft.start(WORD…) gives a
    running subprocess.Popen with three pipes instead."""
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")

    def call(*words, **more):
        return run_program(*words, **more)

    def start(*words, env=None, **more):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen([PROGRAM, *map(str, words)], env={**os.environ, **(env or {})}, **pipes)

    call.start = start
    call.path = PROGRAM
    return call


# ---------------------------------------------------------------- trees, directories, names


@functools.cache
def kept_tree(name):
    made = subprocess.run([ROOT / "tests/trees/make", name], stdout=subprocess.PIPE, text=True)
    assert made.returncode == 0, f"tests/trees/make {name} failed"
    return pathlib.Path(made.stdout.strip())


@pytest.fixture(scope="session")
def tree():
    """tree(NAME): the kept tree of that name (tests/trees/recipes.sh). Shared by all: do not write to it; boot it with
    --ephemeral, or take a copy_tree."""
    return kept_tree


@pytest.fixture
def copy_tree(scratch):
    """copy_tree(NAME): a copy of a kept tree that this test may write to."""
    def copy(name):
        target = scratch / f"tree-{name}"
        subprocess.run(["cp", "-a", "--reflink=auto", kept_tree(name), target], check=True)
        return target
    return copy


@pytest.fixture
def scratch():
    """An empty directory of this test, on a disk (not a tmpfs), that every user may pass through."""
    path = pathlib.Path("/var/tmp") / f"{SESSION}-{next_number()}"
    path.mkdir(mode=0o755)
    yield path
    for mount in sorted(mounts_below(path), reverse=True):
        subprocess.run(["umount", "-l", mount])
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def guest():
    """guest(NAME): a static program of tests/guest, to be put into a tree or bound into a machine."""
    def find(name):
        path = BUILD / "tests/guest" / name
        if not path.exists():
            pytest.skip(f"{path} is not built")
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


class Terminal:
    """A program on a terminal of its own, driven from the other end."""

    def __init__(self, words, rows=24, columns=80, env=None):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.seen = b""
        self.child = subprocess.Popen([str(word) for word in words], stdin=slave, stdout=slave, stderr=slave,
                                      env={**os.environ, "TERM": "xterm", **(env or {})}, start_new_session=True,
                                      preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def resize(self, rows, columns):
        """The kernel tells the program with SIGWINCH, as it does when a window is drawn larger."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self):
        """termios.tcgetattr of the terminal: is it raw, does it echo?"""
        return termios.tcgetattr(self.master)

    def send(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def read_some(self, seconds):
        if not select.select([self.master], [], [], max(0, seconds))[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return None
        self.seen += data
        return bool(data)

    def expect(self, pattern, timeout=30):
        """Reads until the regular expression appears; returns the match and forgets what came up to its end."""
        until = time.monotonic() + timeout
        wanted = re.compile(pattern.encode() if isinstance(pattern, str) else pattern)
        while True:
            found = wanted.search(self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return found
            left = until - time.monotonic()
            if left <= 0 or self.read_some(left) is None:
                raise AssertionError(f"{pattern!r} did not come in {timeout} s; what came: {self.seen!r}")

    def rest(self, timeout=30):
        """Everything until the program ends, and its exit status."""
        until = time.monotonic() + timeout
        while time.monotonic() < until and self.read_some(0.1) is not None:
            if self.child.poll() is not None and not self.read_some(0):
                break
        return self.seen.decode(errors="replace"), shell_status(self.child.wait(max(0.1, until - time.monotonic())))

    def close(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        os.close(self.master)


@pytest.fixture
def terminal(croft):
    """terminal(WORD…, rows=, columns=, env=): croft with these words on a terminal → Terminal."""
    started = []

    def start(*words, **more):
        started.append(Terminal([PROGRAM, *words], **more))
        return started[-1]

    yield start
    for each in started:
        each.close()


# ---------------------------------------------------------------- leaks


def mount_points():
    with open("/proc/self/mountinfo") as table:
        return [line.split()[4] for line in table]


def mounts_below(*directories):
    return [point for point in mount_points() if any(point.startswith(f"{directory}/") for directory in directories)]


@functools.cache
def cgroup_root():
    with open("/proc/self/mountinfo") as table:
        for line in table:
            before, _, after = line.partition(" - ")
            if after.split()[0] == "cgroup2":
                return pathlib.Path(before.split()[4])
    return None


def cgroups():
    """This session's cgroups, those inside before those around."""
    top = cgroup_root() / SESSION if cgroup_root() else None
    return [directory for directory, _, _ in os.walk(top, topdown=False)] if top else []


def leftovers():
    """What a machine may leave behind: name → how often. The session's stage is kept on purpose (it saves every later
    start the work), and so are the empty directories around the machines."""
    found = {}

    def add(kind, name):
        found[f"{kind} {name}"] = found.get(f"{kind} {name}", 0) + 1

    for point in mount_points():
        if WHOLE_HOST or SESSION in point:
            if point != f"{RUN_DIR}/stage":
                add("mount", point)
    for directory in cgroups():
        if directory != str(cgroup_root() / SESSION):
            add("cgroup", directory)
    for pattern in ("machines/*", "uids/*", "locks/*"):
        for path in RUN_DIR.glob(pattern):
            add("file", path)
    for path in (STATE_DIR / "scratch").glob("*"):
        add("file", path)
    for loop in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            backing = loop.read_text().strip()
            if WHOLE_HOST or SESSION in backing:
                add("loop device", backing)
    return found


def new_leftovers(before):
    return [f"{name} ({count - before.get(name, 0)} more)" for name, count in leftovers().items() if count > before.get(name, 0)]


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
