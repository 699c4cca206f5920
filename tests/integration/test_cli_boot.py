"""croft boot as a user sees it, on a Debian tree with systemd."""

import json
import re

import pytest
from harness.machines import shown, until


@pytest.fixture(scope="module")
def debian(tree):
    return tree("bookworm")


@pytest.fixture(scope="module")
def booted(croft, debian, nothing_is_left):
    """A booted machine that tests share; none may end it."""
    name = "cli-booted"
    ran = croft("boot", "-d", "--ephemeral", f"--name={name}", debian, timeout=120).check()
    yield name, ran
    croft("rm", "--force", "--quiet", name).check()


def test_boot_says_when_it_is_up(booted):
    name, ran = booted
    assert ran.stdout == name + "\n"
    assert re.fullmatch(rf"croft: machine '{name}' is up after \d+\.\d s\n", ran.stderr)


def test_it_is_a_running_system(croft, booted):
    name, _ = booted
    assert croft("exec", name, "systemctl", "is-system-running", "--wait").stdout.strip() in ("running", "degraded")
    listed, = json.loads(croft("list", "--json", name).stdout)
    assert (listed["kind"], listed["state"], listed["ready"]) == ("system", "running", True)


def test_systemd_knows_its_container(croft, booted):
    name, _ = booted
    assert croft("exec", name, "systemd-detect-virt", "--container").check().stdout.strip() not in ("", "none")
    assert "container=" in croft("exec", name, "cat", "/proc/1/environ").stdout


def test_shell_logs_in_through_pam(terminal, croft, booted):
    name, _ = booted
    on = terminal("shell", name)
    on.send("echo I am $(id -un) on $(tty), login $(shopt -q login_shell && echo yes)\r")
    on.expect(r"I am root on /dev/pts/\d+, login yes")
    on.send("exit\r")
    on.rest()


def test_boot_quietly(croft, debian, machine):
    name = machine("quiet")
    ran = croft("boot", "-dq", "--ephemeral", f"--name={name}", debian, timeout=120)
    assert (ran.stdout, ran.stderr, ran.status) == (name + "\n", "", 0)


def test_without_waiting(croft, debian, machine):
    name = machine("nowait")
    ran = croft("boot", "-d", "--no-wait", "--ephemeral", f"--name={name}", debian)
    assert (ran.stdout, ran.stderr, ran.status) == (name + "\n", "", 0)
    assert until(lambda: shown(croft, name)["ready"])


def test_reboot_and_poweroff_from_outside(croft, debian, machine):
    name = machine("reboot")
    croft("boot", "-d", "--ephemeral", f"--name={name}", debian, timeout=120).check()
    before = shown(croft, name)
    croft("reboot", name).check()
    assert until(lambda: shown(croft, name)["restarts"] == 1 and shown(croft, name)["ready"], 60)
    after = shown(croft, name)
    assert after["leader"] != before["leader"] and after["id_base"] == before["id_base"]
    croft("poweroff", "--wait", name, timeout=60).check()
    assert shown(croft, name)["state"] == "exited" and shown(croft, name)["outcome"]["kind"] == "powered-off"


def test_poweroff_from_inside(croft, debian, machine):
    name = machine("inside")
    croft("boot", "-d", "--ephemeral", f"--name={name}", debian, timeout=120).check()
    croft("exec", name, "systemctl", "poweroff")
    assert croft("wait", name, timeout=60).status == 0


def test_a_console_in_the_foreground(terminal, debian, machine):
    name = machine("console")
    on = terminal("boot", "--ephemeral", f"--name={name}", debian)
    on.expect(rf"machine '{name}' is up after \d+\.\d s", timeout=120)
    on.expect("login:", timeout=60)
    on.send("root\r")
    on.expect("# ", timeout=60)
    on.send("systemctl poweroff\r")
    text, status = on.rest(timeout=60)
    assert status == 0, text


def test_an_init_that_exits_at_once(croft, copy_tree, machine):
    tree = copy_tree("app")
    init = tree / "sbin/init"
    init.write_text("#!/bin/sh\necho this init cannot work\nexit 4\n")
    init.chmod(0o755)
    name = machine("dies")
    ran = croft("boot", "-d", "--notify-ready=yes", f"--name={name}", tree)
    assert ran.status == 125 and ran.stdout == ""
    assert ran.stderr.startswith(f"croft: machine '{name}' ended before it was up: exited with status 4; its last output:\n")
    assert "this init cannot work" in ran.stderr


def test_a_tree_without_an_init(croft, tree, machine):
    ran = croft("boot", "-d", tree("app"))
    assert ran.status == 127 and "no init in" in ran.stderr and len(ran.stderr.splitlines()) == 1
