"""Crash-only: whatever of croft or of the host's services is killed, re-executed or full, what runs goes on, what fails says
so, and nothing is left. One host, because each of these disturbs it; apps, because a guest is slow.
"""

import time

import pytest
from asking import left, machines, nothing_left, states, wait_for
from test_bus_vm import SETUP
from vm import BUILD, ROOT, Host

# On one core of a guest that is ten times slower than its host, so many that they overlap for a minute.
MANY = 50
NAMES = [f"m{number}" for number in range(MANY)]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    for program in ("croft", "croftd", "croft-systemd", "croft-launch"):
        if not (BUILD / "src/apps" / program).exists():
            pytest.fail(f"{BUILD}/src/apps/{program} is not built")
    rules = tmp_path_factory.mktemp("bus") / "rules"
    rules.write_text("polkit.addRule(function(a, s) { if (s.user == 'alice' && a.id.indexOf('org.croft.Croft1.') == 0) return polkit.Result.YES; });")
    rules.chmod(0o644)
    with Host("bookworm", trees=["app"], files={"rules": rules, "dbus": ROOT / "dbus", "units": ROOT / "units"}) as host:
        host.run(SETUP).check()
        yield host


def stop_all(host):
    host.run("croft rm -qf --all", timeout=280)
    nothing_left(host, 60)


@pytest.mark.timeout(1300)
def test_croftd_is_killed_at_random_and_nobody_notices(host):
    """Fifty machines are started and some of them stopped, every fifth over the bus, while croftd dies every other second or
    two and somebody asks it all the time."""
    script = f"""
import os, random, signal, subprocess, sys
random.seed(7)
names = {NAMES!r}
def killer():
    import time
    while True:
        time.sleep(random.uniform(1, 3))
        subprocess.run(["pkill", "-KILL", "-x", "croftd"])
def asker():
    while True:
        subprocess.run(["busctl", "--system", "call", "org.croft.Croft1", "/org/croft/Croft1", "org.croft.Croft1.Manager", "ListMachines"], capture_output=True)
pids = []
for work in (killer, asker):
    pid = os.fork()
    if pid == 0: work()
    pids.append(pid)
def by_root(*words):
    ran = subprocess.run(["croft", *words], capture_output=True, text=True)
    if ran.returncode: sys.exit(f"{{words}}: {{ran.stderr}}")
def over_the_bus(*words):
    # A caller whose daemon died does what any caller does: it asks again.
    for _ in range(100):
        ran = subprocess.run(["runuser", "-u", "alice", "--", "croft", "--system", *words], capture_output=True, text=True)
        if ran.returncode == 0 or "taken by a machine" in ran.stderr or "no machine" in ran.stderr or "is exited" in ran.stderr: return
    sys.exit(f"{{words}}: {{ran.stderr}}")
try:
    for number, name in enumerate(names):
        do = by_root if number % 5 else over_the_bus
        do("run", "-d", "--read-only", "--name=" + name, "/trees/app", "sleep", "infinity")
        if len(name) % 2 == 0: do("stop", "--now", name)
finally:
    for pid in pids: os.kill(pid, signal.SIGKILL)
print("done")
"""
    ran = host.run(f"cat >/root/crash.py <<'EOF'\n{script}\nEOF\npython3 /root/crash.py", timeout=1200)
    assert ran.stdout.strip().endswith("done"), ran
    wanted = {name: "running" if len(name) % 2 else "exited" for name in NAMES}
    wait_for(lambda: {name: state for name, state in states(host).items()} == wanted, 60)
    # And it knows all of it again when the bus brings it back.
    listed = host.run("busctl --system --json=short call org.croft.Croft1 /org/croft/Croft1 org.croft.Croft1.Manager ListMachines").check().stdout
    assert all(f'"{name}"' in listed for name in NAMES)
    stop_all(host)


def test_a_job_goes_on_without_croftd(host):
    host.run("croft run -d --name=job --read-only /trees/app sleep infinity").check()
    host.run("(runuser -u alice -- croft --system exec job sh -c 'echo >/dev/shm/begun; sleep 4; echo finished >/dev/shm/mark' >/dev/null 2>&1 &) ; "
             "for i in $(seq 100); do croft exec job test -e /dev/shm/begun && break; sleep 0.2; done; pkill -KILL -x croftd", timeout=100).check()
    wait_for(lambda: host.run("croft exec job cat /dev/shm/mark").stdout == "finished\n", 60)
    stop_all(host)


def test_systemd_is_reexecuted_and_reloaded_under_load(host):
    for name in NAMES[:6]:
        host.run(f"croft run -d --name={name} --read-only /trees/app sleep infinity", timeout=60).check()
    before = {name: machine["leader"] for name, machine in machines(host).items()}
    host.run("(for i in 1 2 3 4 5 6 7 8; do croft run --read-only /trees/app true || echo failed-$i; done >/run/load 2>&1; echo end >>/run/load) & "
             "sleep 1; systemctl daemon-reexec; sleep 1; systemctl daemon-reload; sleep 1; systemctl daemon-reexec; wait", timeout=200).check()
    assert host.run("cat /run/load").stdout == "end\n"
    assert {name: machine["leader"] for name, machine in machines(host).items()} == before
    assert set(states(host).values()) == {"running"}
    # systemd still has the locks: the names are taken, and the machines can be stopped.
    assert "taken by a machine that is running" in host.run("croft run -d --name=m0 --read-only /trees/app true").stderr
    host.run("croft stop --all", timeout=200).check()
    stop_all(host)


