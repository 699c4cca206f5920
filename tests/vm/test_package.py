"""The Debian package in a virtual host: installed, used, upgraded under a running machine, removed, purged.

The package is built once, outside (tools/package keeps it); the newer version is the same with another number. The tests
of this module follow each other on one host a suite, in the order in which they stand here.
"""

import json
import subprocess

import pytest
from vm import ROOT, Host, suites

SUITES = suites()
# Where nobody has built the package yet, the first test does.
pytestmark = pytest.mark.timeout(1200)
# What an administrator has made: it is not the package's to take away.
DECLARED = "/etc/croft/machines/web.machine"
ASK_DAEMON = "busctl --timeout=120 --list tree org.croft.Croft1"
# What other programs write in the course of the day; dpkg and systemd keep notes of what was installed.
NOT_OURS = "/proc /sys/kernel /sys/devices /sys/fs/cgroup /dev /tmp /files /trees /root /var/log /run/log /run/systemd /run/udev /run/user /var/tmp /var/lib/dpkg /var/lib/apt /var/lib/systemd/timers"
EVERYTHING = "find / \\( " + " -o ".join(f"-path {path}" for path in NOT_OURS.split()) + " \\) -prune -o -print"


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Two versions of the package, older and newer."""
    made = subprocess.run([ROOT / "tools/package"], stdout=subprocess.PIPE, text=True)
    assert made.returncode == 0, "tools/package failed"
    older, work = made.stdout.strip(), tmp_path_factory.mktemp("package")
    newer = work / "newer.deb"
    subprocess.run(["dpkg-deb", "-R", older, work / "tree"], check=True)
    control = work / "tree/DEBIAN/control"
    text = control.read_text()
    assert "\nVersion: 0." in text
    control.write_text(text.replace("\nVersion: 0.", "\nVersion: 99."))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", work / "tree", newer], check=True, stdout=subprocess.DEVNULL)
    return {"older.deb": older, "newer.deb": newer}


@pytest.fixture(scope="module", params=SUITES)
def host(request, packages):
    with Host(request.param, files=packages, trees=["app", "bookworm"], apps=False) as host:
        yield host


@pytest.fixture(scope="module")
def before(host):
    """Every path there was before anything of ours came."""
    assert host.run("command -v croft").status != 0
    return set(host.run(EVERYTHING).check().stdout.splitlines())


@pytest.fixture(scope="module")
def installed(host, before):
    return host.run("dpkg -i /files/older.deb").check()


def machine(host, name):
    shown = json.loads(host.run(f"croft list --json {name}").check().stdout)
    assert len(shown) == 1, shown
    return shown[0]


def alive(host):
    """name -> leader of the machines that run"""
    shown = json.loads(host.run("croft list --json").check().stdout)
    return {each["name"]: each["leader"] for each in shown if each["state"] == "running"}


def units(host, *options):
    listed = host.run(f"systemctl list-units {' '.join(options)} --plain --no-legend 'croft*'").check().stdout
    return [line.split()[0] for line in listed.splitlines() if not line.startswith("croft-test-agent")]


def test_installing_puts_everything_in_place(host, installed):
    assert "warning" not in installed.stderr.lower(), installed
    assert host.run("command -v croft").stdout == "/usr/bin/croft\n"
    assert host.run("systemctl is-enabled croft.target; systemctl is-active croft.target").stdout == "enabled\nactive\n"
    assert host.run("stat -c '%n %a %U' /run/croft /etc/croft/machines /var/lib/machines").stdout == (
        "/run/croft 755 root\n/etc/croft/machines 755 root\n/var/lib/machines 700 root\n")
    assert "ExecStart=/usr/libexec/croft/croft-launch %i\n" in host.run("systemctl cat croft@web.service").check().stdout
    host.run("cd /usr/share && ls bash-completion/completions/croft zsh/vendor-completions/_croft fish/vendor_completions.d/croft.fish").check()


def test_the_installed_croft_finds_its_helpers(host, installed):
    doctor = json.loads(host.run("croft doctor --json").stdout)
    assert [each for each in doctor if each["level"] == "problem"] == []
    ran = host.run("croft run /trees/app sh -c 'id -u; exit 7'")
    assert (ran.status, ran.stdout, ran.stderr) == (7, "0\n", "")


def test_the_bus_starts_the_daemon(host, installed):
    """Also after an upgrade it is the installed one that answers: what runs of the older version is no more."""
    asked = host.run(f"{ASK_DAEMON} && readlink /proc/$(systemctl show -P MainPID croftd)/exe", timeout=200).check()
    assert asked.stdout.splitlines()[-1] == "/usr/libexec/croft/croftd"
    assert "/org/croft/Croft1" in asked.stdout


def test_a_declared_machine_starts_and_is_enabled(host, installed):
    host.run(f"printf '[Machine]\\nDirectory=/trees/bookworm\\n[Exec]\\nBoot=yes\\n' >{DECLARED} && systemctl enable --now croft@web", timeout=290).check()
    assert machine(host, "web")["state"] == "running"
    assert host.run("systemctl list-dependencies --plain croft.target").stdout.split()[1:] == ["croft@web.service"]


def test_an_upgrade_does_not_touch_running_machines(host, installed):
    host.run("croft run -d --name=app --read-only /trees/app sleep 3600").check()
    were, program = alive(host), host.run("stat -c %i /usr/bin/croft").stdout
    assert set(were) == {"app", "web"}
    host.run(f"{ASK_DAEMON} && dpkg -i /files/newer.deb", timeout=200).check()
    test_the_bus_starts_the_daemon(host, installed)
    assert host.run("dpkg-query -W -f '${Version}' croft").stdout.startswith("99.")
    assert host.run("stat -c %i /usr/bin/croft").stdout != program
    assert alive(host) == were
    assert host.run("systemctl show -p NRestarts,MainPID croft@web").stdout.split() == [f"MainPID={were['web']}", "NRestarts=0"]
    assert host.run("croft exec web systemctl is-system-running --wait", timeout=240).stdout == "running\n"


def test_a_machine_of_the_older_version_reboots_under_the_newer(host, installed):
    was = machine(host, "web")["leader"]
    host.run("croft reboot web", timeout=120).check()
    again = f"croft list --json web | tr -d '\\n' | grep -v '\"leader\": {was},' | grep -q '\"running\"'"
    host.run(f"for i in $(seq 240); do {again} && exit; sleep 1; done; exit 1", timeout=290).check()
    assert host.run("croft exec web systemctl is-system-running --wait", timeout=240).stdout == "running\n"


def test_removing_stops_machines_in_order(host, installed):
    leaders = alive(host)
    assert set(leaders) == {"app", "web"}
    removed = host.run("dpkg -r croft", timeout=240).check()
    assert "stopping machines: app web\n" in removed.stdout, removed
    assert host.run(" || ".join(f"test -e /proc/{leader}" for leader in leaders.values()) + " || command -v croft").stdout == ""
    assert units(host, "--state=active,failed,activating,deactivating") == []
    stopped = host.run("journalctl --no-pager --boot _PID=1 UNIT=croft@web.service").stdout.rpartition("Stopping croft@web")[2]
    assert "Deactivated successfully" in stopped and "timed out" not in stopped, stopped
    host.run(f"test -e {DECLARED} && test -x /trees/bookworm/bin/sh && test -x /trees/app/bin/busybox").check()


def test_purging_leaves_only_what_was_not_ours(host, installed, before):
    host.run("dpkg -P croft").check()
    left = set(host.run(EVERYTHING).check().stdout.splitlines()) - before
    assert left == {DECLARED, "/etc/croft", "/etc/croft/machines"}
    assert units(host, "--all") == []
    assert host.run("grep croft /proc/self/mounts").stdout == ""
    assert host.run("find /sys/fs/cgroup -name '*croft*' ! -name croft-test-agent.service; find /sys/fs/cgroup/machine.slice -mindepth 1 -type d").stdout == ""
