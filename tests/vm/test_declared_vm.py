"""Machines that files declare, where systemd runs the host: the generator's units, limits that change while a machine
runs, and events in the journal. What needs no systemd is in tests/integration/test_cli_declared.py and test_states.py."""

import json

import pytest
from vm import BUILD, Host, suites

SUITES = suites()
MIB = 1 << 20
WEB = """[Machine]
Directory=/trees/app
Autostart=yes
StopTimeout=7s
[Exec]
Parameters=sleep infinity
[Resources]
MemoryMax=100M
CPUQuota=50%
[Unit]
After=time-set.target
Description=The 100% web
[Service]
RuntimeMaxSec=1h
[Install]
WantedBy=multi-user.target
"""
BAD = "[Machine]\nDirectory=/trees/app\nAutostart=yes\n[Exec]\nHostnam=x\n"
# As a package has it. What is in /files is in the way of a real path only for the helpers, which stand beside croft.
INSTALL = """set -e
mkdir -p /usr/local/libexec/croft /etc/croft/machines
cp /files/apps/* /usr/local/libexec/croft/
cp /files/units/* /etc/systemd/system/
cp /files/apps/croft-generator /usr/lib/systemd/system-generators/
sed -i "s,=[^ ]*/croft-launch,=/usr/local/libexec/croft/croft-launch,;s,=-[^ ]*/croft-launch,=-/usr/local/libexec/croft/croft-launch," \
    /etc/systemd/system/croft@.service
"""


@pytest.fixture(scope="module", params=SUITES)
def host(request):
    for needed in ("src/apps/croft-generator", "units/croft@.service"):
        if not (BUILD / needed).exists():
            pytest.fail(f"{BUILD}/{needed} is not built")
    with Host(request.param, files={"units": BUILD / "units"}, trees=["app", "bookworm"]) as host:
        host.run(INSTALL).check()
        host.run(f"cat >/etc/croft/machines/web.machine <<'E'\n{WEB}E\ncat >/etc/croft/machines/bad.machine <<'E'\n{BAD}E\n"
                 "systemctl daemon-reload").check()
        yield host


def prop(host, unit, name):
    return host.run(f"systemctl show -P {name} {unit}").check().stdout.strip()


def shown(host, name):
    return json.loads(host.run(f"croft show --json {name}").check().stdout)[0]


def told(host, name):
    host.run("journalctl --sync")
    lines = host.run(f"croft events --json {name}", timeout=120).check().stdout.splitlines()
    return [json.loads(line)["event"] for line in lines]


def test_a_file_is_a_unit(host):
    text = host.run("systemctl cat croft@web").check().stdout
    assert "/run/systemd/generator/croft@web.service.d/50-croft.conf" in text and "MemoryMax=100M" in text
    assert prop(host, "croft@web", "LoadState") == "loaded"
    assert prop(host, "croft@web", "Description") == "The 100% web"
    assert prop(host, "croft@web", "MemoryMax") == str(100 * MIB)
    assert prop(host, "croft@web", "CPUQuotaPerSecUSec") == "500ms"
    assert prop(host, "croft@web", "TimeoutStopUSec") == "7s"
    assert prop(host, "croft@web", "RuntimeMaxUSec") == "1h"
    assert "time-set.target" in prop(host, "croft@web", "After").split()
    assert "croft@web.service" in prop(host, "croft.target", "Wants").split()
    assert "croft@web.service" in prop(host, "multi-user.target", "Wants").split()
    ran = host.run("systemd-analyze verify --man=no croft@web.service 2>&1")
    assert "croft" not in ran.stdout, ran


def test_a_mistake_is_reported_and_harms_nobody_else(host):
    said = host.run("journalctl --boot --output=cat SYSLOG_IDENTIFIER=croft-generator").stdout
    assert "/etc/croft/machines/bad.machine:5: Hostnam=" in said, said
    assert host.run("systemctl start croft@bad").status != 0
    said = host.run("journalctl --boot --output=cat -u croft@bad").stdout
    assert "/etc/croft/machines/bad.machine:5: Hostnam=" in said, said
    ran = host.run("croft verify")
    assert ran.status == 1 and "bad.machine:5: " in ran.stderr and "web.machine" not in ran.stderr, ran
    host.run("systemctl reset-failed croft@bad")


def test_systemctl_and_croft_mean_the_same_machine(host):
    host.run("systemctl start croft@web", timeout=120).check()
    assert shown(host, "web")["state"] == "running"
    assert str(shown(host, "web")["leader"]) == prop(host, "croft@web", "MainPID")
    host.run("croft stop web", timeout=120).check()
    assert prop(host, "croft@web", "ActiveState") in ("inactive", "failed")
    host.run("croft start web", timeout=120).check()
    assert prop(host, "croft@web", "ActiveState") == "active"
    assert prop(host, "croft@web", "MainPID") == str(shown(host, "web")["leader"])
    ran = host.run("croft start web")
    assert ran.status != 0 and "is running" in ran.stderr
    host.run("systemctl stop croft@web", timeout=120).check()
    assert shown(host, "web")["state"] in ("exited", "installed", "failed")


