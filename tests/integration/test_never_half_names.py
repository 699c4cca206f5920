"""Two commands on one name at once: one wins, the other says why not. And a keeper that is killed with a machine running:
the next command clears what is left and says so."""

import os
import signal
import time

import pytest
from harness.host import RUN_DIR

PAYLOAD = ["/bin/sleep", "1000"]


def record(name):
    text = (RUN_DIR / "machines" / name / "record").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def pid_of(name, key):
    return next(int(value.split()[0]) for word, value in record(name).items() if word.lower() == key)


def ends(pid, seconds=5):
    until = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not alive(pid)


@pytest.mark.parametrize("round", range(5))
def test_one_wins(croft, tree, machine, round):
    name = machine("one")
    commands = [croft.start("run", "-d", f"--name={name}", "--read-only", tree("app"), *PAYLOAD) for _ in range(6)]
    ended = [(*command.communicate(timeout=60), command.returncode) for command in commands]
    assert sorted(status for _, _, status in ended) == [0] + [125] * 5, ended
    for out, err, status in ended:
        if status:
            assert f"'{name}'".encode() in err and (b"is taken by a machine that is running" in err or b"another command is just starting" in err), err
        else:
            assert out.decode().strip() == name
    assert alive(pid_of(name, "leader"))


def test_a_killed_foreground_command_takes_its_machine_along(croft, tree, machine):
    name = machine("front")
    command = croft.start("run", f"--name={name}", "--read-only", tree("app"), *PAYLOAD)
    until = time.monotonic() + 10
    while time.monotonic() < until and "leader" not in croft("show", name).stdout.lower():
        time.sleep(0.02)
    leader = pid_of(name, "leader")
    command.kill()
    command.communicate(timeout=10)
    assert ends(leader)
    again = croft("run", f"--name={name}", "--read-only", tree("app"), "/bin/true")
    assert again.status == 0
    assert "was lost (its keeper was killed): clearing what it left" in again.stderr


@pytest.mark.parametrize("way", ["run", "rm", "doctor"])
def test_a_killed_keeper(croft, tree, machine, way):
    name = machine("hold")
    croft("run", "-d", f"--name={name}", "--read-only", tree("app"), *PAYLOAD).check()
    leader, keeper = pid_of(name, "leader"), pid_of(name, "keeper")
    os.kill(keeper, signal.SIGKILL)
    assert ends(keeper)
    assert "lost" in croft("list").stdout
    if way == "run":
        ran = croft("run", f"--name={name}", "--read-only", tree("app"), "/bin/true").check()
        assert "was lost (its keeper was killed): clearing what it left" in ran.stderr
    elif way == "rm":
        croft("rm", name).check()
    else:
        ran = croft("doctor", "--repair")
        assert f"machine {name}" in ran.stdout and "Repaired." in ran.stdout
    assert ends(leader)
    assert not (RUN_DIR / "machines" / name).exists()
