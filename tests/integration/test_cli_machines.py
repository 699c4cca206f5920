"""Living with machines: list, show, logs, exec, cp, bind, stop and the rest, on detached machines of the `app` tree."""

import fcntl
import json
import os
import re
import select
import struct
import time

import pytest


@pytest.fixture(scope="module")
def app(tree):
    return tree("app")


@pytest.fixture
def sleeper(croft, app, machine):
    """The name of a machine that sleeps."""
    name = machine("sleeper")
    croft("run", "-d", "-q", f"--name={name}", app, "sleep", "600").check()
    return name


def state(croft, name):
    return json.loads(croft("show", "--json", name).check().stdout)[0]["state"]


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


# ---------------------------------------------------------------- seeing


def test_run_detached_prints_the_name(croft, app, machine):
    name = machine("named")
    ran = croft("run", "-d", f"--name={name}", app, "sleep", "600")
    assert (ran.stdout, ran.stderr, ran.status) == (name + "\n", "", 0)


def test_run_detached_as_json(croft, app, machine):
    name = machine("json")
    told = json.loads(croft("run", "-d", "--json", f"--name={name}", app, "sleep", "600").check().stdout)
    assert told["name"] == name and told["outcome"]["kind"] == "running"
    assert os.path.exists(f"/proc/{told['leader']}")


def test_list(croft, sleeper):
    row = re.search(rf"^{sleeper} +running +app +(\d+) ", croft("list").stdout, re.M)
    assert row and os.path.exists(f"/proc/{row[1]}")
    assert croft("list", "-q", sleeper).stdout == sleeper + "\n"
    assert croft("list", "-q", sleeper[:-1] + "?").stdout == sleeper + "\n"
    assert croft("list", "-q", "no-such-*").stdout == ""
    assert croft("list", "--no-legend", sleeper).stdout.count("\n") == 1


def test_list_as_json(croft, sleeper):
    listed, = json.loads(croft("list", "--json", sleeper).stdout)
    assert listed["state"] == "running" and listed["command"] == ["sleep", "600"] and listed["outcome"] is None
    assert listed["id_base"] >= 65536 and listed["detached"] is True
    assert json.loads(croft("list", "--json", "no-such-*").stdout) == []


def test_show(croft, sleeper, app):
    text = croft("show", sleeper).check().stdout
    assert text.startswith(sleeper + "\n")
    for word in ("State", "running since", "Leader", str(app), "Mounts", "/proc"):
        assert word in text, word
    shown, = json.loads(croft("show", "--json", sleeper).stdout)
    assert shown["processes"] == 1 and "/proc" in [mount["target"] for mount in shown["mounts"]]


def test_a_machine_that_failed_says_why(croft, app, machine):
    name = machine("failing")
    croft("run", "-d", "-q", f"--name={name}", app, "sh", "-c", "echo last words; exit 3").check()
    assert croft("wait", name).status == 3
    assert until(lambda: state(croft, name) == "failed")
    shown, = json.loads(croft("show", "--json", name).stdout)
    assert shown["outcome"]["exit_status"] == 3 and "last words" in shown["last_output"] and shown["why"]
    text = croft("show", name).stdout
    assert "failed" in text and "last words" in text


def test_logs(croft, app, machine):
    name = machine("logs")
    croft("run", "-d", "-q", f"--name={name}", app, "sh", "-c", "echo one; echo two >&2; echo three").check()
    croft("wait", name)
    assert croft("logs", name).stdout == "one\ntwo\nthree\n"
    assert croft("logs", "-n", "1", name).stdout == "three\n"


def test_following_a_log_ends_with_the_machine(croft, app, machine):
    name = machine("follow")
    croft("run", "-d", "-q", f"--name={name}", app, "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done").check()
    ran = croft("logs", "-f", name, timeout=20)
    assert (ran.stdout, ran.status) == ("1\n2\n3\n", 0)


def test_a_log_cannot_write_to_the_terminal(croft, terminal, app, machine):
    name = machine("hostile")
    croft("run", "-d", "-q", f"--name={name}", app, "printf", "a\\033]0;title\\007b\\n").check()
    croft("wait", name)
    assert croft("logs", name).stdout == "a\x1b]0;title\x07b\n", "a pipe gets the bytes"
    shown, status = terminal("logs", name).rest()
    assert shown == "ab\r\n" and status == 0


