"""The power is cut while the store is being changed: what is there afterwards is whole, and what was told to be done is there.

Each round is a host of its own on the disk that the last one had; its end is a killed QEMU, so all that was not flushed is
lost. ext4 and the kernel are told to write nothing by themselves, so what is on the disk is what croft had flushed.
"""

import json
import random

import pytest
from asking import wait_for
from images.make import Layout, layer_tar
from vm import BUILD, Host

MOUNT = """
mkdir -p /store && mount -o commit=300 /dev/vde /store && echo 0 >/proc/sys/vm/dirty_writeback_centisecs
"""
HERE = "export CROFT_STATE_DIR=/store/state CROFT_CONFIG_DIR=/store/config CROFT_SUPERVISOR=direct; "
PREPARE = """
set -e
mkfs.ext4 -q /dev/vde
""" + MOUNT + """
mkdir -p /store/config
croft image import /files/app.tar.gz base
croft create m --image=base -- /bin/true
croft run m /bin/sh -c 'echo mine >/etc/mine'
croft image commit m derived
sync
"""
# What goes on when the power is cut; "$n" is a number that was never used before. It says what it has brought to its end.
WORK = {
    "import and pull": "croft image import /files/app.tar.gz import$n && kept import$n; croft image pull oci:/files/layout:1 pull$n && kept pull$n; "
                       "croft image import /files/other.tar gone$n; croft image rm pull$n gone$n; croft image prune",
    "commit and clone": "croft image commit m commit$n && kept commit$n; croft clone m clone$n && croft rm --config --tree clone$n; "
                        "croft clone m twin$n && kept twin$n",
    "prune": "croft image import /files/other.tar gone$n && croft image rm gone$n && croft image prune",
}
LOOP = """
kept() { echo "kept $1" >>/run/told; }
for i in $(seq 1000); do n=ROUNDx$i; { WORK; } >>/run/said 2>&1 || { echo failed >>/run/told; exit; }; echo once >>/run/told; done
"""
AFTER = """
set -e
croft image list --json
croft image verify >&2
test "$(croft run derived cat /etc/mine)" = mine
# The oldest and the youngest machine.
for file in $(ls -tr /store/config/*.machine | sed -n '1p;$p'); do
  name=$(basename $file .machine)
  test "$(croft run $name cat /etc/mine)" = mine || { echo "$name is not whole" >&2; exit 1; }
done
croft image prune >&2
for i in $(seq 100); do [ -n "$(ls /store/state/store/trash)" ] || break; sleep 0.2; done
test -z "$(ls /store/state/store/trash /store/state/store/partial | grep -v :)"
ls /store/config >&2
"""


def layout(path):
    """An image with three layers, none of which another image has."""
    made = Layout(path)
    layers = [{f"dir{number}/{part}": random.Random(part).randbytes(5000) for part in range(40)} for number in range(3)]
    made.name(made.image(layers), "1")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    for program in ("croft", "croft-images", "croft-unpack"):
        if not (BUILD / "src/apps" / program).exists():
            pytest.fail(f"{BUILD}/src/apps/{program} is not built")
    path = tmp_path_factory.mktemp("archives")
    (path / "other.tar").write_bytes(layer_tar({f"etc/{part}": random.Random(part + 100).randbytes(3000) for part in range(60)}))
    return {"other.tar": path / "other.tar", "layout": layout(path / "layout")}


def told(host):
    return host.run("cat /run/told 2>/dev/null || true").stdout


@pytest.mark.timeout(1200)
def test_the_store_is_whole_whenever_the_power_was_cut(files, tmp_path):
    disk = tmp_path / "disk.qcow2"
    dice = random.Random(11)
    with Host("bookworm", files=files, trees=["app"], scratch=disk) as host:
        host.run("tar -C /trees/app -czf /files/app.tar.gz .").check()
        host.run(HERE + PREPARE, timeout=300).check()
    kept = ["derived", "base"]
    for number, (name, work) in enumerate(WORK.items()):
        with Host("bookworm", files=files, trees=["app"], scratch=disk) as host:
            host.run("tar -C /trees/app -czf /files/app.tar.gz .; " + MOUNT).check()
            check(host, kept)
            loop = LOOP.replace("ROUND", str(number)).replace("WORK", work)
            host.run(f"cat >/run/loop.sh <<'EOF'\n{HERE}{loop}\nEOF\nsetsid bash /run/loop.sh </dev/null >/dev/null 2>&1 &").check()
            wait_for(lambda: "once" in told(host) or "failed" in told(host), 300)
            assert "failed" not in told(host), host.run("cat /run/said")
            host.run(f"sleep {dice.random():.2f}")
            kept += [line.split()[1] for line in told(host).splitlines() if line.startswith("kept ")]
            # Those that the work removes itself are there or not.
            kept = [each for each in kept if not each.startswith("pull")]
    with Host("bookworm", files=files, trees=["app"], scratch=disk) as host:
        host.run(MOUNT).check()
        check(host, kept)


def check(host, kept):
    ran = host.run(HERE + AFTER, timeout=300).check()
    images = {each["name"]: each["state"] for each in json.loads(ran.stdout)}
    assert set(images.values()) == {"complete"}, images
    machines = [line.removesuffix(".machine") for line in ran.stderr.split() if line.endswith(".machine")]
    missing = set(kept) - set(images) - set(machines)
    assert not missing, f"{missing} were told to be there; there are {images} and {machines}"
