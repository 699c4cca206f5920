"""Machines as units of systemd: what an administrator does with systemctl, machinectl and journalctl, and what is left.

Each suite's host has its own systemd (252, 257, 262). The machines are apps where that is enough, because a guest is slow,
and one booted Debian for what only an init can show.
"""

import json

import pytest
from asking import left, machines, nothing_left, states, wait_for
from vm import BUILD, Host, suites

SUITES = suites()
MIB = 1 << 20


@pytest.fixture(scope="module", params=SUITES)
def host(request):
    if not (BUILD / "src/apps/croft-launch").exists():
        pytest.fail(f"{BUILD}/src/apps/croft-launch is not built")
    with Host(request.param, trees=["app", "bookworm"]) as host:
        yield host


@pytest.fixture(scope="module")
def booted(host):
    """The Debian tree as a running machine named `deb`."""
    host.run("croft boot -d --name=deb --ready-timeout=280s /trees/bookworm", timeout=290).check()
    yield "deb"
    host.run("croft rm -f deb", timeout=120)


@pytest.fixture
def app(host):
    """Starts an app in the background; all of them are gone afterwards."""
    names = []

    def start(name, options="", command="sleep 1000"):
        names.append(name)
        host.run(f"croft run -d --name={name} {options} /trees/app {command}", timeout=120).check()
        return name

    yield start
    for name in names:
        host.run(f"croft rm -f {name}", timeout=120)


def show(host, unit, *properties):
    words = " ".join(f"-p {name}" for name in properties)
    lines = host.run(f"systemctl show {unit} {words}").check().stdout.splitlines()
    return dict(line.split("=", 1) for line in lines)


def state(host, name):
    return states(host).get(name)


# ---------------------------------------------------------------- running one program


def test_status_and_streams_are_the_payloads(host):
    ran = host.run("printf 'a\\nb\\n' | croft run -i /trees/app sh -c 'cat; echo err >&2; exit 7'")
    assert (ran.status, ran.stdout, ran.stderr) == (7, "a\nb\n", "err\n")
    ran = host.run("croft run /trees/app sh -c 'kill -TERM $$; sleep 1; exit 3'")
    assert ran.status == 3, "PID 1 of a namespace does not die of its own signal"
    assert host.run("croft run --init /trees/app sh -c 'kill -KILL $$'").status == 137


def test_what_ends_at_once_keeps_its_status(host):
    statuses = host.run("for i in 1 2 3 4 5 6; do croft run /trees/app sh -c \"exit $i\"; echo -n \"$? \"; done").stdout
    assert statuses == "1 2 3 4 5 6 "


def test_a_command_that_is_not_there_is_told_by_the_launcher(host):
    ran = host.run("croft run /trees/app nosuch")
    assert ran.status == 127 and "there is no command 'nosuch' in the tree" in ran.stderr
    ran = host.run("croft run --name=bad --property=MemoryMax=nonsense /trees/app true")
    assert ran.status == 125 and "nonsense" in ran.stderr
    ran = host.run("croft run --name=bad --property=SocketBindDeny=nonsense /trees/app true")
    assert ran.status == 125 and "SocketBindDeny" in ran.stderr, "systemd judges properties that croft does not know"
    assert state(host, "bad") is None


def test_nothing_is_left_of_what_ended(host):
    host.run("croft run /trees/app true").check()
    wait_for(lambda: "app-" not in left(host), 20)


def test_the_payload_is_a_child_of_systemd_and_nothing_stays_beside_it(host, app):
    app("web")
    leader = json.loads(host.run("croft show --json web").check().stdout)
    leader = (leader[0] if isinstance(leader, list) else leader)["leader"]
    assert show(host, "croft-web.service", "MainPID", "ActiveState", "Delegate", "Slice", "Type") == {
        "MainPID": str(leader), "ActiveState": "active", "Delegate": "yes", "Slice": "machine.slice", "Type": "notify"}
    assert host.run(f"awk '/^PPid/ {{ print $2 }}' /proc/{leader}/status").stdout == "1\n"
    assert host.run("pgrep -a croft; true").stdout.replace("croft-test-agent", "") == "", "no process of ours runs"
    assert "croft-web.service" in host.run("systemd-cgls --no-pager /machine.slice").stdout
    assert "machine.slice/croft-web.service" in host.run("systemd-cgtop -b -n 1 --depth=3").stdout


