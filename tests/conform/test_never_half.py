"""Creations that are interrupted, and verbs that meet each other: no container is left half, and none is started twice."""

import os
import random
import subprocess
import threading
import time

import pytest

from harness.machines import until

null = subprocess.DEVNULL


def quiet(oci, *words, **more):
    return subprocess.Popen(oci.words(*words, **more), stdin=null, stdout=null, stderr=null)


@pytest.mark.parametrize("verb", ["create", "run"])
def test_a_creation_that_is_killed(oci, bundle, new_id, verb):
    """At any moment: what is left is shown by `list` and cleared by `delete --force`."""
    where = bundle("sleep", "600")
    for turn in range(40):
        name = new_id()
        child = quiet(oci, verb, *(["--detach"] if verb == "run" else []), name, bundle=where)
        time.sleep(random.uniform(0, 0.03))
        child.kill()
        child.wait()
        listed = oci("list", "-q").check().stdout.split()
        state = oci("state", name)
        assert (state.status == 0) == (name in listed), state.stderr
        oci("delete", "--force", name).check()
        assert oci("state", name).status == 1
        # The name is free again.
        if turn % 8 == 0:
            oci.create(name, where)
            oci("delete", "--force", name).check()


def test_starts_that_race(oci, bundle, new_id, scratch):
    def mount(config):
        config["mounts"].append({"destination": "/mnt", "type": "bind", "source": str(scratch), "options": ["rbind", "rw"]})

    log = scratch / "log"
    where = bundle("sh", "-c", "echo once >>/mnt/log; exec sleep 600", change=mount)
    for _ in range(5):
        name = new_id()
        oci.create(name, where)
        racers = [quiet(oci, "start", name) for _ in range(4)]
        assert sorted(child.wait(timeout=30) for child in racers) == [0, 1, 1, 1]
        # A start ends when the shell is executed, which may be before it has written.
        assert until(lambda: log.exists() and log.read_text()), "the container did not run"
        oci("delete", "--force", name).check()
        assert log.read_text() == "once\n"
        log.unlink()


def test_creations_that_race(oci, bundle, new_id):
    where = bundle("sleep", "600")
    for _ in range(5):
        name = new_id()
        racers = [quiet(oci, "create", name, bundle=where) for _ in range(4)]
        assert sorted(child.wait(timeout=30) for child in racers) == [0, 1, 1, 1]
        assert oci.status(name) == "created"
        oci("delete", "--force", name).check()


def test_delete_meets_start(oci, bundle, new_id):
    where = bundle("sleep", "600")
    for _ in range(10):
        name = new_id()
        oci.create(name, where)
        start, delete = quiet(oci, "start", name), quiet(oci, "delete", "--force", name)
        assert start.wait(timeout=30) in (0, 1) and delete.wait(timeout=30) == 0
        assert oci("state", name).status == 1


def test_a_process_that_got_the_number_later_is_left_alone(oci, bundle, new_id, oci_root):
    """The record's start time is not that of the process with that pid."""
    name = new_id()
    oci.create(name, bundle("sleep", "600"))
    pid = oci.state(name)["pid"]
    time.sleep(0.05)  # start times are counted in hundredths of a second
    bystander = subprocess.Popen(["sleep", "600"])
    record = oci_root / name / "state.json"
    text = record.read_text()
    record.write_text(text.replace(f'"pid":{pid}', f'"pid":{bystander.pid}'))
    assert oci.status(name) == "stopped"
    assert oci("kill", name, "KILL").status == 1
    oci("delete", "--force", name).check()
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid":"x"}', '{"pid":1,"start":0}', '{"cgroup":5}'])
def test_a_record_that_is_broken(oci, bundle, new_id, oci_root, text):
    name = new_id()
    oci.create(name, bundle("sleep", "600"))
    pid = oci.state(name)["pid"]
    record = oci_root / name / "state.json"
    kept = record.read_text()
    record.write_text(text)
    assert name in oci("list", "-q").check().stdout.split()
    oci("state", name)
    record.write_text(kept)
    assert oci.state(name)["pid"] == pid
    record.write_text(text)
    oci("delete", "--force", name).check()
    assert not os.path.exists(f"/proc/{pid}/exe")


def test_state_while_it_is_created(oci, bundle, new_id, scratch):
    """A hook holds the creation: others see `creating`, and a verb that changes the container waits."""
    (scratch / "hook").write_text("#!/bin/sh\nread word <%s\n" % (scratch / "fifo"))
    (scratch / "hook").chmod(0o755)
    os.mkfifo(scratch / "fifo")
    name = new_id()
    child = quiet(oci, "create", name, bundle=bundle("sleep", "600", change=lambda config: config.update(
        hooks={"createRuntime": [{"path": str(scratch / "hook")}]})))
    end = time.monotonic() + 20
    while oci("state", name).status != 0 and time.monotonic() < end:
        time.sleep(0.01)
    assert oci.status(name) == "creating"
    starter = quiet(oci, "start", name)
    time.sleep(0.1)
    assert starter.poll() is None
    (scratch / "fifo").write_text("go\n")
    assert child.wait(timeout=30) == 0 and starter.wait(timeout=30) == 0
    assert oci.status(name) == "running"


def test_a_container_that_is_deleted_while_it_runs_in_the_foreground(oci, bundle, new_id):
    name = new_id()
    child = oci.start("run", name, bundle=bundle("sh", "-c", "echo up; exec sleep 600"))
    assert child.stdout.readline() == b"up\n"
    oci("delete", "--force", name).check()
    child.communicate(timeout=30)
    assert child.returncode == 137


def test_many_at_a_time(oci, bundle, new_id):
    where, failed = bundle("true"), []

    def one():
        for _ in range(4):
            ran = oci("run", new_id(), bundle=where)
            if ran.status:
                failed.append(ran.stderr)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
