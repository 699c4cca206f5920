"""Machines whose tree is a disk image: what is mounted where, what is written, what is refused. That nothing stays behind, loop
devices among it, is looked at after the module (conftest.py)."""

import os
import pathlib
import signal
import subprocess

import pytest
from harness.machines import shown, state, until

MIB = 1 << 20
ROOT_TYPE = {"x86_64": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "aarch64": "b921b045-1df0-41c3-af44-4c6f280d3fae"}[os.uname().machine]
USR_TYPE = {"x86_64": "8484680c-9521-48c6-9c11-b0720656f69e", "aarch64": "b0e01050-ee5f-4390-949a-9101b17104e9"}[os.uname().machine]
HOME_TYPE = "933ac7e1-2eb4-4f13-b844-0e14e2aef915"
VAR_TYPE = "4d21b016-b534-45c2-a9fb-5c16e091fd2d"
ESP_TYPE = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

pytestmark = pytest.mark.in_process("root's own images; over a bus nothing about them differs")


def tool(*words, **more):
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    done = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, **more)
    assert done.returncode == 0, f"{words}: {done.stdout}"


def file_system(path, source=None, kind="ext4", size=24 * MIB):
    """A file system in a file, filled from a directory."""
    if kind == "ext4":
        path.touch()
        os.truncate(path, size)
        tool("mke2fs", "-q", "-F", "-t", "ext4", *(["-d", source] if source else []), path)
    elif kind == "vfat":
        path.touch()
        os.truncate(path, size)
        tool("mkfs.vfat", path)
    elif kind == "squashfs":
        tool("mksquashfs", source, path, "-quiet", "-no-progress")
    elif kind == "erofs":
        tool("mkfs.erofs", path, source)
    return path