def test_limits_are_the_units_and_seen_inside(host, app):
    app("lim", "--memory=64M --tasks=20 --cpus=0.5 --property=CPUWeight=50")
    assert show(host, "croft-lim.service", "MemoryMax", "TasksMax", "CPUQuotaPerSecUSec", "CPUWeight") == {
        "MemoryMax": str(64 * MIB), "TasksMax": "20", "CPUQuotaPerSecUSec": "500ms", "CPUWeight": "50"}
    inside = host.run("croft exec lim cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max")
    assert inside.check().stdout == f"{64 * MIB}\n20\n50000 100000\n"
    host.run("systemctl set-property --runtime croft-lim.service MemoryMax=80M").check()
    assert host.run("croft exec lim cat /sys/fs/cgroup/memory.max").stdout == f"{80 * MIB}\n"


def test_a_program_over_its_memory_is_killed(host):
    ran = host.run("croft run --memory=24M --property=MemorySwapMax=0 /trees/app sh -c 'head -c 64m /dev/zero | tail -c 60m >/dev/null; echo $?'")
    # Where the kernel is slow to take back what the program had, the shell is killed too.
    assert "137" in ran.stdout or ran.status == 137, ran


def test_systemctl_stops_kills_freezes_and_restarts(host, app):
    app("ctl", command="sh -c 'trap \"exit 5\" TERM; while :; do sleep 0.2; done'")
    host.run("systemctl freeze croft-ctl.service").check()
    assert state(host, "ctl") == "frozen"
    host.run("systemctl thaw croft-ctl.service").check()
    assert state(host, "ctl") == "running"
    first = show(host, "croft-ctl.service", "MainPID")
    host.run("systemctl restart croft-ctl.service", timeout=120).check()
    wait_for(lambda: state(host, "ctl") == "running")
    assert show(host, "croft-ctl.service", "MainPID") != first
    assert host.run("croft exec ctl echo again").check().stdout == "again\n"
    host.run("systemctl kill --signal=KILL croft-ctl.service").check()
    wait_for(lambda: state(host, "ctl") == "failed")
    app("ctl2", command="sh -c 'trap \"exit 5\" TERM; while :; do sleep 0.2; done'")
    host.run("systemctl stop croft-ctl2.service").check()
    assert state(host, "ctl2") in ("failed", "exited")


def test_pause_resume_and_stop_by_croft(host, app):
    app("p", command="sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.2; done'")
    host.run("croft pause p").check()
    assert show(host, "croft-p.service", "FreezerState") == {"FreezerState": "frozen"}
    host.run("croft resume p").check()
    assert host.run("croft exec p echo back").stdout == "back\n"
    host.run("croft pause p").check()
    host.run("croft stop p", timeout=60).check()
    assert state(host, "p") == "exited"
    assert host.run("systemctl is-active croft-p.service").stdout.strip() == "inactive"


def test_many_are_stopped_at_once(host, app):
    for number in range(5):
        app(f"many{number}", "--read-only", command="sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.2; done'")
    host.run("croft stop --all", timeout=100).check()
    assert [state(host, f"many{number}") for number in range(5)] == ["exited"] * 5


def test_output_is_in_the_journal_with_the_machines_name(host, app):
    app("talk", command="sh -c 'echo to-the-journal; sleep 1000'")
    read = lambda: host.run("journalctl -o json --no-pager MACHINE=talk").stdout
    entry = json.loads(next(line for line in wait_for(lambda: "to-the-journal" in read() and read()).splitlines() if "to-the-journal" in line))
    assert entry["SYSLOG_IDENTIFIER"] == "talk" and entry["_SYSTEMD_UNIT"] == "croft-talk.service"


def test_logs_are_read_from_the_journal(host, app):
    app("talks", command="sh -c 'for i in 1 2 3 4; do echo line-$i; done; sleep 3; echo last; exit 4'")
    assert host.run("croft logs -f talks", timeout=60).check().stdout == "line-1\nline-2\nline-3\nline-4\nlast\n"
    assert host.run("croft logs -n 2 talks").check().stdout == "line-4\nlast\n"
    assert host.run("croft wait talks").status == 4
    host.run("croft rm talks").check()
    app("talks", command="sh -c 'echo another'")
    wait_for(lambda: host.run("croft logs talks").stdout == "another\n", 30)


