"""What engines hand over and get back: terminals and pidfds over sockets, descriptors, pid files, sockets of activation."""

import array
import json
import os
import select
import signal
import socket
import subprocess
import time

import pytest
from harness.terminal import Terminal


def with_terminal(config):
    config["process"]["terminal"] = True
    config["process"]["consoleSize"] = {"height": 33, "width": 101}


class Listener:
    """A socket as an engine has it: one connection, one descriptor."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.parent.mkdir(exist_ok=True)
        here = os.open(path.parent, os.O_PATH)  # the path may be longer than an address
        self.socket.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)
        self.socket.listen()
        self.socket.settimeout(20)

    def receive(self):
        connection, _ = self.socket.accept()
        with connection:
            connection.settimeout(20)
            data, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
        (_, kind, payload), = ancillary
        assert kind == socket.SCM_RIGHTS and data
        return data, array.array("i", payload)[0]


@pytest.fixture
def listener(scratch):
    opened = []

    def make(name="console.sock"):
        opened.append(Listener(scratch / name))
        return opened[-1]

    yield make
    for one in opened:
        one.socket.close()


def read_until(master, word, seconds=20):
    seen, end = b"", time.monotonic() + seconds
    while word not in seen and time.monotonic() < end:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            seen += os.read(master, 65536)
        except OSError:
            break
    return seen


@pytest.mark.parametrize("name", ["console.sock", "long-" * 30 + "/console.sock"])
def test_the_console_goes_to_the_socket(oci, bundle, new_id, listener, name):
    engine, name = listener(name), new_id()
    where = bundle("sh", "-c", "stty size; tty; echo typed $(head -n 1)", change=with_terminal)
    oci.create(name, where, "--console-socket", engine.path)
    _, master = engine.receive()
    oci("start", name).check()
    os.write(master, b"words\n")
    seen = read_until(master, b"typed words")
    assert b"33 101" in seen and b"/dev/" in seen and b"typed words" in seen
    os.close(master)


def test_a_terminal_needs_somebody(oci, bundle, new_id, scratch):
    ran = oci("create", new_id(), bundle=bundle("true", change=with_terminal))
    assert ran.status == 1 and "--console-socket" in ran.stderr
    ran = oci("create", "--console-socket", scratch / "none.sock", new_id(), bundle=bundle("true", change=with_terminal))
    assert ran.status == 1 and "none.sock" in ran.stderr
    ran = oci("create", "--console-socket", scratch / "none.sock", new_id(), bundle=bundle("true"))
    assert ran.status == 1 and "terminal" in ran.stderr


def test_run_in_a_terminal(oci, bundle, new_id):
    where = bundle("sh", "-c", "tty; stty size; read word; echo got $word; exit 6", change=with_terminal)
    shown = Terminal(oci.words("run", new_id(), bundle=where), rows=40, columns=120)
    shown.expect(r"/dev/\S+")
    shown.send("hello\r")
    shown.expect("got hello")
    assert shown.child.wait(timeout=20) == 6


def test_exec_in_a_terminal(oci, sleeper, listener):
    engine = listener()
    oci("exec", "--tty", "--detach", "--console-socket", engine.path, sleeper, "sh", "-c", "tty; echo here").check()
    _, master = engine.receive()
    assert b"here" in read_until(master, b"here")
    os.close(master)


def test_the_pidfd_goes_to_the_socket(oci, bundle, new_id, listener):
    engine, name = listener("pidfd.sock"), new_id()
    oci.create(name, bundle("sleep", "600"), "--pidfd-socket", engine.path)
    _, pidfd = engine.receive()
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    oci.until(name, "stopped")
    os.close(pidfd)


def test_the_pid_file(oci, bundle, new_id, scratch):
    name, path = new_id(), scratch / "pid"
    oci.create(name, bundle("sleep", "600"), "--pid-file", path)
    assert path.read_text() == str(oci.state(name)["pid"])
    assert oci("create", "--pid-file", scratch / "no/pid", new_id(), bundle=bundle("true")).status == 1


def test_descriptors(oci, bundle, new_id, scratch):
    """3 and 4 are kept, 5 is not."""
    opened = [os.open(scratch, os.O_RDONLY), *(os.open("/dev/null", os.O_RDONLY) for _ in range(8))]
    read, write = os.pipe()

    def place():
        os.dup2(write, 200, inheritable=True)
        os.dup2(200, 3, inheritable=True)
        os.dup2(200, 4, inheritable=True)
        os.dup2(200, 5, inheritable=True)

    script = "for f in 3 4 5 6 7 8 9 200; do test -e /proc/self/fd/$f && echo $f; done; echo said >&3"
    ran = oci("run", "--preserve-fds", "2", new_id(), bundle=bundle("sh", "-c", script), close_fds=False, preexec_fn=place)
    os.close(write)
    for fd in opened:
        os.close(fd)
    assert ran.check().stdout.split()[:2] == ["3", "4"] and "5" not in ran.stdout.split() and "200" not in ran.stdout.split()
    assert os.read(read, 100) == b"said\n"
    os.close(read)


def test_nothing_else_is_handed_in(oci, bundle, new_id):
    ran = oci("run", new_id(), bundle=bundle("sh", "-c", "ls -l /proc/self/fd"), close_fds=False,
              preexec_fn=lambda: os.dup2(2, 7, inheritable=True))
    links = [line.split()[-3] for line in ran.check().stdout.splitlines() if "->" in line]
    assert set(links) <= {"0", "1", "2", "3"}  # 3 is ls' own


def test_sockets_of_activation(oci, bundle, new_id):
    words = oci.words("run", new_id(), bundle=bundle("sh", "-c", "echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; test -e /proc/self/fd/3"))
    # The shell is the process that becomes croft-oci.
    script = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@" 3>&2'
    ran = subprocess.run(["sh", "-c", script, "sh", *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, text=True)
    assert (ran.returncode, ran.stdout) == (0, "1 1 web\n"), ran.stderr


def test_a_closed_standard_stream(oci, bundle, new_id):
    words = oci.words("run", new_id(), bundle=bundle("true"))
    assert subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *words], timeout=60).returncode == 0


# ---------------------------------------------------------------- hooks


def hook_script(scratch, log, name, more=""):
    path = scratch / f"hook-{name}"
    path.write_text(f"#!/bin/sh\necho {name} $(cat | tr -d ' \\n') >>{log}\n{more}\n")
    path.chmod(0o755)
    return {"path": str(path), "args": [name], "env": ["PATH=/usr/bin:/bin"]}


def test_hooks_in_their_order(oci, bundle, new_id, scratch):
    log = scratch / "log"

    def change(config):
        config["hooks"] = {kind: [hook_script(scratch, log, f"{kind}{n}") for n in (1, 2)]
                           for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")}
        config["annotations"] = {"org.example.key": "value"}

    name = new_id()
    oci.create(name, bundle("sleep", "600", change=change))
    created = ["prestart1", "prestart2", "createRuntime1", "createRuntime2", "createContainer1", "createContainer2"]
    assert [line.split()[0] for line in log.read_text().splitlines()] == created
    oci("start", name).check()
    oci("kill", name, "KILL").check()
    oci.until(name, "stopped")
    oci("delete", name).check()
    lines = [line.split(" ", 1) for line in log.read_text().splitlines()]
    assert [line[0] for line in lines] == [*created, "poststart1", "poststart2", "poststop1", "poststop2"]
    states = {line[0]: json.loads(line[1]) for line in lines}
    assert {state["id"] for state in states.values()} == {name}
    assert states["createRuntime1"]["status"] in ("creating", "created") and states["createRuntime1"]["pid"] > 0
    assert states["poststart1"]["status"] == "running" and states["poststop1"]["status"] == "stopped"
    assert states["poststart1"]["annotations"] == {"org.example.key": "value"}


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_a_hook_that_fails_undoes_the_creation(oci, bundle, new_id, scratch, kind):
    log, name = scratch / "log", new_id()

    def change(config):
        config["hooks"] = {kind: [hook_script(scratch, log, "bad", "exit 3")], "poststop": [hook_script(scratch, log, "after")]}

    ran = oci("create", name, bundle=bundle("true", change=change))
    assert ran.status == 1 and kind in ran.stderr and "does not exist" in oci("state", name).stderr
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["bad", "after"]


def test_a_poststart_hook_that_fails_ends_the_container(oci, bundle, new_id, scratch):
    name = new_id()
    oci.create(name, bundle("sleep", "600", change=lambda config: config.update(
        hooks={"poststart": [hook_script(scratch, scratch / "log", "bad", "exit 3")]})))
    assert oci("start", name).status == 1
    assert "does not exist" in oci("state", name).stderr


def test_a_poststop_hook_that_fails_is_a_warning(oci, bundle, new_id, scratch):
    log = scratch / "log"
    ran = oci("run", new_id(), bundle=bundle("true", change=lambda config: config.update(
        hooks={"poststop": [hook_script(scratch, log, "bad", "exit 3"), hook_script(scratch, log, "good")]})))
    assert ran.status == 0 and "poststop" in ran.stderr
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["bad", "good"]


def test_hooks_that_hang_or_do_not_read(oci, bundle, new_id, scratch):
    hang = {"path": "/bin/sleep", "args": ["sleep", "600"], "timeout": 1}
    ran = oci("create", new_id(), bundle=bundle("true", change=lambda config: config.update(hooks={"createRuntime": [hang]})))
    assert ran.status == 1
    deaf = {"path": "/bin/true"}
    everywhere = {kind: [deaf] for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")}
    oci("run", new_id(), bundle=bundle("true", change=lambda config: config.update(hooks=everywhere))).check()
