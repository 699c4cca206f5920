"""containerd 1.6 by its `ctr`: the shim calls the runtime as Kubernetes' does."""

import json

import pytest
from places import Engine

IMAGE = "localhost/bb:1"
CONFIG = """version = 2
root = "{work}/root"
state = "/run/containerd-test/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing"]
[grpc]
address = "/run/containerd-test/sock"
[plugins."io.containerd.internal.v1.opt"]
path = "{work}/opt"
"""


@pytest.fixture(scope="module")
def ctr(place):
    work = place.work / "containerd"
    groups = "--runc-systemd-cgroup" if place.systemd else ""
    prelude = f"""
cd /
ctr() {{ command ctr -a /run/containerd-test/sock "$@"; }}
# ctr's run with the runtime under test. The container's ID is the word after the image.
start() {{ ctr run --runc-binary {place.runtime} {groups} "$@"; }}
group() {{ {"echo --cgroup system.slice:ctr:$1" if place.systemd else ":"}; }}
gone() {{ for i in $(seq 100); do ctr task ls | grep "^$1 " | grep -qv STOPPED || return 0; sleep 0.1; done; return 1; }}
"""
    begin = "systemd-run -q --unit=containerd-test -p Delegate=yes -E PATH" if place.systemd else "setsid"
    background = "" if place.systemd else f">{work}/log 2>&1 & echo $! >/run/containerd-test/pid"
    place.run(f"mkdir -p {work} /run/containerd-test; cat >{work}/config.toml <<'E'\n{CONFIG.format(work=work)}E\n"
              # With maps of users this ctr forgets which runtime it was told, and runc is what the shim finds.
              f"mkdir -p {work}/bin; ln -sf {place.runtime} {work}/bin/runc; export PATH={work}/bin:$PATH\n"
              f"{begin} containerd -c {work}/config.toml {background}\n"
              f"for i in $(seq 300); do ctr -a /run/containerd-test/sock version >/dev/null 2>&1 && exit 0; sleep 0.1; done; tail -5 {work}/log; exit 1").check()
    engine = Engine(place, prelude)
    engine.ok(f"ctr images import {place.files}/bb.tar")
    yield engine
    engine("for t in $(ctr task ls -q); do ctr task kill -s KILL $t; done; sleep 1; for c in $(ctr c ls -q); do ctr task rm -f $c; ctr c rm $c; done")
    place.run("systemctl stop containerd-test" if place.systemd else "kill $(cat /run/containerd-test/pid); sleep 1")


@pytest.fixture(scope="module")
def task(ctr):
    ctr.ok(f"start -d --pid-file /run/t.pid $(group lives) {IMAGE} lives sh -c 'trap \"exit 3\" TERM; while :; do sleep 0.1; done'")
    yield "lives"
    ctr("ctr task kill -s KILL lives; gone lives; ctr task rm -f lives; ctr c rm lives")


def test_run(ctr):
    assert ctr.ok(f"start --rm $(group r1) {IMAGE} r1 sh -c 'echo $BB; id -u; hostname >/dev/null'") == "from-image\n0"
    assert ctr(f"start --rm $(group r2) {IMAGE} r2 sh -c 'exit 7'").status == 7
    ran = ctr(f"start --rm $(group r3) {IMAGE} r3 no-such-command")
    assert ran.status != 0 and "executable file not found in $PATH" in ran.stderr, ran
    assert "/dev/" in ctr.ok(f"""script -qec "$(declare -f ctr start group); start --rm -t $(group r4) {IMAGE} r4 tty" /dev/null </dev/null""")