def test_settings_of_the_service_take_effect(host):
    host.run("mkdir -p /etc/croft/machines; printf '[Exec]\\nBoot=no\\nParameters=sleep 1000\\n[Machine]\\nDirectory=/trees/app\\n"
             "[Unit]\\nOnFailure=sentinel.service\\n[Service]\\nRuntimeMaxSec=2s\\n' >/etc/croft/machines/brief.machine; "
             "printf '[Service]\\nType=oneshot\\nExecStart=touch /run/sentinel\\n' >/run/systemd/system/sentinel.service; systemctl daemon-reload").check()
    host.run("croft run -d --name=brief /trees/app sleep 1000").check()
    wait_for(lambda: state(host, "brief") == "failed", 60)
    wait_for(lambda: host.run("test -e /run/sentinel").status == 0, 60)
    host.run("croft rm brief; rm /etc/croft/machines/brief.machine").check()


def test_a_machine_that_fails_is_restarted_where_its_file_says_so(host):
    host.run("mkdir -p /etc/croft/machines; printf '[Service]\\nRestart=on-failure\\nRestartSec=100ms\\n' >/etc/croft/machines/phoenix.machine").check()
    host.run("croft run -d --name=phoenix /trees/app sh -c 'echo life; sleep 1000'").check()
    first = machines(host)["phoenix"]["leader"]
    host.run(f"kill -KILL {first}").check()
    wait_for(lambda: machines(host)["phoenix"]["leader"] not in (None, first) and state(host, "phoenix") == "running", 60)
    assert show(host, "croft-phoenix.service", "NRestarts") == {"NRestarts": "1"}
    assert host.run("croft exec phoenix echo again").check().stdout == "again\n"
    # It has its tree, its ids and its name as before.
    assert "in use by machine 'phoenix'" in host.run("croft run --name=other /trees/app true").stderr
    host.run("croft rm -f phoenix; rm /etc/croft/machines/phoenix.machine").check()


def test_a_restart_never_shares_the_ids_that_another_machine_got_meanwhile(host):
    host.run("mkdir -p /etc/croft/machines; printf '[Service]\\nRestart=on-failure\\nRestartSec=10s\\n' >/etc/croft/machines/robbed.machine").check()
    host.run("croft run -d --name=robbed /trees/app sleep 1000").check()
    robbed = machines(host)["robbed"]
    host.run(f"kill -KILL {robbed['leader']}").check()
    wait_for(lambda: state(host, "robbed") == "failed")
    host.run(f"croft run -d --name=thief --private-users={robbed['id_base']} /trees/bookworm sleep 1000").check()
    wait_for(lambda: "are used by machine 'thief' now" in host.run("journalctl -o cat -u croft-robbed.service").stdout, 60)
    assert state(host, "robbed") == "failed"
    # It is not forgotten: once the ids are free, the next try succeeds.
    host.run("croft rm -f thief").check()
    wait_for(lambda: state(host, "robbed") == "running", 90)
    assert machines(host)["robbed"]["id_base"] == robbed["id_base"]
    host.run("croft rm -f robbed; rm /etc/croft/machines/robbed.machine").check()


def test_a_machine_that_is_starting_can_be_stopped(host):
    host.run("printf '[Unit]\\nAfter=slow.service\\nRequires=slow.service\\n' >/etc/croft/machines/late.machine; "
             "printf '[Service]\\nType=oneshot\\nExecStart=sleep 4\\n' >/run/systemd/system/slow.service; systemctl daemon-reload").check()
    ran = host.run("croft run -d --name=late --read-only /trees/app sleep 1000 & for i in $(seq 50); do croft list | grep 'late  *starting' && break; sleep 0.1; done; croft stop --now late; echo $?; wait $!; echo $?").check()
    assert ran.stdout.split()[1] == "starting" and ran.stdout.splitlines()[-2:] == ["0", "0"], ran
    assert state(host, "late") in ("exited", "failed")
    host.run("croft rm late; rm /etc/croft/machines/late.machine /run/systemd/system/slow.service; systemctl daemon-reload").check()


def test_machines_wait_for_each_other(host):
    host.run("printf '[Unit]\\nAfter=croft-base.service\\nBindsTo=croft-base.service\\n' >/etc/croft/machines/upper.machine").check()
    host.run("croft run -d --name=base --read-only /trees/app sleep 1000 && croft run -d --name=upper --read-only /trees/app sleep 1000").check()
    host.run("systemctl stop croft-base.service").check()
    wait_for(lambda: state(host, "upper") in ("exited", "failed"), 30)
    host.run("croft rm base upper; rm /etc/croft/machines/upper.machine").check()


