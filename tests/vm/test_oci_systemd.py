"""croft-oci --systemd-cgroup on a host with systemd: a scope for each container, with systemd's own words for its limits."""

import json
import subprocess

import pytest
from vm import BUILD, Host, suites

PROGRAM = BUILD / "src/apps/croft-oci"
SUITES = suites()
GROUP = "/sys/fs/cgroup/user.slice/pre-one.scope"


@pytest.fixture(scope="module", params=SUITES)
def host(request):
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not built")
    with Host(request.param, trees=["app"]) as host:
        yield host


@pytest.fixture
def bundle(host, tmp_path):
    subprocess.run([PROGRAM, "spec", "--bundle", tmp_path], check=True)
    config = json.loads((tmp_path / "config.json").read_text())
    config["root"] = {"path": "/trees/app", "readonly": True}
    config["process"].update(terminal=False, args=["sleep", "600"])
    config["linux"]["cgroupsPath"] = "user.slice:pre:one"
    config["linux"].setdefault("resources", {}).update(
        memory={"limit": 64 << 20, "swap": 128 << 20}, pids={"limit": 50}, cpu={"quota": 150000, "period": 100000, "shares": 512,
                                                                              "cpus": "0"})
    config["annotations"] = {"org.systemd.property.TimeoutStopUSec": "uint64 7000000"}
    host.run(f"mkdir -p /tmp/b; cat >/tmp/b/config.json <<'END'\n{json.dumps(config)}\nEND").check()
    yield "/tmp/b"
    host.run("croft-oci delete --force one")


def show(host, *names):
    words = " ".join(f"-p {name}" for name in names)
    lines = host.run(f"systemctl show {words} pre-one.scope").check().stdout.splitlines()
    return dict(line.split("=", 1) for line in lines)


def created(host, bundle):
    host.run(f"croft-oci --systemd-cgroup create -b {bundle} one </dev/null >/tmp/out 2>&1 || {{ cat /tmp/out; exit 1; }}").check()


def test_a_scope_with_its_limits(host, bundle):
    created(host, bundle)
    assert show(host, "Slice", "Delegate", "MemoryMax", "MemorySwapMax", "TasksMax", "CPUQuotaPerSecUSec", "AllowedCPUs",
                "CPUWeight", "ActiveState", "ControlGroup", "TimeoutStopUSec") == {
        "Slice": "user.slice", "Delegate": "yes", "MemoryMax": str(64 << 20), "MemorySwapMax": str(64 << 20), "TasksMax": "50",
        "CPUQuotaPerSecUSec": "1.500000s", "AllowedCPUs": "0", "CPUWeight": "59", "ActiveState": "active",
        "ControlGroup": "/user.slice/pre-one.scope", "TimeoutStopUSec": "7s"}
    pid = json.loads(host.run("croft-oci state one").check().stdout)["pid"]
    assert host.run(f"cat {GROUP}/cgroup.procs").stdout.split() == [str(pid)]


def test_update_tells_systemd(host, bundle):
    created(host, bundle)
    host.run("croft-oci start one").check()
    host.run("croft-oci --systemd-cgroup update --memory 50M --pids-limit 40 --cpu-quota 120000 one").check()
    assert show(host, "MemoryMax", "TasksMax", "CPUQuotaPerSecUSec") == {
        "MemoryMax": str(50 << 20), "TasksMax": "40", "CPUQuotaPerSecUSec": "1.200000s"}
    # systemd writes what it knows again.
    host.run("systemctl daemon-reload").check()
    assert host.run(f"cat {GROUP}/memory.max {GROUP}/pids.max {GROUP}/cpu.max").stdout.split("\n")[:3] == [
        str(50 << 20), "40", "120000 100000"]
    # An engine need not say again that the container is systemd's.
    host.run("croft-oci update --pids-limit 30 one").check()
    assert show(host, "TasksMax") == {"TasksMax": "30"} and host.run(f"cat {GROUP}/pids.max").stdout == "30\n"
    told = json.loads(host.run("croft-oci events --stats one").check().stdout)["data"]
    assert told["memory"]["usage"]["limit"] == 50 << 20 and told["pids"] == {"current": 1, "limit": 30}


def test_the_unit_ends_with_the_container(host, bundle):
    for _ in range(2):
        created(host, bundle)
        host.run("croft-oci delete --force one").check()
        host.run(f"test ! -e {GROUP}").check()
    host.run("for i in $(seq 100); do systemctl is-active -q pre-one.scope || exit 0; sleep 0.1; done; exit 1").check()
    assert host.run("systemctl --failed --no-legend").stdout == ""


def test_pause_and_the_list(host, bundle):
    created(host, bundle)
    host.run("croft-oci start one && croft-oci pause one").check()
    row, = [row for row in json.loads(host.run("croft list --all --json").check().stdout) if row["name"] == "one"]
    assert (row["kind"], row["state"], row["cgroup"]) == ("oci", "paused", GROUP)
    host.run("croft-oci resume one").check()


@pytest.mark.parametrize("path", ["/a/b", "a:b", "nosuch:pre:one", "user.slice:pre:x.slice", "user.slice:p re:one"])
def test_names_that_are_none(host, bundle, path):
    host.run(f"sed -i 's|user.slice:pre:one|{path}|' {bundle}/config.json").check()
    ran = host.run(f"croft-oci --systemd-cgroup create -b {bundle} one </dev/null")
    assert ran.status == 1 and "cgroupsPath" in ran.stderr
