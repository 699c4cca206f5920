"""Disk images whose blocks the device mapper gives: LUKS and dm-verity, which need a kernel that has it.

The virtual host has no cryptsetup. This host's is taken along with its libraries, so that the virtual host need not be
made anew for it.
"""

import shutil
import subprocess

import pytest
from vm import BUILD, Host

TOOLS = ("cryptsetup", "veritysetup")


def with_libraries(target):
    """Programs that run anywhere: each a script that starts the program by a loader that has its libraries beside it."""
    target.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin")
        assert found, f"{tool} is not installed (Debian: cryptsetup-bin)"
        shutil.copy(found, target / f"{tool}.program")
        lines = subprocess.run(["ldd", found], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        paths = [word for line in lines for word in line.split() if word.startswith("/")]
        loader = next(path for path in paths if "/ld-linux" in path)
        for path in paths:
            shutil.copy(path, target)
        loader = f"/files/crypt/{loader.rsplit('/', 1)[1]}"
        # Without dmsetup's rules udev would never say that it is done with a device.
        script = f'#!/bin/sh\nDM_DISABLE_UDEV=1 exec {loader} --library-path /files/crypt /files/crypt/{tool}.program "$@"\n'
        (target / tool).write_text(script)
        (target / tool).chmod(0o755)
    return target


class Prepared:
    """Orders for the host. Its machines are units of systemd unless `direct`."""

    def __init__(self, host):
        self.host = host

    def run(self, script, direct=True, **more):
        before = "export PATH=/files/crypt:$PATH; cd /var/tmp; " + ("export CROFT_SUPERVISOR=direct; " if direct else "")
        return self.host.run(before + script, timeout=300, **more)

    def nothing_is_left(self):
        there = "ls /dev/mapper | grep croft; losetup -a"
        self.run(f"for i in $(seq 100); do [ -n \"$({there})\" ] || exit 0; sleep 0.2; done; {there}; exit 1").check()


MAKE_LUKS = """
set -e
truncate -s 96M locked.raw
mkdir -p secrets wrong && printf sesame >secrets/dissect.passphrase && printf mellon >wrong/dissect.passphrase
cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file secrets/dissect.passphrase locked.raw
cryptsetup open --type luks --key-file secrets/dissect.passphrase locked.raw making
mke2fs -q -t ext4 -d /trees/app /dev/mapper/making
cryptsetup close making
"""
MAKE_VERITY = """
set -e
truncate -s 48M checked.raw
mke2fs -q -t ext4 -b 4096 -d /trees/app checked.raw
veritysetup format checked.raw checked.verity | sed -n 's/^Root hash: *//p' >checked.roothash
cat checked.roothash
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    if not (BUILD / "src/apps/croft").exists():
        pytest.fail(f"{BUILD}/src/apps/croft is not built")
    crypt = with_libraries(tmp_path_factory.mktemp("crypt") / "tools")
    with Host("bookworm", files={"crypt": crypt}, trees=["app"]) as host:
        yield Prepared(host)


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "unit"])
def test_an_encrypted_disk(host, direct):
    host.run(MAKE_LUKS).check()
    host.run("CREDENTIALS_DIRECTORY=$PWD/secrets croft run ./locked.raw sh -c 'echo secret >/kept'", direct).check()
    host.nothing_is_left()
    ran = host.run("CREDENTIALS_DIRECTORY=$PWD/secrets croft run --ephemeral ./locked.raw cat /kept", direct).check()
    assert ran.stdout == "secret\n"
    ran = host.run("CREDENTIALS_DIRECTORY=$PWD/wrong croft run ./locked.raw true", direct)
    assert ran.status == 125 and "unlocking it failed" in ran.stderr, ran
    ran = host.run("croft run ./locked.raw true </dev/null", direct)
    assert ran.status == 125 and "dissect.passphrase" in ran.stderr, ran
    host.nothing_is_left()


def test_a_killed_machine_leaves_no_device(host):
    host.run(MAKE_LUKS).check()
    host.run("CREDENTIALS_DIRECTORY=$PWD/secrets croft run -d --name=locked ./locked.raw sleep infinity").check()
    assert "croft-locked-root" in host.run("ls /dev/mapper").stdout
    host.run("kill -9 $(pidof croft-hold)").check()
    host.run("croft rm -f locked")
    host.nothing_is_left()


def test_a_verified_disk(host):
    root_hash = host.run(MAKE_VERITY).check().stdout.strip()
    # By the files beside it, by options, and with a hash of something else.
    assert host.run("croft run ./checked.raw cat /etc/passwd").check().stdout.startswith("root:")
    ran = host.run(f"mv checked.roothash other.roothash && mv checked.verity other.verity && croft run --root-hash={root_hash} "
                   "--verity-data=other.verity ./checked.raw sh -c 'touch /x; id -u'").check()
    assert ran.stdout == "0\n" and "Read-only" in ran.stderr, ran
    wrong = root_hash[:-4] + ("0000" if root_hash[-4:] != "0000" else "1111")
    ran = host.run(f"croft run --root-hash={wrong} --verity-data=other.verity ./checked.raw true")
    assert ran.status == 125, ran
    # One byte of a file is another: whoever reads it gets an error, not that byte.
    ran = host.run(f"""
        at=$(grep -aobm1 root:x:0:0 checked.raw | cut -d: -f1)
        printf X | dd of=checked.raw bs=1 seek=$at conv=notrunc status=none
        croft run --root-hash={root_hash} --verity-data=other.verity ./checked.raw cat /etc/passwd""")
    assert ran.status != 0 and "X" not in ran.stdout, ran
    host.nothing_is_left()
