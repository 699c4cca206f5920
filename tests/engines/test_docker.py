"""Docker 20.10: dockerd with the runtime under test as its default."""

import json

import pytest
from places import Engine

IMAGE = "localhost/bb:1"


@pytest.fixture(scope="module")
def docker(place):
    work = place.work / "docker"
    driver = "systemd" if place.systemd else "cgroupfs"
    socket = "/run/docker-test/sock"
    daemon = (f"dockerd --data-root {work}/data --exec-root /run/docker-test/exec --pidfile /run/docker-test/pid -H unix://{socket} "
              f"--iptables=false --ip6tables=false --bridge=none --storage-driver overlay2 --exec-opt native.cgroupdriver={driver} "
              f"--add-runtime tried={place.runtime} --default-runtime tried")
    prelude = f"""
cd {work}
export DOCKER_HOST=unix://{socket} DOCKER_BUILDKIT=0 DOCKER_CONFIG={work}/client PATH=/usr/sbin:/usr/bin:/sbin:/bin
until_says() {{ for i in $(seq 120); do [ "$(docker inspect -f '{{{{.State.Health.Status}}}}' "$1")" = "$2" ] && return; sleep 0.5; done; return 1; }}
"""
    start = f"systemd-run -q --unit=dockerd-test -p Delegate=yes {daemon}" if place.systemd else f"setsid {daemon} >{work}/log 2>&1 &"
    place.run(f"export PATH=/usr/sbin:/usr/bin:/sbin:/bin; mkdir -p {work}/client /run/docker-test; cd {work}; ulimit -n $(ulimit -Hn)\n{start}\n"
              f"for i in $(seq 600); do docker -H unix://{socket} version >/dev/null 2>&1 && exit 0; sleep 0.1; done; tail -20 {work}/log; exit 1", timeout=200).check()
    engine = Engine(place, prelude)
    engine.ok(f"docker load -q -i {place.files}/bb.tar")
    yield engine
    engine("docker ps -aq | xargs -r docker rm -f")
    place.run("systemctl stop dockerd-test" if place.systemd else "kill $(cat /run/docker-test/pid); for i in $(seq 100); do [ -e /run/docker-test/pid ] || break; sleep 0.1; done")


@pytest.fixture(scope="module")
def running(docker):
    docker.ok(f"docker run -d --name lives --network none --hostname inside -e COLOUR=green {IMAGE} sh -c 'trap \"exit 3\" TERM; while :; do sleep 0.1; done'")
    yield "lives"
    docker("docker rm -f lives")


def test_run(docker):
    assert docker.ok(f"docker run --rm --network none --hostname inside {IMAGE} sh -c 'hostname; echo $BB'") == "inside\nfrom-image"
    assert docker(f"docker run --rm --network none {IMAGE} sh -c 'exit 7'").status == 7
    assert docker.ok(f"echo fed | docker run --rm -i --network none {IMAGE} cat") == "fed"
    assert docker(f"docker run --rm --network none {IMAGE} no-such-command").status == 127
    assert docker(f"docker run --rm --network none {IMAGE} /srv/plain").status == 126
    assert "/dev/" in docker.ok(f"script -qec 'docker run --rm -it --network none {IMAGE} tty' /dev/null </dev/null")
    assert docker.ok(f"docker run --rm --network none -u 1000:2000 -w /srv {IMAGE} sh -c 'id -u; id -g; pwd'") == "1000\n2000\n/srv"


def test_exec(docker, running):
    assert docker.ok(f"docker exec {running} sh -c 'hostname; echo $COLOUR'") == "inside\ngreen"
    assert docker(f"docker exec {running} sh -c 'exit 9'").status == 9
    assert docker(f"docker exec {running} no-such-command").status in (126, 127)
    assert docker.ok(f"echo fed | docker exec -i {running} cat") == "fed"
    assert "/dev/" in docker.ok(f"script -qec 'docker exec -it {running} tty' /dev/null </dev/null")
    assert docker.ok(f"docker exec -u user -w /srv -e A=b {running} sh -c 'id -un; pwd; echo $A'") == "user\n/srv\nb"