# ---------------------------------------------------------------- inside


def test_exec(croft, sleeper):
    ran = croft("exec", sleeper, "sh", "-c", "echo out; echo err >&2; exit 9")
    assert (ran.stdout, ran.stderr, ran.status) == ("out\n", "err\n", 9)
    assert croft("exec", sleeper, "cat", stdin="through\n").stdout == "through\n"
    assert croft("exec", "--no-stdin", sleeper, "cat", stdin="not through\n").stdout == ""


def test_exec_options(croft, sleeper):
    ran = croft("exec", "-u", "app", "-w", "/tmp", "-e", "WORD=x", sleeper, "sh", "-c", "id -u; id -g; pwd; echo $WORD")
    assert ran.stdout == "1000\n1000\n/tmp\nx\n"


def test_exec_failures(croft, sleeper):
    assert croft("exec", sleeper, "no-such-command").status == 127
    assert croft("exec", sleeper, "/etc/passwd").status == 126
    assert croft("exec", "no-such-machine", "true").status == 125
    assert croft("exec", "-u", "nobody-knows", sleeper, "true").status == 125
    assert croft("exec", sleeper, "sh", "-c", "kill -9 $$").status == 137


def test_exec_shares_the_machines_world(croft, sleeper):
    assert croft("exec", sleeper, "hostname").stdout == sleeper + "\n"
    assert "sleep 600" in croft("exec", sleeper, "ps").stdout


def test_exec_on_a_terminal(terminal, sleeper):
    on = terminal("exec", "-t", sleeper, "sh", "-c", "tty && stty size", rows=21, columns=67)
    on.expect("/dev/")
    on.expect("21 67")
    assert on.rest()[1] == 0


def test_shell(terminal, sleeper):
    on = terminal("shell", f"app@{sleeper}")
    on.send("echo I am $(id -un) in $PWD\r")
    on.expect("I am app in /home/app")
    on.send("exit 6\r")
    on.rest()


def test_cp_in_and_out(croft, sleeper, scratch):
    (scratch / "d").mkdir()
    (scratch / "d/file").write_text("content\n")
    (scratch / "d/link").symlink_to("file")
    os.chmod(scratch / "d/file", 0o640)
    croft("cp", scratch / "d", f"{sleeper}:/tmp/").check()
    assert croft("exec", sleeper, "stat", "-c", "%a %u %g", "/tmp/d/file").stdout == "640 0 0\n"
    assert croft("exec", sleeper, "readlink", "/tmp/d/link").stdout == "file\n"
    croft("exec", sleeper, "sh", "-c", "echo more >> /tmp/d/file; chown 1000:1000 /tmp/d/file").check()
    croft("cp", f"{sleeper}:/tmp/d", scratch / "back").check()
    assert (scratch / "back/file").read_text() == "content\nmore\n"
    assert (scratch / "back/file").stat().st_uid == 1000
    croft("exec", sleeper, "rm", "-r", "/tmp/d").check()


def test_cp_failures(croft, sleeper, scratch):
    ran = croft("cp", f"{sleeper}:/no/such/file", scratch)
    assert ran.status == 3 and "/no/such/file" in ran.stderr
    ran = croft("cp", scratch / "nothing", f"{sleeper}:/tmp/")
    assert ran.status == 3 and "nothing" in ran.stderr


def test_bind_and_unbind(croft, sleeper, scratch):
    (scratch / "file").write_text("bound\n")
    croft("bind", "--mkdir", "-r", sleeper, scratch, "/mnt/x").check()
    assert croft("exec", sleeper, "cat", "/mnt/x/file").stdout == "bound\n"
    assert croft("exec", sleeper, "touch", "/mnt/x/new").status != 0
    croft("unbind", sleeper, "/mnt/x").check()
    assert croft("exec", sleeper, "ls", "/mnt/x").stdout == ""
    croft("exec", sleeper, "rmdir", "/mnt/x").check()
    assert croft("unbind", sleeper, "/mnt").status != 0


# ---------------------------------------------------------------- the end


def test_stop(croft, app, machine):
    name = machine("stop")
    croft("run", "-d", "-q", f"--name={name}", app, "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done").check()
    stopped, = json.loads(croft("stop", "--json", name).check().stdout)
    assert stopped["name"] == name and stopped["outcome"]["kind"] in ("stopped", "exited") and stopped["hung"] == []