def test_files_are_copied_and_bound(host, app):
    app("files")
    host.run("echo content >/srv/one; mkdir -p /srv/dir; echo inside >/srv/dir/f").check()
    host.run("croft cp /srv/one files:/tmp/one && croft cp files:/tmp/one /srv/two && cmp /srv/one /srv/two").check()
    assert host.run("croft exec files stat -c %u /tmp/one").stdout == "0\n"
    host.run("croft bind --mkdir files /srv/dir /mnt/dir").check()
    assert host.run("croft exec files cat /mnt/dir/f").stdout == "inside\n"
    host.run("croft unbind files /mnt/dir").check()


def test_names_of_machines_are_resolved(host, app):
    host.run("ip netns add n1 && ip -n n1 link set lo up && ip -n n1 link add v0 type dummy && ip -n n1 addr add 10.9.8.7/24 dev v0 && ip -n n1 link set v0 up").check()
    app("addr", "--network=/run/netns/n1")
    wait_for(lambda: "addr" in host.run("machinectl list --no-legend --no-pager").stdout.split(), 30)
    assert "10.9.8.7" in host.run("machinectl list --no-legend --no-pager").stdout
    assert "10.9.8.7" in host.run("sed -i 's/^hosts:.*/hosts: files mymachines/' /etc/nsswitch.conf; getent ahosts addr").check().stdout.split()
    host.run("croft rm -f addr; ip netns del n1").check()


def test_a_foreground_machine_is_its_commands_to_clear(host):
    start = "croft run --name=fg --read-only /trees/app sleep 1000 & for i in $(seq 50); do croft list -q --running | grep -q fg && break; sleep 0.2; done; "
    assert host.run(start + "croft stop --now fg; wait $!; echo $?").check().stdout == "137\n"
    assert host.run(start + "croft rm -f fg; wait $!; echo $?").check().stdout == "137\n"
    assert state(host, "fg") is None
    # A command that is killed leaves its machine to systemd, which has the locks too.
    host.run(start + "kill -KILL $!; sleep 0.2").check()
    assert state(host, "fg") == "running"
    assert "taken by a machine that is running" in host.run("croft run --name=fg --read-only /trees/app true").stderr
    host.run("croft stop --now fg")
    # Nobody can tell how it ended; whoever comes next clears it.
    assert state(host, "fg") in (None, "lost")
    host.run("croft run --name=fg --read-only /trees/app true").check()


def test_a_foreground_boot_goes_on_over_a_reboot(host):
    ran = host.run("croft boot --name=fb /trees/bookworm </dev/null >/tmp/fb.log 2>&1 & up() { for i in $(seq 240); do sleep 1; croft list | grep -q 'fb *running' && return; done; }; "
                   "up; croft exec fb systemctl reboot; "
                   # Until its second life, or the order to power off would go to the first, which is about to end.
                   "for i in $(seq 240); do [ $(systemctl show -P NRestarts croft-fb) = 1 ] && break; sleep 1; done; "
                   "up; croft poweroff fb; wait $!; echo $?", timeout=290)
    assert ran.stdout == "0\n", ran
    assert host.run("grep -c 'Welcome to Debian' /tmp/fb.log").stdout == "2\n"
    assert state(host, "fb") is None


def test_a_name_that_is_taken_is_told(host, app):
    app("one")
    ran = host.run("croft run -d --name=one /trees/app true")
    assert ran.status == 125 and "taken by a machine that is running" in ran.stderr


