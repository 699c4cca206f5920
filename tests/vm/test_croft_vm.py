"""What only a host with cgroup controllers can show of croft's direct mode: limits that bite, and a boot with them.

One virtual host for the module: a host is cheap, but its guest is slow, and these tests do not disturb each other.
"""

import json

import pytest
from vm import BUILD, Host

MIB = 1 << 20


class Direct:
    """Orders for machines without systemd, on a host that has it (test_units.py has the others)."""

    def __init__(self, host):
        self.host = host

    def run(self, order, **more):
        return self.host.run(f"export CROFT_SUPERVISOR=direct; {order}", **more)


@pytest.fixture(scope="module")
def host():
    if not (BUILD / "src/apps/croft").exists():
        pytest.fail(f"{BUILD}/src/apps/croft is not built")
    with Host("bookworm", trees=["app", "bookworm"]) as host:
        yield Direct(host)


@pytest.fixture(scope="module")
def booted(host):
    """The Debian tree as a running machine named `deb`."""
    host.run("croft boot -d --name=deb --memory=400M --ready-timeout=240s /trees/bookworm", timeout=300).check()
    yield "deb"
    host.run("croft rm -f deb", timeout=120)


def cgroup_value(host, option, file):
    return host.run(f"croft run {option} /trees/app cat /sys/fs/cgroup/{file}").check().stdout.strip()


def test_limits_are_in_the_cgroup(host):
    assert cgroup_value(host, "--memory=64M", "memory.max") == str(64 * MIB)
    assert cgroup_value(host, "--memory-high=48M", "memory.high") == str(48 * MIB)
    assert cgroup_value(host, "--tasks=77", "pids.max") == "77"
    assert cgroup_value(host, "--cpus=0.5", "cpu.max") == "50000 100000"
    assert cgroup_value(host, "--property=CPUWeight=50", "cpu.weight") == "50"


def test_a_program_over_its_memory_is_killed(host):
    ran = host.run("croft run --memory=24M --property=MemorySwapMax=0 /trees/app sh -c 'head -c 64m /dev/zero | tail -c 60m >/dev/null; echo $?'")
    assert ran.stdout == "137\n", ran
    ran = host.run("croft run --tasks=8 /trees/app sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 5 & done; wait'")
    assert "fork" in ran.stderr, ran


def test_nothing_is_left_of_what_ended(host):
    host.run("croft run /trees/app true").check()
    left = host.run("find /sys/fs/cgroup -type d -name 'croft*' ! -name croft-test-agent.service; find /run/croft/machines -mindepth 1").stdout.split()
    assert [path for path in left if path != "/sys/fs/cgroup/croft"] == []


def test_debian_boots_and_says_so(host, booted):
    state = host.run(f"croft exec {booted} systemctl is-system-running --wait", timeout=240)
    assert state.stdout == "running\n", host.run(f"croft exec {booted} systemctl list-units --failed").stdout
    shown = json.loads(host.run(f"croft show --json {booted}").check().stdout)
    shown = shown[0] if isinstance(shown, list) else shown
    assert shown["state"] == "running"


def test_the_booted_system_manages_its_own_cgroups(host, booted):
    controllers = host.run(f"croft exec {booted} cat /sys/fs/cgroup/cgroup.controllers").check().stdout.split()
    assert {"memory", "pids"} <= set(controllers)
    limit = host.run(f"croft exec {booted} systemd-run --quiet --wait --pipe -p TasksMax=33 sh -c 'cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/pids.max'", timeout=120)
    assert limit.check().stdout == "33\n"
    # What the host has set is above the machine's own tree, where it cannot be changed from inside.
    assert host.run("cat /sys/fs/cgroup/croft/deb/memory.max").stdout == f"{400 * MIB}\n"
    assert host.run(f"croft exec {booted} sh -c 'echo max >/sys/fs/cgroup/memory.max'").status != 0


def test_pause_and_resume(host, booted):
    host.run(f"croft pause {booted}").check()
    assert host.run("cat /sys/fs/cgroup/croft/deb/cgroup.freeze").stdout == "1\n"
    host.run(f"croft resume {booted}").check()
    assert host.run(f"croft exec {booted} echo back", timeout=60).stdout == "back\n"


def test_reboot_and_poweroff(host, booted):
    before = json.loads(host.run(f"croft show --json {booted}").check().stdout)
    host.run(f"croft reboot {booted}", timeout=120).check()
    leader = "croft list --json deb"
    host.run(f"for i in $(seq 240); do {leader} | grep -q running && croft exec deb systemctl is-system-running --wait && exit 0; sleep 1; done; exit 1", timeout=280).check()
    assert json.loads(host.run(f"croft show --json {booted}").check().stdout) != before
    host.run(f"croft poweroff --wait {booted}", timeout=200).check()
    assert host.run("cat /sys/fs/cgroup/croft/deb/cgroup.procs").status != 0