def test_stop_kills_and_names_what_hangs(croft, app, machine):
    name = machine("hang")
    croft("run", "-d", "-q", f"--name={name}", app, "sh", "-c", "trap : TERM; echo up; while :; do sleep 0.05; done").check()
    assert until(lambda: croft("logs", name).stdout == "up\n")
    ran = croft("stop", "--timeout=300ms", name)
    assert ran.status == 0
    assert re.search(rf"machine '{name}' did not end in time and was killed; still there: \d+ \(", ran.stderr)


def test_stop_now(croft, sleeper):
    # The sleeper is PID 1 without a handler, so anything gentler would wait for the whole stop timeout of 90 s.
    croft("stop", "--now", sleeper, timeout=60).check()
    assert state(croft, sleeper) in ("exited", "failed")


def test_stopping_twice_says_so(croft, sleeper):
    croft("stop", "--now", sleeper).check()
    ran = croft("stop", sleeper)
    assert ran.status == 6 and sleeper in ran.stderr


def test_kill(croft, app, machine):
    name = machine("kill")
    croft("run", "-d", "-q", f"--name={name}", app, "sh", "-c", "trap 'exit 21' HUP; echo up; while :; do sleep 0.05; done").check()
    assert until(lambda: croft("logs", name).stdout == "up\n")
    croft("kill", "--signal=HUP", name).check()
    assert croft("wait", name).status == 21
    assert croft("kill", "-s", "NOSUCH", name).status == 2


def test_wait_as_json(croft, app, machine):
    name = machine("wait")
    croft("run", "-d", "-q", f"--name={name}", app, "sh", "-c", "exit 5").check()
    ran = croft("wait", "--json", name)
    assert ran.status == 5 and json.loads(ran.stdout)["outcome"]["status"] == 5


def test_pause_and_resume(croft, sleeper):
    croft("pause", sleeper).check()
    assert state(croft, sleeper) == "frozen"
    croft("unpause", sleeper).check()
    assert state(croft, sleeper) == "running"
    assert croft("resume", sleeper).status == 6


def test_rm(croft, app, machine, sleeper):
    ran = croft("rm", sleeper)
    assert ran.status == 6 and sleeper in ran.stderr, "alive: refused"
    croft("rm", "--force", sleeper).check()
    assert croft("show", sleeper).status == 3
    name = machine("gone")
    croft("run", "-d", "-q", "--rm", f"--name={name}", app, "true").check()
    assert until(lambda: croft("show", name).status == 3), "--rm leaves nothing"


def test_poweroff_is_for_systems(croft, sleeper):
    ran = croft("poweroff", sleeper)
    assert ran.status in (6, 8) and sleeper in ran.stderr


def test_stop_all(croft, app, machine):
    names = [machine("all") for _ in range(3)]
    for name in names:
        croft("run", "-d", "-q", "--read-only", f"--name={name}", app, "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done").check()
    stopped = json.loads(croft("stop", "--all", "--json").check().stdout)
    assert {one["name"] for one in stopped} >= set(names)


def test_doctor(croft):
    findings = json.loads(croft("doctor", "--json").stdout)
    assert findings and {finding["level"] for finding in findings} <= {"ok", "note", "problem"}
    text = croft("doctor").stdout
    assert all(finding["topic"] in text.replace("\n         ", " ") for finding in findings)


def test_doctor_clears_locks_that_nobody_holds(croft):
    os.makedirs("/run/systemd/nspawn-uid", exist_ok=True)
    free, held = "/run/systemd/nspawn-uid/4242", "/run/systemd/nspawn-uid/4343"
    open(free, "w").close()
    with open(held, "w") as file:
        try:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
            ran = croft("doctor", "--repair")
            assert free in ran.stdout.replace("\n         ", "") and held not in ran.stdout
            assert not os.path.exists(free) and os.path.exists(held)
        finally:
            os.unlink(held)


def test_detached_keeps_nothing_of_its_callers(croft, app, machine):
    """A pipe of the caller's at 3 or above ends for its reader although the machine lives."""
    name = machine("pipes")
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    croft("run", "-d", "-q", "--read-only", f"--name={name}", app, "sleep", "600", pass_fds=[theirs]).check()
    os.close(theirs)
    with open(ours, "rb") as reader:
        assert select.select([reader], [], [], 30)[0] and reader.read() == b""