def test_pause_top_stop_kill(docker, running):
    docker.ok(f"docker pause {running}")
    assert docker.ok(f"docker inspect -f '{{{{.State.Status}}}}' {running}") == "paused"
    assert "is paused" in docker(f"docker exec {running} true").stderr
    docker.ok(f"docker unpause {running}")
    assert "sh -c" in docker.ok(f"docker top {running}")
    docker.ok(f"docker run -d --name cycles --network none {IMAGE} sh -c 'trap \"exit 3\" TERM; trap \"echo got-usr1\" USR1; while :; do sleep 0.1; done'")
    docker.ok("sleep 1; docker kill -s USR1 cycles; sleep 1")
    assert "got-usr1" in docker.ok("docker logs cycles")
    docker.ok("docker stop -t 20 cycles")
    assert docker.ok("docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' cycles") == "exited 3"
    docker.ok("docker start cycles; docker restart -t 5 cycles; docker rm -f cycles")


@pytest.mark.here
def test_settings(docker):
    status = "cat /proc/self/status"
    assert "CapEff:\t0000000000000000" in docker.ok(f"docker run --rm --network none --cap-drop all {IMAGE} {status}")
    assert "Seccomp:\t2" in docker.ok(f"docker run --rm --network none {IMAGE} {status}")
    assert docker.ok(f"docker run --rm --network none --init {IMAGE} cat /proc/1/comm") == "docker-init"
    assert docker.ok(f"docker run --rm --network none --privileged {IMAGE} sh -c 'mount -t tmpfs x /srv && echo mounted'") == "mounted"
    assert docker.ok(f"docker run --rm --network none --read-only --tmpfs /tmp {IMAGE} sh -c 'touch /x 2>/dev/null || echo refused; touch /tmp/x'") == "refused"
    assert docker.ok(f"docker run --rm --network none --ulimit nofile=123:456 --shm-size 2m {IMAGE} sh -c 'ulimit -n; df -k /dev/shm | tail -n1 | tr -s \" \" | cut -d\" \" -f2'") == "123\n2048"
    assert docker.ok(f"docker run --rm --network none --device /dev/full:/dev/brimful {IMAGE} sh -c 'stat -c %t:%T /dev/brimful'") == "1:7"
    assert docker.ok(f"mkdir -p vol; echo kept >vol/f; docker run --rm --network none -v $PWD/vol:/data:ro {IMAGE} sh -c 'cat /data/f; touch /data/x 2>/dev/null || echo refused'") == "kept\nrefused"
    docker.ok(f"docker run -d --name shares --network none {IMAGE} sleep 1000")
    assert docker.ok(f"docker run --rm --network container:shares --pid container:shares {IMAGE} cat /proc/1/comm") == "sleep"
    docker.ok("docker rm -f shares")


def test_health(docker):
    docker.ok(f"docker run -d --name healthy --network none --health-cmd 'test -e /tmp/ok' --health-interval 1s --health-retries 1 {IMAGE} sleep 1000")
    docker.ok("until_says healthy unhealthy")
    docker.ok("docker exec healthy touch /tmp/ok; until_says healthy healthy; docker rm -f healthy")


@pytest.mark.here
def test_build(docker):
    docker.ok(f"""mkdir -p context; cat >context/Dockerfile <<'E'
FROM {IMAGE}
RUN echo built >/result && id -u >>/result
USER user
RUN id -un >/tmp/who
E
docker build --network none -q -t localhost/built:1 context""")
    assert docker.ok("docker run --rm --network none localhost/built:1 cat /result /tmp/who") == "built\n0\nuser"
    assert docker(f"printf 'FROM {IMAGE}\\nRUN exit 42\\n' | docker build --network none -").status != 0


def test_limits_update_and_stats(docker, place):
    if not place.limits:
        return  # dockerd knows by itself that this host has no such controllers and leaves limits out
    docker.ok(f"docker run -d --name limited --network none -m 64m --cpus 0.5 --pids-limit 50 {IMAGE} sleep 1000")
    at = docker.ok("cat /proc/$(docker inspect -f '{{.State.Pid}}' limited)/cgroup").split("::")[1]
    assert docker.ok(f"cd /sys/fs/cgroup{at}; cat memory.max cpu.max pids.max") == "67108864\n50000 100000\n50"
    docker.ok("docker update -m 96m --memory-swap 96m --cpus 0.25 --pids-limit 60 limited")
    assert docker.ok(f"cd /sys/fs/cgroup{at}; cat memory.max cpu.max pids.max") == "100663296\n25000 100000\n60"
    stats = json.loads(docker.ok("docker stats --no-stream --format '{{json .}}' limited"))
    assert stats["PIDs"] == "1" and "96MiB" in stats["MemUsage"], stats
    docker.ok("docker rm -f limited")
