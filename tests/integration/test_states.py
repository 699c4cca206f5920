"""The states of a machine, and which verb is for which: on a declared machine that goes through all of them."""

import json
import os
import pathlib
import signal

import pytest
from harness.machines import shown, state, until


@pytest.fixture
def web(croft, config, copy_tree, machine):
    name = machine("web")
    croft("create", "-q", name, f"--directory={copy_tree('app')}", "--", "sleep", "600").check()
    return name


# Every verb that is about one machine, as a command that would do no harm if it were let through.
def command(verb, name):
    return {"exec": ["exec", name, "true"], "kill": ["kill", "-s", "CONT", name], "cp": ["cp", f"{name}:/etc/hostname", "/tmp/"],
            "bind": ["bind", name, "/srv", "/srv"], "unbind": ["unbind", name, "/srv"], "rename": ["rename", name, name + "x"],
            "rm-config": ["rm", "--config", name]}.get(verb, [verb, name])


def refused(croft, name, *verbs):
    """All of these verbs are refused because of the state, and the sentence says which, and for which they are."""
    now = state(croft, name)
    for verb in verbs:
        ran = croft(*command(verb, name))
        assert ran.status != 0, f"{verb} of a machine that is {now}"
        assert f"machine '{name}' is {now}" in ran.stderr and "is for one that is" in ran.stderr, ran.stderr
        assert state(croft, name) == now


LIVING = ["stop", "exec", "kill", "poweroff", "reboot", "pause", "resume", "cp", "bind", "unbind"]


def test_a_life(croft, config, web):
    tree = shown(croft, web)["tree"]
    os.rename(tree, tree + ".away")
    assert state(croft, web) == "configured"
    refused(croft, web, "start", *LIVING)
    os.rename(tree + ".away", tree)
    assert state(croft, web) == "installed"
    refused(croft, web, "rm", "wait", "logs", *LIVING)

    assert croft("start", "--ready-only", web).check().stdout == f"{web}\n"
    assert state(croft, web) == "ready"
    refused(croft, web, "exec", "kill", "pause", "resume", "poweroff", "wait", "logs", "rename", "rm-config")
    assert shown(croft, web)["leader"] is None

    croft("start", web).check()
    assert state(croft, web) == "running"
    refused(croft, web, "start", "resume", "rename", "rm", "rm-config")
    croft("pause", web).check()
    assert state(croft, web) == "frozen"
    refused(croft, web, "start", "exec", "pause", "reboot")
    croft("resume", web).check()
    croft("stop", web).check()
    assert until(lambda: state(croft, web) == "exited")
    refused(croft, web, *LIVING)
    croft("start", web).check()
    croft("kill", "--signal=KILL", web).check()
    assert until(lambda: state(croft, web) == "failed")
    croft("rm", web).check()
    assert state(croft, web) == "installed"


def test_list_shows_declared_machines_only_when_asked(croft, config, web):
    assert web not in croft("list", "-q").check().stdout.split()
    row, = json.loads(croft("list", "--all", "--json", web).check().stdout)
    assert (row["state"], row["kind"], row["file"], row["outcome"]) == ("installed", "app", str(config / f"{web}.machine"), None)
    assert croft("list", "--all", "-qr", web).check().stdout == ""
    (config / f"{web}.machine").write_text("[Machine]\nDirectory=/srv\nWrong=1\n")
    row, = json.loads(croft("list", "--all", "--json", web).check().stdout)
    assert "Wrong=" in row["mistake"]
    assert "Wrong=" in croft("show", web).check().stdout
    ran = croft("start", web)
    assert ran.status != 0 and f"{web}.machine:3: Wrong=" in ran.stderr


