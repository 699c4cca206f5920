"""podman 4.3 for a user who is not root: the runtime runs in podman's user namespace, as its root."""

import shlex

import pytest
from places import CONTAINERS_CONF, POLICY, Engine

IMAGE = "localhost/bb:1"


class UserEngine(Engine):
    def __call__(self, script, **more):
        at = f"{self.home}/script"
        return self.place.run(f"cat >{at} <<'END-OF-SCRIPT'\n{self.prelude}\n{script}\nEND-OF-SCRIPT\n{self.as_user} bash {at}", timeout=240, **more)


@pytest.fixture(scope="module")
def podman(place):
    if place.systemd:
        uid, home, user = 1001, "/home/alice", "alice"
        as_user = "systemd-run -q --user --machine=alice@ --pipe --wait -p KillMode=process --"
        runtime_dir = "/run/user/1001"
    else:
        uid, home, user = 4242, place.work / "home", "engines"
        runtime_dir = "/run/user/4242"
        as_user = f"setpriv --reuid 4242 --regid 4242 --clear-groups env -i HOME={home} USER={user} XDG_RUNTIME_DIR={runtime_dir} PATH=$PATH TERM=dumb"
        place.run(f"echo 'engines:x:4242:4242::{home}:/bin/sh' >>/etc/passwd; echo 'engines:x:4242:' >>/etc/group; "
                  f"mkdir -p {home} {runtime_dir}; chown 4242:4242 {home} {runtime_dir}; chmod 700 {runtime_dir}").check()
    manager = "systemd" if place.systemd else "cgroupfs"
    conf = CONTAINERS_CONF.format(more="" if place.limits else "pids_limit=0")
    place.run(f"for f in /etc/subuid /etc/subgid; do grep -q ^{user}: $f || echo {user}:500000:65536 >>$f; done; mkdir -p /etc/containers {home}; "
              f"[ -e /etc/containers/policy.json ] || echo '{POLICY}' >/etc/containers/policy.json\n"
              f"cat >{home}/containers.conf <<'E'\n{conf}E\n").check()
    engine = UserEngine(place, f"""
cd {home}
export CONTAINERS_CONF={home}/containers.conf
podman() {{ command podman --storage-driver overlay --cgroup-manager {manager} --runtime {place.runtime} "$@"; }}
""")
    engine.home, engine.as_user = home, as_user
    engine.ok(f"podman load -q -i {place.files}/bb.tar")
    yield engine
    engine("podman rm -f -a -t 0; podman pod rm -f -a; podman system migrate")


@pytest.fixture(scope="module")
def running(podman):
    podman.ok(f"podman run -d --name lives --network none --hostname inside {IMAGE} sh -c 'trap exit TERM; while :; do sleep 0.2; done'")
    yield "lives"
    podman("podman rm -f -t 0 lives")


def test_run(podman):
    assert podman.ok(f"podman run --rm --network none --hostname inside {IMAGE} sh -c 'hostname; id -u; echo $BB'") == "inside\n0\nfrom-image"
    assert podman(f"podman run --rm --network none {IMAGE} sh -c 'exit 7'").status == 7
    assert podman(f"podman run --rm --network none {IMAGE} no-such-command").status == 127
    assert podman(f"podman run --rm --network none {IMAGE} /srv/plain").status == 126
    assert podman.ok(f"podman run --rm --network none -u user {IMAGE} sh -c 'id -u; touch /tmp/x && stat -c %u /tmp/x'") == "1000\n1000"


def test_exec(podman, running):
    assert podman.ok(f"podman exec {running} sh -c 'hostname; id -u'") == "inside\n0"
    assert podman(f"podman exec {running} sh -c 'exit 9'").status == 9
    assert podman.ok(f"podman exec -u user {running} id -un") == "user"
    assert "/dev/" in podman.ok("script -qec " + shlex.quote(f"podman --storage-driver overlay exec -it {running} tty") + " /dev/null </dev/null")


@pytest.mark.here
def test_the_users_own_id_is_kept(podman, place):
    uid = "1001" if place.systemd else "4242"
    assert podman.ok(f"podman run --rm --network none --userns keep-id {IMAGE} id -u") == uid
    assert podman.ok(f"echo mine >mine; chmod 600 mine; podman run --rm --network none --userns keep-id -v ./mine:/mine {IMAGE} cat /mine") == "mine"


@pytest.mark.here
def test_security(podman):
    assert "Seccomp:\t2" in podman.ok(f"podman run --rm --network none {IMAGE} cat /proc/self/status")
    assert "CapEff:\t0000000000000000" in podman.ok(f"podman run --rm --network none --cap-drop all {IMAGE} cat /proc/self/status")
    assert podman.ok(f"podman run --rm --network none --privileged {IMAGE} sh -c 'mount -t tmpfs x /srv && echo mounted'") == "mounted"
    assert podman.ok(f"podman run --rm --network none --read-only {IMAGE} sh -c 'touch /x 2>/dev/null || echo refused'") == "refused"
    assert podman.ok(f"podman run --rm --network none --device /dev/full:/dev/brimful {IMAGE} ls /dev/brimful") == "/dev/brimful"


@pytest.mark.here
def test_ports_are_published(podman):
    podman.ok(f"podman run -d --name published --network slirp4netns -p 127.0.0.1:18081:80 {IMAGE} httpd -f -p 80 -h /srv")
    try:
        assert podman.ok("for i in 1 2 3 4 5 6 7 8 9 10; do busybox wget -qO- http://127.0.0.1:18081/ && break; sleep 0.5; done") == "served"
    finally:
        podman("podman rm -f -t 0 published")


def test_pause_and_limits_where_the_user_has_a_cgroup(podman, place):
    if not place.systemd:
        return
    podman.ok(f"podman run -d --name limited --network none -m 64m --pids-limit 50 {IMAGE} sleep 1000")
    assert podman.ok("podman exec limited cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max") == "67108864\n50"
    podman.ok("podman pause limited; podman unpause limited; podman rm -f -t 0 limited")
