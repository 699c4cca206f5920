"""croft image import raw:, export … raw: and bootstrap: what comes to be in /var/lib/machines, and that nothing half-made does."""

import os
import pathlib
import shutil
import signal
import stat
import subprocess
import time

import pytest

MIB = 1 << 20
PLACE = pathlib.Path("/var/lib/machines")


def tool(*words, **more):
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    done = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, **more)
    assert done.returncode == 0, f"{words}: {done.stdout}"


@pytest.fixture
def name(machine, config):
    """A name for a tree or image in /var/lib/machines, which is removed afterwards."""
    made = not PLACE.exists()
    word = machine("disk")
    yield word
    for path in (*PLACE.glob(f"{word}*"), *PLACE.glob(f".#{word}*")):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if made and PLACE.exists() and not list(PLACE.iterdir()):
        PLACE.rmdir()


@pytest.fixture
def raw(scratch, tree):
    path = scratch / "source.raw"
    path.touch()
    os.truncate(path, 24 * MIB)
    tool("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree("app"), path)
    return path


def nothing_of(name):
    return not [*PLACE.glob(f"{name}*"), *PLACE.glob(f".#{name}*")]


def test_a_raw_image_comes_in_sparse_and_runs(croft, raw, name):
    ran = croft("image", "import", f"raw:{raw}", name).check()
    image = PLACE / f"{name}.raw"
    assert image.read_bytes() == raw.read_bytes() and name in ran.stderr
    assert image.stat().st_blocks * 512 < 12 * MIB and stat.S_IMODE(image.stat().st_mode) == 0o600
    assert croft("run", name, "echo", "here").check().stdout == "here\n"
    again = croft("image", "import", f"raw:{raw}", name)
    assert again.status != 0 and "there is" in again.stderr, again


@pytest.mark.parametrize("options", [[], ["-c"], ["-c", "-o", "compression_type=zstd"], ["-o", "compat=0.10"]], ids=["plain", "zlib", "zstd", "v2"])
def test_qcow2_becomes_raw(croft, raw, scratch, name, options):
    packed = scratch / "disk.qcow2"
    tool("qemu-img", "convert", "-f", "raw", "-O", "qcow2", *options, raw, packed)
    croft("image", "import", "--quiet", f"raw:{packed}", name).check()
    assert (PLACE / f"{name}.raw").read_bytes() == raw.read_bytes()


def test_a_backing_file_is_followed_only_when_asked(croft, raw, scratch, name):
    top = scratch / "top.qcow2"
    tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", raw, top)
    ran = croft("image", "import", f"raw:{top}", name)
    assert ran.status != 0 and "backing file" in ran.stderr and nothing_of(name), ran
    croft("image", "import", "--backing", f"raw:{top}", name).check()
    assert (PLACE / f"{name}.raw").read_bytes() == raw.read_bytes()


def test_what_is_no_machine_does_not_come_in(croft, scratch, name):
    (scratch / "noise.raw").write_bytes(b"x" * MIB)
    ran = croft("image", "import", f"raw:{scratch}/noise.raw", name)
    assert ran.status != 0 and "no partition table and no file system" in ran.stderr and nothing_of(name), ran
    (scratch / "broken.qcow2").write_bytes(b"QFI\xfb" + b"\xff" * 200)
    ran = croft("image", "import", f"raw:{scratch}/broken.qcow2", name)
    assert ran.status != 0 and "qcow2" in ran.stderr and nothing_of(name), ran


@pytest.mark.parametrize("options", [[], ["--partitioned"], ["--file-system=erofs"], ["--file-system=squashfs", "--partitioned"], ["--size=64M"]],
                         ids=["ext4", "gpt", "erofs", "gpt-squashfs", "size"])
def test_a_tree_goes_out_as_an_image_that_runs(croft, tree, scratch, options):
    image = scratch / "out.raw"
    croft("image", "export", *options, tree("app"), f"raw:{image}").check()
    assert sorted(path.name for path in scratch.iterdir()) == ["out.raw"]
    if "--size=64M" in options:
        assert image.stat().st_size == 64 * MIB
    assert croft("run", "--ephemeral", image, "echo", "here").check().stdout == "here\n"
    again = croft("image", "export", *options, tree("app"), f"raw:{image}")
    assert again.status != 0 and "there already" in again.stderr, again


# ---------------------------------------------------------------- bootstrap


def test_packages_of_this_hosts_own_mirror(croft, name):
    """The real thing, as small as it gets: one package, which is a whole system by itself."""
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    if release.get("ID") != "debian" or not shutil.which("mmdebstrap"):
        pytest.skip("this host is no Debian with mmdebstrap")
    words = ["--variant=extract", "--include=busybox-static", f"debian:{release['VERSION_CODENAME']}", name]
    assert croft("image", "bootstrap", *words, timeout=600).check().stdout == f"{PLACE}/{name}\n"
    assert croft("run", "--force-tree", name, "/bin/busybox", "echo", "here").check().stdout == "here\n"


# What a tool may do is shown by one that the test wrote.


@pytest.fixture
def fake_tool(scratch):
    """A debootstrap that does what the test says: its command line is the real one's."""
    programs = scratch / "programs"
    programs.mkdir()

    def write(script):
        path = programs / "mmdebstrap"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return {"PATH": f"{programs}:{os.environ['PATH']}"}

    return write


def bootstrap(croft, name, env, *more, **options):
    return croft("image", "bootstrap", "--mirror=http://mirror.example/debian", *more, "debian:trixie", name, env=env, **options)


def test_a_bootstrapped_tree_runs(croft, tree, fake_tool, name):
    # Its last three words are the suite, the target and the mirror.
    env = fake_tool(f'for w; do a=$b; b=$c; c=$w; done; echo "I: $a from $c"; cp -a {tree("app")}/. "$b"; mount -t tmpfs x "$b/mnt"; echo 1 >"$b/etc/machine-id"')
    ran = bootstrap(croft, name, env, "--include=one,two").check()
    assert ran.stdout == f"{PLACE}/{name}\n"
    assert croft("run", name, "echo", "here").check().stdout == "here\n"
    assert (PLACE / name / "etc/machine-id").read_text() == "" and not os.path.ismount(PLACE / name / "mnt")


def test_a_tool_that_fails_leaves_nothing_and_its_last_words(croft, fake_tool, name):
    env = fake_tool('for w; do a=$b; b=$c; c=$w; done; touch "$b/half"; echo "E: no such suite" >&2; exit 25')
    ran = bootstrap(croft, name, env)
    assert ran.status != 0 and "E: no such suite" in ran.stderr and "25" in ran.stderr and nothing_of(name), ran


def test_interrupting_leaves_nothing(croft, fake_tool, name, scratch):
    env = fake_tool(f'for w; do a=$b; b=$c; c=$w; done; touch "$b/half" {scratch}/began; sleep 1000 & wait')
    child = croft.start("image", "bootstrap", "--mirror=http://mirror.example/debian", "debian:trixie", name, env=env)
    until = time.monotonic() + 60
    while not (scratch / "began").exists() and time.monotonic() < until:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGINT and b"interrupted" in errors, errors
    assert nothing_of(name)


def test_killed_in_the_middle_the_next_one_begins_anew(croft, tree, fake_tool, name, scratch):
    env = fake_tool(f'for w; do a=$b; b=$c; c=$w; done; touch "$b/half" {scratch}/began; sleep 1000')
    child = croft.start("image", "bootstrap", "--mirror=http://mirror.example/debian", "debian:trixie", name, env=env)
    until = time.monotonic() + 60
    while not (scratch / "began").exists() and time.monotonic() < until:
        time.sleep(0.02)
    child.kill()
    child.communicate(timeout=60)
    assert not (PLACE / name).exists() and (PLACE / f".#{name}.croft-copy").exists()
    env = fake_tool(f'for w; do a=$b; b=$c; c=$w; done; cp -a {tree("app")}/. "$b"')
    bootstrap(croft, name, env).check()
    assert not (PLACE / name / "half").exists() and not (PLACE / f".#{name}.croft-copy").exists()


@pytest.mark.parametrize("words, says", [
    (["debian"], "no DISTRIBUTION:RELEASE"),
    (["plan9:4"], "no distribution that is known here"),
    (["debian:trixie", "-bad"], "-bad"),
    (["--include=--x", "debian:trixie"], "no name of a package"),
    (["--mirror=http://m.example/x", "alpine:3.22"], "apk"),
])
def test_wrong_words_are_told(croft, fake_tool, config, words, says):
    ran = croft("image", "bootstrap", *words, env=fake_tool("exit 1"))
    assert ran.status != 0 and says in ran.stderr, ran