def test_stopping_is_a_state(croft, config, copy_tree, machine):
    """Between the request and the end, for as long as the machine takes."""
    name = machine("slow")
    script = "trap 'while [ ! -e /go ]; do sleep 0.1; done; exit 0' TERM; touch /up; while :; do sleep 0.1; done"
    tree = copy_tree("app")
    croft("create", "-q", name, f"--directory={tree}", "--private-users=no", "--", "sh", "-c", script).check()
    croft("start", name).check()
    assert until((tree / "up").exists)
    stopper = croft.start("stop", "--timeout=60s", name)
    assert until(lambda: state(croft, name) == "stopping")
    refused(croft, name, "start", "rename")
    (tree / "go").touch()
    assert stopper.wait(timeout=60) == 0
    stopper.communicate()
    assert until(lambda: state(croft, name) == "exited")


# ---------------------------------------------------------------- ready


def test_ready_holds_everything_and_gives_it_back(croft, config, web):
    run = pathlib.Path(os.environ["CROFT_RUN_DIR"])
    croft("start", "--ready-only", web).check()
    assert len(list((run / "trees").iterdir())) >= 1 and any(os.readlink(mark) == web for mark in (run / "uids").iterdir())
    tree = shown(croft, web)["tree"]
    ran = croft("run", tree, "true")
    assert ran.status == 125 and "in use" in ran.stderr
    ran = croft("run", f"--name={web}", "--ephemeral", "/srv", "true")
    assert ran.status == 125
    assert croft("start", "--ready-only", web).status != 0
    croft("stop", web).check()
    assert state(croft, web) == "installed"
    assert not any(os.readlink(mark) == web for mark in (run / "uids").iterdir())
    croft("run", tree, "true").check()


def test_ready_survives_who_asked_for_it_and_not_a_kill(croft, config, web):
    croft("start", "--ready-only", web).check()
    keeper = shown(croft, web)["keeper"]
    os.kill(keeper, signal.SIGKILL)
    assert until(lambda: state(croft, web) == "lost")
    croft("start", web).check()
    assert state(croft, web) == "running"


def test_ready_ends_with_sigterm(croft, config, web):
    croft("start", "--ready-only", web).check()
    os.kill(shown(croft, web)["keeper"], signal.SIGTERM)
    assert until(lambda: state(croft, web) == "installed")
    assert not (pathlib.Path(os.environ["CROFT_RUN_DIR"]) / "machines" / web).exists()


def test_a_launch_from_ready_that_fails_leaves_nothing(croft, config, web):
    croft("start", "--ready-only", web).check()
    tree = pathlib.Path(shown(croft, web)["tree"])
    for shell in ("bin/sleep", "usr/bin/sleep"):
        (tree / shell).unlink(missing_ok=True)
    ran = croft("start", web)
    assert ran.status != 0 and "sleep" in ran.stderr, ran
    assert until(lambda: state(croft, web) == "installed")


def test_only_one_of_two_starts_of_a_ready_machine(croft, config, web):
    croft("start", "--ready-only", web).check()
    starts = [croft.start("start", web) for _ in range(4)]
    ended = [start.wait(timeout=60) for start in starts]
    for start in starts:
        start.communicate()
    assert ended.count(0) == 1, ended
    assert state(croft, web) == "running"


def test_stop_all_gives_back_what_is_ready(croft, config, web):
    croft("start", "--ready-only", web).check()
    assert f'"name": "{web}"' in croft("stop", "--all", "--json").check().stdout
    assert state(croft, web) == "installed"


# ---------------------------------------------------------------- degraded


def test_degraded_is_what_its_own_systemd_says(croft, config, copy_tree, machine):
    """Only `show` asks; list does not."""
    name, tree = machine("debian"), copy_tree("bookworm")
    unit = tree / "etc/systemd/system/fails.service"
    unit.write_text("[Service]\nType=oneshot\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n")
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "fails.service").symlink_to("../fails.service")
    croft("create", "-q", name, f"--directory={tree}").check()
    croft("start", name, timeout=200).check()
    assert until(lambda: state(croft, name) == "degraded", 120)
    assert shown(croft, name)["system_state"] == "degraded"
    row, = json.loads(croft("list", "--json", name).stdout)
    assert row["state"] == "running"
    croft("exec", name, "systemctl", "reset-failed").check()
    assert state(croft, name) == "running"
    croft("stop", name, timeout=200).check()