def test_a_terminal_can_be_left_and_attached_again(host):
    script = r"""
import os, pty, sys, time, select
def spawn(argv):
    pid, fd = pty.fork()
    if pid == 0: os.execvp(argv[0], argv)
    return pid, fd
def until(fd, text, seconds=60):
    seen, end = b"", time.time() + seconds
    while text not in seen and time.time() < end:
        if select.select([fd], [], [], 1)[0]:
            try: seen += os.read(fd, 4096)
            except OSError: break
    return seen
pid, fd = spawn(["croft", "run", "-it", "--name=tty", "/trees/app", "sh"])
os.write(fd, b"echo first=$((40+2)); tty\n")
print(until(fd, b"first=42\r\n").decode(errors="replace"))
os.write(fd, b"\x10\x11")
print(until(fd, b"left machine").decode(errors="replace"))
os.waitpid(pid, 0)
print(os.popen("croft list -q --running").read())
pid, fd = spawn(["croft", "attach", "tty"])
os.write(fd, b"\necho second=$((40+3)); exit 9\n")
print(until(fd, b"second=43\r\n").decode(errors="replace"))
until(fd, b"never", 5)
print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    ran = host.run("cat >/tmp/attach-twice.py <<'EOF'\n" + script + "\nEOF\npython3 /tmp/attach-twice.py", timeout=200)
    assert "first=42" in ran.stdout and "left machine 'tty' running" in ran.stdout and "\ntty\n" in ran.stdout, ran
    assert "second=43" in ran.stdout and "status 9" in ran.stdout, ran
    host.run("croft rm -f tty")


# ---------------------------------------------------------------- a launcher that fails, or is killed


def test_a_launcher_that_fails_or_is_killed_leaves_nothing(host):
    for option in ("--fail-step", "--kill-step"):
        for step in (0, 7, 20, 33):
            host.run(f"croft run --name=walk {option}={step} /trees/app true", timeout=120)
            host.run("croft rm -f walk 2>/dev/null; croft run --name=walk /trees/app true", timeout=120).check()
    wait_for(lambda: "walk" not in left(host), 30)


# ---------------------------------------------------------------- a booted system


def test_debian_boots_and_systemd_knows(host, booted):
    assert host.run(f"croft exec {booted} systemctl is-system-running --wait", timeout=240).stdout == "running\n"
    unit = show(host, "croft-deb.service", "ActiveState", "StatusText", "NRestarts")
    assert unit["ActiveState"] == "active" and unit["StatusText"], unit
    assert state(host, "deb") == "running"


def test_the_booted_system_manages_its_own_cgroups(host, booted):
    controllers = host.run(f"croft exec {booted} cat /sys/fs/cgroup/cgroup.controllers").check().stdout.split()
    assert {"memory", "pids"} <= set(controllers)
    limit = host.run(f"croft exec {booted} systemd-run --quiet --wait --pipe -p TasksMax=33 sh -c 'cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/pids.max'", timeout=120)
    assert limit.check().stdout == "33\n"
    assert host.run(f"croft exec {booted} sh -c 'echo max >/sys/fs/cgroup/memory.max'").status != 0


def test_machined_knows_the_machine(host, booted):
    machines = host.run("machinectl list --no-legend --no-pager").check().stdout
    assert machines.split()[:3] == ["deb", "container", "croft"]
    status = host.run("machinectl status deb --no-pager").check().stdout
    assert "croft-deb.service" in status and "Debian" in status
    assert host.run("machinectl shell deb /bin/echo from-the-shell </dev/null", timeout=120).stdout.strip() == "from-the-shell"
    assert host.run("systemd-run -M deb --wait --pipe --quiet id -un", timeout=120).check().stdout == "root\n"
    assert "dbus.service" in host.run("systemctl -M deb list-units --no-pager --plain").check().stdout
    assert host.run("journalctl -M deb --no-pager -n 5").check().stdout.strip()
    assert "org.freedesktop.systemd1" in host.run("busctl -M deb --no-pager list").check().stdout
    host.run("loginctl -M deb --no-pager list-sessions").check()
    host.run("machinectl copy-from deb /usr/lib/os-release /tmp/os-release && grep bookworm /tmp/os-release").check()


def test_machinectl_logs_in(host, booted):
    script = r"""
import os, pty, select, time
pid, fd = pty.fork()
if pid == 0: os.execvp("machinectl", ["machinectl", "login", "deb"])
def until(text, seconds=100):
    seen, end = b"", time.time() + seconds
    while text not in seen and time.time() < end:
        if select.select([fd], [], [], 1)[0]: seen += os.read(fd, 4096)
    return text in seen
