"""The virtual hosts themselves, and croft's programs on them: what every other test in a virtual host relies on."""

import json

import pytest
from vm import BUILD, Host, suites

SYSTEMD = {"bookworm": 252, "trixie": 257, "sid": 262}
SUITES = suites()


@pytest.fixture(scope="module", params=SUITES)
def host(request):
    with Host(request.param, files={"note": __file__}, trees=["app", "bookworm"]) as host:
        yield host


def test_systemd_runs_the_host(host):
    assert host.run("cat /proc/1/comm").stdout == "systemd\n"
    assert host.run("systemctl is-system-running").stdout == "running\n"
    version = int(host.run("systemctl --version").check().stdout.split()[1])
    assert version >= SYSTEMD[host.suite]


def test_cgroup_controllers_can_be_used(host):
    controllers = host.run("cat /sys/fs/cgroup/cgroup.controllers").stdout.split()
    assert {"cpu", "io", "memory", "pids"} <= set(controllers)
    limit = host.run("systemd-run --quiet --wait --pipe -p MemoryMax=32M sh -c 'cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/memory.max'")
    assert limit.check().stdout == f"{32 << 20}\n"


def test_an_order_keeps_its_streams_and_status(host):
    ran = host.run("echo out; echo err >&2; exit 7")
    assert (ran.status, ran.stdout, ran.stderr) == (7, "out\n", "err\n")
    assert host.run("kill -KILL $$").status == 128 + 9
    assert host.run('echo "$GREETING"', env={"GREETING": "two words"}).stdout == "two words\n"


def test_an_order_does_not_wait_for_its_daemons(host):
    ran = host.run("sleep 600 & echo $!", timeout=60)
    host.run(f"kill {ran.stdout}").check()


def test_files_and_trees_are_there(host):
    assert host.run("cat /files/note").stdout == open(__file__).read()
    host.run("test -x /trees/app/bin/busybox && touch /trees/app/written && chroot /trees/app /bin/true").check()
    assert host.run("stat -c %u /trees/app/home/app").stdout == "1000\n"
    assert host.run("blockdev --getsize64 /dev/vde").stdout == f"{8 << 30}\n"


def test_each_host_is_fresh_and_knows_the_time(host):
    host.run("touch /root/left-here").check()
    seen = []
    for _ in range(2):
        with Host(host.suite, apps=False) as other:
            assert other.run("test -e /root/left-here").status == 1
            assert abs(int(other.run("date +%s").stdout) - int(host.run("date +%s").stdout)) < 60
            seen.append(other.run("head -c 16 /dev/urandom | od -An -tx1").stdout)
    assert seen[0] != seen[1]


def test_what_talks_to_the_bus_is_there(host):
    host.run("pkcheck --version && gdbus help && busctl status").check()
    names = host.run("python3 -c 'import dbus; print(*dbus.SystemBus().list_activatable_names(), sep=\"\\n\")'").check().stdout
    assert {"org.freedesktop.machine1", "org.freedesktop.PolicyKit1"} <= set(names.split())


@pytest.fixture(scope="module")
def croft(host):
    if not (BUILD / "src/apps/croft").exists():
        pytest.fail(f"{BUILD}/src/apps/croft is not built")
    return lambda words, **more: host.run(f"croft {words}", **more)


def test_croft_runs_on_the_host(croft):
    assert croft("--version").check().stdout.startswith("croft ")
    doctor = json.loads(croft("doctor --json").stdout)
    assert [each for each in doctor if each["level"] == "problem"] == []


def test_croft_runs_a_program(croft):
    ran = croft("run /trees/app sh -c 'id -u; exit 7'")
    assert (ran.status, ran.stdout) == (7, "0\n"), ran.stderr


def test_a_limit_of_croft_holds(host, croft):
    """The limit stands in one of the groups above the program."""
    croft("run -d --name=limited --memory=64M /trees/app sleep 600").check()
    leader = json.loads(croft("list --json limited").check().stdout)[0]["leader"]
    above = f"g=$(cut -d: -f3 /proc/{leader}/cgroup); while [[ $g ]]; do cat /sys/fs/cgroup$g/memory.max; g=${{g%/*}}; done 2>/dev/null"
    assert str(64 << 20) in host.run(above).stdout.split()
    croft("rm -f limited").check()


def test_croft_boots_a_system(host, croft):
    croft("boot -d --name=deb --ready-timeout=280s /trees/bookworm", timeout=290).check()
    assert croft("exec deb systemctl is-system-running --wait", timeout=280).stdout == "running\n"
    assert croft("exec deb cat /etc/hostname").stdout == "croft-tree\n"
    croft("poweroff --wait deb", timeout=200).check()
    croft("rm deb").check()
    assert host.run("find /run/croft/machines /run/croft/uids -mindepth 1").stdout == ""