def test_the_bus_breaks_in_mid_call(host):
    host.run("croft run -d --name=web --read-only /trees/app sleep infinity").check()
    host.run("systemctl restart dbus.service", timeout=60)
    wait_for(lambda: host.run("busctl --system list >/dev/null").status == 0, 60)
    assert states(host)["web"] == "running"
    assert host.run("croft exec web echo alive").stdout == "alive\n"
    wait_for(lambda: host.run("croft run --read-only /trees/app true").status == 0, 90)
    host.run("croft stop --now web", timeout=60).check()
    stop_all(host)


def test_without_a_bus_root_talks_to_systemd_itself(host):
    host.run("systemctl stop dbus.socket dbus.service croftd.service 2>/dev/null; true", timeout=60)
    assert host.run("busctl --system list").status != 0
    ran = host.run("croft run --read-only /trees/app sh -c 'echo works; exit 5'", timeout=60)
    assert (ran.status, ran.stdout) == (5, "works\n"), ran
    host.run("croft run -d --name=nobus --read-only /trees/app sleep infinity && croft pause nobus && croft resume nobus && croft stop --now nobus", timeout=100).check()
    host.run("systemctl start dbus.socket dbus.service", timeout=60).check()
    stop_all(host)


def test_a_start_that_loses_its_bus_leaves_nothing(host):
    host.run("for i in 1 2 3 4; do (timeout 60 croft run -d --read-only --name=lost$i /trees/app sleep infinity >/dev/null 2>&1 &); done; sleep 0.7; pkill -KILL -x croft-systemd; true")
    time.sleep(3)
    host.run("for i in 1 2 3 4; do croft rm -qf lost$i; done", timeout=120)
    wait_for(lambda: "lost" not in left(host), 60)
    host.run("croft run --name=lost1 --read-only /trees/app true", timeout=60).check()
    stop_all(host)


def test_a_full_run_is_a_sentence_and_leaves_nothing(host):
    host.run("mkdir -p /srv/fullrun && mount -t tmpfs -o size=64k,nr_inodes=40 tmpfs /srv/fullrun && mkdir -p /srv/fullrun/croft").check()
    ran = host.run("dd if=/dev/zero of=/srv/fullrun/fill bs=1k 2>/dev/null; CROFT_RUN_DIR=/srv/fullrun/croft croft run -d --name=full --read-only /trees/app sleep infinity", timeout=60)
    assert ran.status == 125 and "No space left on device" in ran.stderr, ran
    host.run("rm /srv/fullrun/fill")
    host.run("CROFT_RUN_DIR=/srv/fullrun/croft croft run --name=full --read-only /trees/app true", timeout=60).check()
    assert host.run("find /srv/fullrun/croft/machines /srv/fullrun/croft/uids -mindepth 1").stdout == ""
    host.run("umount -R /srv/fullrun 2>/dev/null || umount -l /srv/fullrun")


def test_a_full_var_is_a_sentence_and_leaves_nothing(host):
    host.run("mkdir -p /var/lib/machines /var/lib/croft && mount -t tmpfs -o size=256k tmpfs /var/lib/machines && mount -t tmpfs -o size=64k,nr_inodes=24 tmpfs /var/lib/croft").check()
    ran = host.run("croft create --app --from=/trees/app copy", timeout=60)
    assert ran.status not in (0, 128 + 6) and "No space left on device" in ran.stderr, ran
    assert host.run("ls -A /var/lib/machines; ls /etc/croft/machines 2>/dev/null | grep copy").stdout == ""
    # A throwaway machine has its files there.
    host.run("mkdir -p /var/lib/croft/scratch; for i in $(seq 30); do mkdir /var/lib/croft/fill$i 2>/dev/null; done")
    ran = host.run("croft run --name=brim --ephemeral /trees/app sh -c 'echo started'", timeout=60)
    assert (ran.status, ran.stdout) == (125, "") and "No space left on device" in ran.stderr, ran
    assert "brim" not in states(host)
    host.run("rmdir /var/lib/croft/fill*; croft run --name=brim --ephemeral /trees/app sh -c 'head -c 1m /dev/zero >/x; test $? != 0'", timeout=60).check()
    assert host.run("ls -A /var/lib/croft/scratch").stdout == ""
    host.run("umount /var/lib/machines /var/lib/croft").check()


def test_two_administrators_race_for_one_machine(host):
    for _ in range(4):
        ran = host.run("for who in 1 2 3; do (croft run -d --name=race --read-only /trees/app sleep infinity >/run/race.$who 2>&1; echo $? >>/run/race.$who) & done; wait; "
                       "cat /run/race.*; rm /run/race.*", timeout=120).check()
        said = ran.stdout.splitlines()
        assert said.count("0") == 1 and said.count("125") == 2, said
        assert states(host) == {"race": "running"}
        ran = host.run("for who in 1 2 3; do (croft stop --now race >/run/race.$who 2>&1; echo $? >>/run/race.$who) & done; wait; cat /run/race.*; rm /run/race.*", timeout=120)
        assert "0" in ran.stdout.split(), ran
        host.run("croft rm -qf race")
    nothing_left(host)


def test_a_killed_launcher_is_systemds_to_restart(host):
    host.run("croft run -d --name=again --read-only --property=MemoryMax=64M /trees/app sleep infinity").check()
    leader = machines(host)["again"]["leader"]
    host.run(f"kill -KILL {leader}").check()
    wait_for(lambda: states(host)["again"] == "failed", 30)
    assert "SIGKILL" in host.run("croft show again").stdout
    stop_all(host)
