"""What tests ask of a virtual host about its machines."""

import json
import time


def machines(host):
    return {machine["name"]: machine for machine in json.loads(host.run("croft list --json").check().stdout)}


def states(host):
    return {name: machine["state"] for name, machine in machines(host).items()}


def wait_for(what, seconds=120):
    """Its value as soon as that is true."""
    until = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < until, "it did not come to be in time"
        time.sleep(0.5)
    return value


def left(host):
    """What machines leave behind when something goes wrong."""
    return host.run("find /run/croft/machines /run/croft/uids /run/croft/trees -mindepth 1; ls -d /sys/fs/cgroup/machine.slice/croft* 2>/dev/null; "
                    "systemctl list-units --all --no-legend --plain 'croft-*' | grep -v croft-test-agent; "
                    "findmnt -rno TARGET | grep croft | grep -v '^/run/croft'; true").stdout


def nothing_left(host, seconds=30):
    until = time.monotonic() + seconds
    while (rest := left(host).split()) and time.monotonic() < until:
        time.sleep(1)
    assert rest == []