print(until(b"login:"))
os.write(fd, b"root\n")
print(until(b"# "))
os.write(fd, b"echo in=$((40+2))-$(cat /proc/1/comm)\n")
print(until(b"in=42-systemd"))
os.write(fd, b"exit\n")
try: until(b"terminated", 20)
except OSError: pass
os.kill(pid, 9)
"""
    host.run("croft exec deb passwd -d root").check()
    ran = host.run("cat >/tmp/login.py <<'EOF'\n" + script + "\nEOF\npython3 /tmp/login.py", timeout=200)
    assert ran.stdout == "True\nTrue\nTrue\n", ran


def test_apps_are_registered_too(host, app):
    app("reg")
    wait_for(lambda: "reg" in host.run("machinectl list --no-legend --no-pager").stdout.split(), 30)


def test_machinectl_terminates_and_the_end_is_recorded(host, app):
    app("term")
    wait_for(lambda: "term" in host.run("machinectl list --no-legend --no-pager").stdout.split(), 30)
    host.run("machinectl terminate term").check()
    wait_for(lambda: state(host, "term") in ("exited", "failed"), 60)


def test_a_reboot_from_inside_is_a_restart_of_the_unit(host, booted):
    before = show(host, "croft-deb.service", "MainPID", "NRestarts")
    host.run(f"croft exec {booted} systemctl reboot", timeout=60)
    wait_for(lambda: show(host, "croft-deb.service", "NRestarts")["NRestarts"] != before["NRestarts"], 120)
    wait_for(lambda: state(host, "deb") == "running", 240)
    after = show(host, "croft-deb.service", "MainPID", "NRestarts")
    assert after["MainPID"] != before["MainPID"] and int(after["NRestarts"]) == int(before["NRestarts"]) + 1
    assert host.run("machinectl list --no-legend --no-pager").stdout.split()[:1] == ["deb"]
    assert host.run(f"croft exec {booted} systemctl is-system-running --wait", timeout=240).stdout == "running\n"


def test_the_console_is_there(host, booted):
    assert "Debian GNU/Linux" in host.run("journalctl -u croft-deb --no-pager").stdout
    script = r"""
import os, pty, select, time
pid, fd = pty.fork()
if pid == 0: os.execvp("croft", ["croft", "attach", "deb"])
seen, end = b"", time.time() + 60
os.write(fd, b"\n")
while b"login:" not in seen and time.time() < end:
    if select.select([fd], [], [], 1)[0]: seen += os.read(fd, 4096)
os.write(fd, b"\x10\x11")
os.waitpid(pid, 0)
print(b"login:" in seen)
"""
    for _ in range(2):
        ran = host.run("cat >/tmp/console.py <<'EOF'\n" + script + "\nEOF\npython3 /tmp/console.py", timeout=120)
        assert ran.stdout == "True\n", ran


def test_poweroff_from_inside_ends_the_unit_well(host, booted):
    host.run(f"croft exec {booted} systemctl poweroff", timeout=60)
    wait_for(lambda: state(host, "deb") == "exited", 120)
    assert host.run("systemctl is-failed croft-deb.service").stdout.strip() in ("inactive", "unknown")
    assert host.run("machinectl list --no-legend --no-pager").stdout.split() == []
    host.run("croft rm deb").check()


def test_boot_without_private_users_waits_for_readiness_too(host):
    ran = host.run("croft boot -d --private-users=no --name=plain --ready-timeout=280s /trees/bookworm", timeout=290).check()
    assert show(host, "croft-plain.service", "ActiveState") == {"ActiveState": "active"}
    assert host.run("croft exec plain systemctl is-active multi-user.target", timeout=100).stdout == "active\n"
    assert host.run("pgrep -c croft-launch; true").stdout == "0\n"
    wait_for(lambda: "plain" in host.run("machinectl list --no-legend --no-pager").stdout.split(), 30)
    # Into a machine with private users machined cannot write (the kernel has no id for its files there); croft cp and bind can.
    host.run("echo hello >/tmp/hello; machinectl copy-to plain /tmp/hello /root/hello && mkdir -p /srv/bound && echo bound >/srv/bound/f && machinectl --mkdir bind plain /srv/bound /mnt/b").check()
    assert host.run("croft exec plain cat /root/hello /mnt/b/f").stdout == "hello\nbound\n"
    host.run("machinectl poweroff plain").check()
    wait_for(lambda: state(host, "plain") == "exited", 200)
    host.run("croft rm plain").check()


def test_the_inner_systemd_keeps_the_watchdog_quiet(host):
    host.run("mkdir -p /etc/croft/machines; printf '[Service]\\nWatchdogSec=20s\\n' >/etc/croft/machines/dog.machine").check()
    host.run("croft boot -d --name=dog --ready-timeout=280s /trees/bookworm", timeout=290).check()
    first = show(host, "croft-dog.service", "WatchdogTimestampMonotonic")
    wait_for(lambda: show(host, "croft-dog.service", "WatchdogTimestampMonotonic") != first, 60)
    assert show(host, "croft-dog.service", "NRestarts") == {"NRestarts": "0"}
    host.run("croft pause dog")
    host.run("croft resume dog")
    host.run("croft rm -f dog; rm /etc/croft/machines/dog.machine", timeout=120).check()


def test_after_all_of_it_nothing_is_left(host):
    host.run("for name in $(croft list -q); do croft rm -f $name; done", timeout=120)
    nothing_left(host)