@pytest.mark.here
def test_exec(ctr, task):
    assert ctr.ok(f"ctr task exec --exec-id e1 {task} sh -c 'echo in; cat /proc/1/comm'") == "in\nsh"
    assert ctr(f"ctr task exec --exec-id e2 {task} sh -c 'exit 9'").status == 9
    ran = ctr(f"ctr task exec --exec-id e3 {task} no-such-command")
    assert ran.status != 0 and "executable file not found in $PATH" in ran.stderr, ran
    assert "/dev/" in ctr.ok(f"""script -qec "$(declare -f ctr); ctr task exec -t --exec-id e4 {task} tty" /dev/null </dev/null""")
    assert ctr.ok(f"ctr task exec --exec-id e5 --cwd /srv --user 1000:2000 {task} sh -c 'pwd; id -u; id -g'") == "/srv\n1000\n2000"


def test_ps_pause_resume(ctr, task):
    assert ctr.ok("cat /run/t.pid") in ctr.ok(f"ctr task ps {task}")
    ctr.ok(f"ctr task pause {task}")
    assert "PAUSED" in ctr.ok(f"ctr task ls | grep {task}")
    ctr.ok(f"ctr task resume {task}")
    assert "RUNNING" in ctr.ok(f"ctr task ls | grep {task}")


def test_kill_and_delete(ctr):
    ctr.ok(f"start -d $(group k1) {IMAGE} k1 sh -c 'trap \"exit 3\" TERM; while :; do sleep 0.1; done'")
    assert ctr("ctr task rm k1").status != 0
    ctr.ok("sleep 1; ctr task kill k1; gone k1")
    ran = ctr("ctr task rm k1")
    assert ran.status == 3 or "exit code 3" in ran.stderr, ran
    ctr.ok("ctr c rm k1")
    ctr.ok(f"start -d $(group k2) {IMAGE} k2 sleep 1000; ctr task rm -f k2; ctr c rm k2")


@pytest.mark.here
def test_settings(ctr):
    status = "cat /proc/self/status"
    assert "Seccomp:\t2" in ctr.ok(f"start --rm --seccomp $(group s1) {IMAGE} s1 {status}")
    assert ctr.ok(f"start --rm --read-only $(group s2) {IMAGE} s2 sh -c 'touch /x 2>/dev/null || echo refused'") == "refused"
    assert ctr.ok(f"start --rm --privileged $(group s3) {IMAGE} s3 sh -c 'mount -t tmpfs x /srv && echo mounted'") == "mounted"
    assert ctr.ok(f"start --rm --uidmap 0:200000:5000 --gidmap 0:300000:5000 $(group s4) {IMAGE} s4 cat /proc/self/uid_map /proc/self/gid_map").split() \
        == "0 200000 5000 0 300000 5000".split()
    assert ctr.ok(f"start --rm --cap-drop CAP_NET_RAW --net-host $(group s5) {IMAGE} s5 sh -c 'cat /proc/net/dev | grep -c lo:'") == "1"
    assert ctr.ok(f"start --rm --mount type=bind,src=/usr,dst=/srv,options=rbind:ro $(group s6) {IMAGE} s6 sh -c 'ls /srv | grep -x share'") == "share"


def test_limits_and_metrics(ctr, place):
    if not place.limits:
        ran = ctr(f"start --rm --memory-limit 64000000 {IMAGE} m0 true")
        assert ran.status != 0 and "memory" in ran.stderr, ran
        return
    ctr.ok(f"start -d --memory-limit 67108864 --cpu-quota 50000 --cpu-period 100000 $(group m1) {IMAGE} m1 sleep 1000")
    at = ctr.ok("cat /proc/$(ctr task ls | awk '$1 == \"m1\" { print $2 }')/cgroup").split("::")[1]
    assert ctr.ok(f"cat /sys/fs/cgroup{at}/memory.max /sys/fs/cgroup{at}/cpu.max") == "67108864\n50000 100000"
    metrics = json.loads(ctr.ok("ctr task metrics --format json m1"))
    assert int(metrics["memory"]["usage_limit"]) == 67108864 and int(metrics["pids"]["current"]) == 1, metrics
    ctr.ok("ctr task rm -f m1; ctr c rm m1")