def test_set_changes_limits_of_the_unit_now(host):
    host.run("croft start web", timeout=120).check()
    ran = host.run("croft set web memory=64M tasks=99 hostname=later").check()
    assert ran.stdout.splitlines() == [
        "Resources.MemoryMax=64M: in effect now", "Resources.TasksMax=99: in effect now",
        "Exec.Hostname=later: from the next start on; the machine that runs keeps what it has"], ran
    assert prop(host, "croft@web", "MemoryMax") == str(64 * MIB)
    assert host.run("cat /sys/fs/cgroup/machine.slice/croft@web.service/memory.max").stdout == f"{64 * MIB}\n"
    assert host.run("croft diff web").stdout.splitlines()[2:] == ["[Exec]", "+Hostname=later"]
    host.run("croft unset web memory tasks").check()
    assert prop(host, "croft@web", "MemoryMax") == "infinity"
    # A daemon-reload brings what the files say, which is the same.
    host.run("systemctl daemon-reload").check()
    assert prop(host, "croft@web", "MemoryMax") == "infinity" and prop(host, "croft@web", "ActiveState") == "active"
    host.run("croft stop web && croft start web", timeout=200).check()
    assert host.run("croft exec web hostname").stdout == "later\n"
    assert host.run("croft diff web").status == 0
    host.run("croft stop web", timeout=120).check()


def test_ready_becomes_a_unit(host):
    host.run("croft start --ready-only web", timeout=120).check()
    assert shown(host, "web")["state"] == "ready"
    host.run("croft start web", timeout=120).check()
    machine = shown(host, "web")
    assert machine["state"] == "running" and "croft" in machine["cgroup"] and "machine.slice" in machine["cgroup"]
    host.run("croft stop web", timeout=120).check()
    host.run("croft start --ready-only web && croft stop web", timeout=120).check()


def test_events_are_in_the_journal(host):
    host.run("croft start web && croft pause web && croft resume web && croft stop web", timeout=200).check()
    assert told(host, "web")[-5:] == ["started", "frozen", "thawed", "stopping", "exited"]
    by_journalctl = host.run("journalctl --boot --output=cat CROFT_MACHINE=web CROFT_EVENT=frozen").check().stdout
    assert "machine web is paused" in by_journalctl


def wait_for(host, words, condition):
    """Asks until the answer is right; the guest is slow, so it asks some dozens of times at most."""
    for _ in range(60):
        ran = host.run(f"sleep 1; {words}", timeout=120)
        if condition(ran.stdout):
            return ran.stdout
    pytest.fail(f"{words}: {ran}")


def test_a_booted_machine_lives_as_its_unit(host):
    """Up, degraded by a unit of its own that fails, rebooted from inside, stopped."""
    host.run("printf '[Service]\\nType=oneshot\\nExecStart=/bin/false\\n' >/trees/bookworm/etc/systemd/system/fails.service; "
             "mkdir -p /trees/bookworm/etc/systemd/system/multi-user.target.wants; "
             "ln -s ../fails.service /trees/bookworm/etc/systemd/system/multi-user.target.wants/; "
             "croft create -q deb --directory=/trees/bookworm").check()
    assert prop(host, "croft@deb", "KillSignal") == "37"
    host.run("croft start --ready-timeout=280s deb", timeout=300).check()
    assert prop(host, "croft@deb", "ActiveState") == "active"
    assert '"degraded"' in wait_for(host, "croft show --json deb", lambda text: '"state": "degraded"' in text)
    assert '"state": "running"' in host.run("croft list --json deb").stdout
    host.run("croft reboot deb", timeout=120).check()
    wait_for(host, "croft show --json deb", lambda text: '"restarts": 1' in text and '"ready": true' in text)
    host.run("croft stop deb", timeout=280).check()
    events = told(host, "deb")
    assert [event for event in events if event != "config"] == [
        "started", "ready", "rebooted", "started", "ready", "stopping", "exited"], events
    host.run("croft rm -q --config deb").check()


def test_units_follow_the_files(host):
    """create, rename and rm have systemd read the units again by themselves."""
    host.run("croft create -q job --directory=/trees/app --memory=50M -- sleep 60").check()
    assert prop(host, "croft@job", "MemoryMax") == str(50 * MIB)
    host.run("croft rename -q job work").check()
    assert prop(host, "croft@work", "MemoryMax") == str(50 * MIB)
    assert prop(host, "croft@job", "MemoryMax") == "infinity"
    host.run("croft rm -q --config work").check()
    assert host.run("ls -d /run/systemd/generator/croft@work.service.d").status != 0


def test_limits_change_at_once_without_systemd_too(host):
    direct = "CROFT_SUPERVISOR=direct CROFT_RUN_DIR=/run/croft-direct CROFT_STATE_DIR=/var/tmp/croft-direct"
    host.run("croft create -q alone --directory=/trees/app --memory=80M -- sleep infinity").check()
    host.run(f"{direct} croft start alone", timeout=120).check()

    def value(file):
        return host.run(f"cat /sys/fs/cgroup/croft/alone/{file}").check().stdout.strip()

    ran = host.run(f"{direct} croft set alone memory=64M cpus=0.5 tasks=50 CPUWeight=20 Resources.IPAccounting=yes").check()
    assert [line.split(": ")[1] for line in ran.stdout.splitlines()] == ["in effect now"] * 4 + [
        "from the next start on; the machine that runs keeps what it has"], ran
    assert [value(file) for file in ("memory.max", "cpu.max", "pids.max", "cpu.weight")] == [str(64 * MIB), "50000 100000", "50", "20"]
    ran = host.run(f"{direct} croft diff alone")
    assert ran.stdout.splitlines()[2:] == ["[Resources]", "+IPAccounting=yes"], ran
    host.run(f"{direct} croft unset alone memory Resources.CPUQuota tasks CPUWeight").check()
    assert [value(file) for file in ("memory.max", "cpu.max", "pids.max", "cpu.weight")] == ["max", "max 100000", "max", "100"]
    host.run(f"{direct} croft stop alone && {direct} croft rm -q --config alone").check()