def disk(path, *parts, label="gpt"):
    """A disk of (what sfdisk calls the type and more, file) parts, one behind the other."""
    script, at = [f"label: {label}"], 1
    places = []
    for description, content in parts:
        size = -(-content.stat().st_size // MIB)
        script.append(f"start={at}MiB, size={size}MiB, type={description}")
        places.append((at, content))
        at += size
    path.touch()
    os.truncate(path, (at + 2) * MIB)
    tool("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path, input="\n".join(script) + "\n")
    for at, content in places:
        tool("dd", f"if={content}", f"of={path}", "bs=1M", f"seek={at}", "conv=notrunc,sparse", "status=none")
    return path


@pytest.fixture
def bare(scratch, tree):
    return file_system(scratch / "bare.raw", tree("app"))


@pytest.fixture(scope="module")
def rich_parts(tmp_path_factory, tree):
    """The parts of a disk with a root, /home, /var and an ESP, each with a file that tells which it is."""
    home = tmp_path_factory.mktemp("parts")
    for name in ("home", "var"):
        (home / name).mkdir()
        (home / name / f"this-is-{name}").touch()
    return [
        (HOME_TYPE, file_system(home / "home.fs", home / "home", size=8 * MIB)),
        (ROOT_TYPE, file_system(home / "root.fs", tree("app"))),
        (VAR_TYPE, file_system(home / "var.fs", home / "var", size=8 * MIB)),
        (ESP_TYPE, file_system(home / "esp.fs", kind="vfat", size=4 * MIB)),
    ]


@pytest.fixture
def rich(scratch, rich_parts):
    return disk(scratch / "rich.raw", *rich_parts)


MOUNTS = "while read -r _ _ _ _ at options rest; do case $at in /|/home|/var|/boot|/efi) echo \"$at ${options%%,*} ${rest#*- }\"; esac; done </proc/self/mountinfo"


def kernel_has(kind):
    return kind in pathlib.Path("/proc/filesystems").read_text().split() or subprocess.run(["modprobe", "-q", kind]).returncode == 0


def mounted(croft, *words):
    """Mount point → (ro or rw, file system, rest) of what belongs to the image."""
    lines = croft("run", *words, "sh", "-c", MOUNTS).check().stdout.splitlines()
    return {line.split()[0]: tuple(line.split()[1:3]) for line in lines}


# ---------------------------------------------------------------- what is mounted and written


def test_what_is_written_is_there_the_next_time(croft, bare):
    croft("run", bare, "sh", "-c", "echo kept >/kept; id -u").check()
    assert croft("run", f"raw:{bare}", "cat", "/kept").check().stdout == "kept\n"
    assert croft("run", f"--image={bare}", "cat", "/kept").check().stdout == "kept\n"
    # With private users, whose ids are mapped, root's files are root's on the disk.
    ls = subprocess.run(["debugfs", "-R", "stat /kept", bare], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}).stdout
    assert "User:     0" in ls, ls


def test_without_private_users(croft, bare):
    assert croft("run", "--private-users=no", bare, "sh", "-c", "echo x >/x && cat /x").check().stdout == "x\n"


def test_every_partition_is_where_it_belongs(croft, rich):
    seen = mounted(croft, rich)
    boot = {"/boot": ("rw", "vfat")} if kernel_has("vfat") else {}
    assert seen == {"/": ("rw", "ext4"), "/home": ("rw", "ext4"), "/var": ("rw", "ext4"), **boot}
    places = ["/home", *boot]
    out = croft("run", rich, "sh", "-c", f"ls /home /var; for d in {' '.join(places)}; do echo x >$d/x; done").check().stdout
    assert "this-is-home" in out and "this-is-var" in out
    assert croft("run", rich, "cat", *(f"{place}/x" for place in places)).check().stdout == "x\n" * len(places)


def test_read_only_touches_nothing(croft, rich):
    before = rich.read_bytes()
    # The root has no /boot, and cannot get one.
    ran = croft("run", "--read-only", rich, "sh", "-c", f"{MOUNTS}; touch /x /home/x /var/x")
    assert [line.split()[:2] for line in ran.stdout.splitlines()] == [["/", "ro"], ["/home", "ro"], ["/var", "ro"]], ran
    assert ran.stderr.count("Read-only file system") == 3, ran.stderr
    assert "no directory /boot" in ran.stderr or "no vfat" in ran.stderr, ran.stderr
    assert rich.read_bytes() == before


@pytest.mark.parametrize("option", ["--ephemeral", "--volatile=overlay"])
def test_throwaway_layers_are_over_every_partition(croft, rich, option):
    before = rich.read_bytes()
    out = croft("run", option, rich, "sh", "-c", "for d in / /home /var; do echo x >$d/x || exit; done; ls /home").check().stdout
    assert set(out.split()) == {"lost+found", "this-is-home", "x"}
    assert rich.read_bytes() == before


def test_volatile_state_has_an_empty_var(croft, rich):
    ran = croft("run", "--volatile=state", rich, "sh", "-c", "ls /var; touch /var/x && touch /home/x")
    assert ran.stdout == "" and "/home/x: Read-only" in ran.stderr, ran


def test_usr_alone_with_a_root_in_memory(croft, scratch, tree):
    usr = scratch / "usr"
    usr.mkdir()
    # What --volatile=yes needs: everything below /usr.
    tool("cp", "-a", f"{tree('app')}/bin", usr / "bin")
    image = disk(scratch / "usr.raw", (USR_TYPE, file_system(scratch / "usr.fs", usr)))
    ran = croft("run", image, "true")
    assert ran.status == 125 and "--volatile=yes" in ran.stderr, ran
    ran = croft("run", "--volatile=yes", image, "/usr/bin/sh", "-c", "touch /etc/x && ls /usr").check()
    assert set(ran.stdout.split()) == {"bin", "lost+found"}, ran


@pytest.mark.parametrize("kind", ["squashfs", "erofs"])
def test_file_systems_that_cannot_be_written(croft, scratch, tree, kind):
    image = file_system(scratch / f"{kind}.raw", tree("app"), kind=kind)
    assert mounted(croft, image)["/"] == ("ro", kind)
    assert croft("run", "--ephemeral", image, "sh", "-c", "echo x >/x && cat /x").check().stdout == "x\n"


def test_an_mbr_with_one_linux_partition(croft, scratch, tree):
    image = disk(scratch / "mbr.raw", ("83", file_system(scratch / "fs", tree("app"))), label="dos")
    assert croft("run", "--read-only", image, "echo", "here").check().stdout == "here\n"


# ---------------------------------------------------------------- machines


def test_a_machine_boots_from_a_disk_and_reboots(croft, scratch, tree, machine):
    image = disk(scratch / "boot.raw", (ROOT_TYPE, file_system(scratch / "fs", tree("busybox"))))
    name = machine("disk")
    croft("boot", "-d", f"--name={name}", image).check()
    assert until(lambda: croft("exec", name, "test", "-e", "/run/ready").status == 0)
    assert shown(croft, name)["tree"] == str(image)
    refused = croft("run", image, "true")
    assert refused.status == 125 and name in refused.stderr and "in use" in refused.stderr, refused
    assert croft("run", "--ephemeral", image, "true").status == 125  # somebody writes it
    croft("exec", name, "sh", "-c", "echo kept >/kept && sync").check()
    croft("exec", name, "reboot")
    assert until(lambda: shown(croft, name).get("restarts") == 1 and state(croft, name) == "running")
    assert until(lambda: croft("exec", name, "cat", "/kept").stdout == "kept\n")
    croft("stop", name, timeout=120).check()


def test_many_read_one_image(croft, bare, machine):
    names = [machine("reader") for _ in range(3)]
    for name in names:
        croft("run", "-d", "--ephemeral", f"--name={name}", bare, "sleep", "infinity").check()
    assert [state(croft, name) for name in names] == ["running"] * 3
    refused = croft("run", bare, "true")
    assert refused.status == 125 and "in use" in refused.stderr
    for name in names:
        croft("rm", "-f", name).check()


def test_nothing_holds_the_image_when_all_was_killed(croft, bare, machine):
    name = machine("killed")
    croft("run", "-d", f"--name={name}", bare, "sleep", "infinity").check()
    seen = shown(croft, name)
    for process in ("keeper", "leader"):
        if pid := seen.get(process):
            os.kill(pid if isinstance(pid, int) else pid["pid"], signal.SIGKILL)
    attached = lambda: any(str(bare) in path.read_text() for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file") if path.exists())
    assert until(lambda: not attached())


def test_declared_machines_have_images_too(croft, bare, config, machine):
    name = machine("declared")
    croft("create", f"--image={bare}", name, "--", "sleep", "infinity").check()
    assert f"Directory={bare}" in (config / f"{name}.machine").read_text()
    croft("start", name).check()
    assert croft("exec", name, "sh", "-c", "echo $0").check().stdout
    croft("stop", name, timeout=60).check()


def test_images_are_found_by_name(croft, bare, machine):
    name = machine("named")
    place = pathlib.Path("/var/lib/machines")
    made = not place.exists()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    image = place / f"{name}.raw"
    image.write_bytes(bare.read_bytes())
    try:
        assert croft("run", name, "echo", "found").check().stdout == "found\n"
    finally:
        image.unlink()
        if made:
            place.rmdir()


# ---------------------------------------------------------------- what is refused


def refused(croft, *words):
    ran = croft("run", *words, "true")
    assert ran.status == 125 and len(ran.stderr.splitlines()) == 1, ran
    return ran.stderr


def test_bad_images_are_told_apart(croft, scratch, bare):
    (scratch / "nothing.raw").write_bytes(b"x" * MIB)
    assert "no partition table and no file system" in refused(croft, scratch / "nothing.raw")
    tool("qemu-img", "create", "-q", "-f", "qcow2", scratch / "disk.qcow2", "8M")
    assert "croft image import" in refused(croft, scratch / "disk.qcow2")
    os.truncate(scratch / "nothing.raw", 0)
    assert "no partition table" in refused(croft, scratch / "nothing.raw")
    os.mkfifo(scratch / "fifo.raw")
    assert "neither a directory nor a disk image" in refused(croft, scratch / "fifo.raw")
    os.chmod(bare, 0o666)
    assert "every user" in refused(croft, bare)


def test_a_damaged_file_system_is_the_kernels_word(croft, bare):
    with open(bare, "r+b") as image:  # the superblock, but for its magic number
        image.seek(1024)
        image.write(b"\xff" * 56)
    assert "mounting the ext4" in refused(croft, bare)


def test_a_disk_that_is_cut_off(croft, rich):
    os.truncate(rich, 20 * MIB)
    assert "cut off" in refused(croft, rich)


def test_root_hashes(croft, bare):
    assert "no root hash" in refused(croft, "--root-hash=123", bare)
    assert "no hashes to check the image by" in refused(croft, f"--root-hash={'ab' * 32}", bare)


def test_a_plan_shows_what_would_be_mounted(croft, rich):
    plan = croft("plan", "--json", "run", rich, "true").check().stdout
    assert plan.count('"open-loop"') == (4 if kernel_has("vfat") else 3)


def test_a_user_is_told_that_it_takes_root(croft, bare, machine):
    os.chmod(bare, 0o644)
    ran = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", croft.path, "run", bare, "true"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
                         env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": "/nonexistent", "HOME": "/nonexistent"})
    assert ran.returncode == 125 and "root" in ran.stderr, ran
