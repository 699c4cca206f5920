"""The store as its verbs show it: what comes in comes out again, names, removal, and what is left by whoever is killed."""

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import tarfile
import time

import pytest
from harness.machines import until

pytestmark = [pytest.mark.in_process("the store is looked into from here"),
              pytest.mark.skipif(os.geteuid() != 0, reason="owners are kept by root")]


@pytest.fixture
def place(scratch, monkeypatch):
    """Where this test's store is; not there yet."""
    state = scratch / "state"
    monkeypatch.setenv("CROFT_STATE_DIR", str(state))
    return state / "store"


@pytest.fixture
def archive(scratch, tree):
    """A tar archive of a small tree, as GNU tar writes it."""
    path = scratch / "app.tar"
    subprocess.run(["tar", "-C", tree("app"), "--xattrs", "-cf", path, "."], check=True)
    return path


def image(croft, *words, **more):
    return croft("image", *words, timeout=120, **more)


def listed(croft):
    return {each["name"]: each for each in json.loads(image(croft, "list", "--json").check().stdout)}


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def compressed(archive, how):
    path = archive.with_suffix(f".tar.{how}")
    with open(path, "wb") as out:
        subprocess.run([{"gz": "gzip", "zst": "zstd", "xz": "xz", "bz2": "bzip2"}[how], "-c", archive], stdout=out, check=True)
    return path


# ---------------------------------------------------------------- in and out


@pytest.mark.parametrize("how", ["", "gz", "zst"])
def test_an_archive_comes_out_in_the_bytes_in_which_it_came(croft, place, archive, scratch, how):
    given = compressed(archive, how) if how else archive
    image(croft, "import", given).check()
    assert list(listed(croft)) == ["app"]
    assert croft("run", "app", "/bin/sh", "-c", "echo works").check().stdout == "works\n"
    image(croft, "export", "app", scratch / "out").check()
    assert digest_of(scratch / "out") == digest_of(given)
    image(croft, "verify").check()


@pytest.mark.parametrize("how", ["xz", "bz2"])
def test_what_no_layer_can_be_is_kept_as_what_it_is_inside(croft, place, archive, scratch, how):
    image(croft, "import", compressed(archive, how), "x").check()
    image(croft, "export", "x", scratch / "out").check()
    assert digest_of(scratch / "out") == digest_of(archive)


def test_from_standard_input_and_to_standard_output(croft, place, archive):
    image(croft, "import", "-", "stdin", stdin=archive.read_bytes()).check()
    child = croft.start("image", "export", "stdin", stdin=subprocess.DEVNULL)
    out, err = child.communicate(timeout=120)
    assert child.returncode == 0 and out == archive.read_bytes(), err
    ran = image(croft, "import", "-", stdin=b"")
    assert ran.status == 2 and "needs a NAME" in ran.stderr, ran


def test_a_directory_becomes_an_image(croft, place, copy_tree, scratch):
    source = copy_tree("app")
    (source / "etc/mine").write_text("mine")
    os.chown(source / "etc/mine", 12, 34)
    os.setxattr(source / "etc/mine", "user.colour", b"green")
    image(croft, "import", source, "dir").check()
    assert croft("run", "dir", "/bin/sh", "-c", "cat /etc/mine; stat -c %u:%g /etc/mine").check().stdout == "mine12:34\n"
    image(croft, "export", "dir", scratch / "out.tar").check()
    with tarfile.open(scratch / "out.tar") as back:
        found = [member for member in back if member.name.lstrip("./") == "etc/mine"]
    assert found and (found[0].uid, found[0].gid) == (12, 34)


@pytest.mark.parametrize("content, said", [
    (b"", "app.tar"), (b"no archive at all" * 100, "app.tar"), (b"\x1f\x8b\x08\x00" + b"x" * 100, "app.tar"),
])
def test_what_is_no_archive_leaves_nothing(croft, place, scratch, content, said):
    path = scratch / "app.tar"
    path.write_bytes(content)
    ran = image(croft, "import", path)
    assert ran.status != 0 and said in ran.stderr, ran
    assert listed(croft) == {}
    assert os.listdir(place / "layers") == [] and os.listdir(place / "partial") == [] and os.listdir(place / "blobs/sha256") == []


def test_a_file_that_is_not_there(croft, place):
    ran = image(croft, "import", "./not/there.tar")
    assert ran.status != 0 and "not/there.tar" in ran.stderr, ran


def test_equal_trees_are_one_layer(croft, place, archive):
    image(croft, "import", archive, "one").check()
    image(croft, "import", archive, "two").check()
    assert len(os.listdir(place / "layers")) == 1


# ---------------------------------------------------------------- names


def test_names(croft, place, archive):
    image(croft, "import", archive, "web:1").check()
    image(croft, "tag", "web:1", "web:latest").check()
    assert listed(croft)["web:1"]["digest"] == listed(croft)["web:latest"]["digest"]
    image(croft, "rename", "web:1", "registry/team/web:2").check()
    assert set(listed(croft)) == {"web:latest", "registry/team/web:2"}
    assert croft("run", "team/web:2", "/bin/true").status == 0, "the end of a name will do"
    digest = listed(croft)["web:latest"]["digest"].split(":")[1]
    assert croft("run", digest[:12], "/bin/true").status == 0, "the first digits will do"
    image(croft, "rm", "web").check()
    assert set(listed(croft)) == {"registry/team/web:2"}


def test_who_only_looks_makes_no_store(croft, place):
    assert image(croft, "list").check().stdout == "No images.\n"
    assert listed(croft) == {} and not place.exists()


def test_a_name_is_not_taken_by_accident(croft, place, archive, scratch):
    image(croft, "import", archive, "one").check()
    (scratch / "dir/bin").mkdir(parents=True)
    image(croft, "import", scratch / "dir", "two").check()
    ran = image(croft, "tag", "two", "one")
    assert ran.status != 0 and "--force" in ran.stderr, ran
    image(croft, "tag", "--force", "two", "one").check()


def test_words_that_name_nothing(croft, place, archive):
    image(croft, "import", archive, "web").check()
    for words in (["tag", "wep", "x"], ["rm", "wep"], ["history", "wep"], ["mount", "wep"], ["export", "wep", "x"], ["verify", "wep"]):
        ran = image(croft, *words)
        assert ran.status != 0 and "did you mean 'web'" in ran.stderr, ran


# ---------------------------------------------------------------- removal


def test_the_last_name_takes_the_files_along(croft, place, archive):
    image(croft, "import", archive, "one").check()
    image(croft, "tag", "one", "two").check()
    image(croft, "rm", "one").check()
    assert len(os.listdir(place / "layers")) == 1
    image(croft, "rm", "two").check()
    assert os.listdir(place / "layers") == [] and os.listdir(place / "blobs/sha256") == []
    assert until(lambda: os.listdir(place / "trash") == [])


def test_what_a_machine_stands_on_stays(croft, config, place, archive, machine):
    image(croft, "import", archive, "base").check()
    runs, waits = machine(), machine()
    croft("run", "-d", f"--name={runs}", "base", "/bin/sleep", "1000").check()
    croft("create", waits, "--image=base", "--", "/bin/true").check()
    said = image(croft, "rm", "base").check().stderr
    assert runs in said and waits in said and "stand on" in said
    image(croft, "prune").check()
    croft("exec", runs, "/bin/true").check()
    croft("run", waits, "/bin/true").check()
    croft("rm", "--config", "--tree", waits).check()
    image(croft, "prune").check()
    croft("exec", runs, "/bin/true").check()
    croft("rm", "--force", runs).check()
    assert until(lambda: os.listdir(place / "uses") == [])
    image(croft, "prune").check()
    assert os.listdir(place / "layers") == []


def test_prune_says_what_it_would_do(croft, place, archive):
    image(croft, "import", archive, "one").check()
    (place / "partial/blob-sha256-x").write_bytes(b"half")
    (place / "blobs/sha256" / ("0" * 64)).write_bytes(b"nobody's")
    assert image(croft, "prune", "--dry-run").check().stdout.startswith("Would remove 1 blobs (8B), 0 layers, 1 unfinished")
    assert (place / "partial/blob-sha256-x").exists()
    image(croft, "prune").check()
    assert os.listdir(place / "partial") == []
    image(croft, "verify").check()


def test_roots_of_machines_that_nothing_declares(croft, config, place, archive, machine):
    image(croft, "import", archive, "base").check()
    stays, goes = machine(), machine()
    for name in (stays, goes):
        croft("create", name, "--image=base", "--", "/bin/true").check()
    (config / f"{goes}.machine").unlink()
    image(croft, "prune").check()
    assert set(os.listdir(place / "machines")) == {stays, goes}, "files of a machine never go by themselves"
    assert "1 roots" in image(croft, "prune", "--machines", "--dry-run").check().stdout
    image(croft, "prune", "--machines").check()
    assert os.listdir(place / "machines") == [stays]
    croft("rm", "--config", "--tree", stays).check()


def test_df_adds_up_to_what_du_says(croft, place, archive):
    image(croft, "import", archive, "one").check()
    image(croft, "import", compressed(archive, "gz"), "two").check()
    parts = json.loads(image(croft, "df", "--json").check().stdout)
    du = int(subprocess.run(["du", "-s", "--block-size=1", place], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[0])
    assert parts["all"] == du
    assert 0 <= du - sum(size for name, size in parts.items() if name != "all") < 64 << 10, parts


# ---------------------------------------------------------------- looking


def test_mount_and_umount(croft, place, archive, scratch):
    image(croft, "import", archive, "one").check()
    where = image(croft, "mount", "one").check().stdout.strip()
    try:
        assert os.path.exists(f"{where}/bin/sh")
        with pytest.raises(OSError):
            open(f"{where}/x", "w")
        assert "mounted already" in image(croft, "mount", "one").stderr
        assert f"as long as the mount at {where} stands on them" in image(croft, "rm", "one").check().stderr
        assert len(os.listdir(place / "layers")) == 1, "it is in use"
    finally:
        image(croft, "umount", where).check()
    assert not os.path.exists(where)
    image(croft, "prune").check()
    assert os.listdir(place / "layers") == []
    image(croft, "import", archive, "one").check()
    (scratch / "mnt").mkdir()
    image(croft, "mount", "one", scratch / "mnt").check()
    assert (scratch / "mnt/bin").exists()
    assert "mounted already" in image(croft, "mount", "one", scratch / "mnt").stderr, "one would be in use unseen"
    image(croft, "umount", scratch / "mnt").check()
    assert image(croft, "umount", "one").status != 0


def test_a_mount_that_an_earlier_boot_had_is_none(croft, place, archive):
    image(croft, "import", archive, "one").check()
    where = image(croft, "mount", "one").check().stdout.strip()
    subprocess.run(["umount", where], check=True)
    os.rmdir(where)
    record = next((place / "uses").glob("mount@*/machine.json"))
    told = json.loads(record.read_text())
    record.write_text(json.dumps(told | {"boot": "earlier"}))
    assert image(croft, "mount", "one").check().stdout.strip() == where
    subprocess.run(["umount", where], check=True)
    os.rmdir(where)
    image(croft, "umount", "one").check()
    assert os.listdir(place / "uses") == []


def test_an_archive_can_go_to_a_device(croft, place, archive, scratch):
    image(croft, "import", archive, "one").check()
    fifo = scratch / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["sha256sum", fifo], stdout=subprocess.PIPE, text=True) as reader:
        image(croft, "export", "one", fifo).check()
        assert reader.communicate(timeout=60)[0].split()[0] == digest_of(archive)
    assert fifo.is_fifo(), "it was written to, not replaced"


def test_an_image_that_cannot_be_read_is_listed_with_the_reason(croft, place, archive):
    image(croft, "import", archive, "one").check()
    manifest = listed(croft)["one"]["digest"].split(":")[1]
    (place / "blobs/sha256" / manifest).unlink()
    ran = image(croft, "list").check()
    assert "incomplete" in ran.stdout and manifest in ran.stderr and "again" in ran.stderr, ran


def test_verify_sees_what_was_changed(croft, place, archive):
    image(croft, "import", archive, "plain").check()
    image(croft, "import", compressed(archive, "gz"), "packed").check()
    layer = next((place / "layers").glob("sha256-*/recipe")).parent
    victim = next(path for path in (layer / "tree").rglob("*") if path.is_file() and not path.is_symlink() and path.stat().st_size > 0)
    content = victim.read_bytes()
    victim.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    ran = image(croft, "verify")
    assert ran.status == 1 and ran.stdout.startswith("plain: ") and "other bytes" in ran.stdout, ran
    victim.write_bytes(content)
    blob = max((place / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    ran = image(croft, "verify", "packed")
    assert ran.status == 1 and "other bytes" in ran.stdout, ran


def test_history_and_commit(croft, config, place, archive, machine):
    image(croft, "import", archive, "base").check()
    name = machine()
    croft("create", name, "--image=base", "--", "/bin/true").check()
    croft("run", name, "/bin/sh", "-c", "echo mine >/etc/mine; rm -r /etc/passwd /home; mkdir /home; touch /home/x").check()
    image(croft, "commit", "--message=why", name, "derived").check()
    ran = croft("run", "derived", "/bin/sh", "-c", "cat /etc/mine; ls /home; ls /etc/passwd 2>/dev/null || echo gone").check()
    assert ran.stdout == "mine\nx\ngone\n"
    history = image(croft, "history", "derived").check().stdout
    assert "croft image import" in history and f"croft image commit {name}" in history
    sizes = [path.stat().st_size for path in (place / "blobs/sha256").iterdir()]
    assert max(sizes) < 64 << 10, "only the difference"
    croft("rm", "--config", "--tree", name).check()
    image(croft, "verify").check()


# ---------------------------------------------------------------- crashes


def whole(croft, place):
    """The store is one in which no name leads to nothing, and what is named runs."""
    for name, each in listed(croft).items():
        assert each["state"] == "complete", (name, each)
    image(croft, "verify").check()


def test_import_killed_at_every_step(croft, place, archive):
    packed = compressed(archive, "gz")
    for at in range(1, 100):
        ran = image(croft, "import", packed, "one", env={"CROFT_STORE_KILL_AT": str(at)})
        if ran.status == 0:
            break
        assert ran.status == 128 + signal.SIGKILL, ran
        whole(croft, place)
    assert at > 5
    whole(croft, place)
    assert "one" in listed(croft)
    image(croft, "prune").check()
    assert os.listdir(place / "partial") == [] and os.listdir(place / "trash") == []
    assert len(os.listdir(place / "layers")) == 1 and len(os.listdir(place / "blobs/sha256")) == 3


def test_import_killed_at_any_moment(croft, place, archive):
    packed = compressed(archive, "gz")
    dice = random.Random(5)
    for _ in range(12):
        child = croft.start("image", "import", packed, "one", stdin=subprocess.DEVNULL)
        time.sleep(dice.random() * 0.3)
        child.kill()
        child.communicate(timeout=60)
        whole(croft, place)
    image(croft, "import", packed, "one").check()
    image(croft, "prune").check()
    assert os.listdir(place / "partial") == []
    assert croft("run", "one", "/bin/true").status == 0


@contextlib.contextmanager
def mounted(disk, where, options="loop"):
    where.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", options, disk, where], check=True)
    try:
        yield where
    finally:
        # What was removed is deleted by a process of its own, which may still be at it.
        assert until(lambda: subprocess.run(["umount", where]).returncode == 0), where


def made_disk(path, megabytes, *options):
    with open(path, "wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", *options, path], check=True)
    return path


class Disk:
    """A file system with a store. What it has on the disk at a moment, and not only in memory, is seen in a copy of its
    blocks: that is what a power cut would leave. Its journal is written by nothing but fsync."""

    def __init__(self, scratch, use):
        self.file, self.copy, self.where, self.again = (scratch / name for name in ("disk", "copy", "where", "again"))
        self.use = use
        made_disk(self.file, 96)

    def __enter__(self):
        self.mount = mounted(self.file, self.where, "loop,commit=300")
        self.use(self.mount.__enter__() / "state")
        return self

    def __exit__(self, *about):
        return self.mount.__exit__(*about)

    @contextlib.contextmanager
    def after_power_cut(self):
        subprocess.run(["cp", "--sparse=always", self.file, self.copy], check=True)
        with mounted(self.copy, self.again):
            self.use(self.again / "state")
            yield
        self.use(self.where / "state")


@pytest.fixture
def disk(scratch, monkeypatch):
    with Disk(scratch, lambda state: monkeypatch.setenv("CROFT_STATE_DIR", str(state))) as made:
        yield made


def test_the_power_is_cut_at_every_step_of_an_import(croft, disk, archive):
    packed = compressed(archive, "gz")
    for at in range(1, 100):
        ran = image(croft, "import", packed, "one", env={"CROFT_STORE_KILL_AT": str(at)})
        with disk.after_power_cut():
            whole(croft, None)
            if ran.status == 0:
                assert croft("run", "one", "/bin/true").status == 0, "what was told to be there is there"
        if ran.status == 0:
            break
        assert ran.status == 128 + signal.SIGKILL, ran
    assert at > 5


def test_the_power_is_cut_at_every_step_of_a_snapshot(croft, config, disk, archive, machine):
    image(croft, "import", archive, "base").check()
    name = machine()
    croft("create", name, "--image=base", "--", "/bin/true").check()
    croft("run", name, "/bin/sh", "-c", "echo mine >/etc/mine").check()
    for at in range(1, 100):
        croft("run", name, "/bin/sh", "-c", f"echo {at} >/etc/last").check()
        os.sync()
        ran = croft("snapshot", name, f"s{at}", env={"CROFT_STORE_KILL_AT": str(at)})
        with disk.after_power_cut():
            assert croft("run", name, "/bin/sh", "-c", "cat /etc/mine /etc/last").check().stdout == f"mine\n{at}\n"
            if ran.status == 0:
                assert f"s{at}" in croft("snapshot", "--list", name).check().stdout
        if ran.status == 0:
            break
        assert ran.status == 128 + signal.SIGKILL, ran
    assert at > 5
    croft("rm", "--config", "--tree", name).check()


def test_the_power_is_cut_at_every_step_of_a_clone(croft, config, disk, archive, machine):
    image(croft, "import", archive, "base").check()
    name = machine()
    croft("create", name, "--image=base", "--", "/bin/true").check()
    for at in range(1, 100):
        croft("run", name, "/bin/sh", "-c", f"echo {at} >/etc/last").check()
        os.sync()
        new = machine()
        ran = croft("clone", name, new, env={"CROFT_STORE_KILL_AT": str(at)})
        with disk.after_power_cut():
            assert croft("run", name, "/bin/sh", "-c", "cat /etc/last").check().stdout == f"{at}\n"
            if ran.status == 0:
                assert croft("run", new, "/bin/sh", "-c", "cat /etc/last").check().stdout == f"{at}\n"
        if ran.status == 0:
            break
        assert ran.status == 128 + signal.SIGKILL, ran
        assert not (config / f"{new}.machine").exists(), "a machine is there when all of it is"
    assert at > 5
    for each in (new, name):
        croft("rm", "--config", "--tree", each).check()


def test_a_full_disk_is_told_and_gives_the_space_back(croft, scratch, monkeypatch):
    archive = scratch / "large.tar"
    (scratch / "tree").mkdir()
    (scratch / "tree/large").write_bytes(random.randbytes(24 << 20))
    subprocess.run(["tar", "-C", scratch / "tree", "-cf", archive, "."], check=True)
    with mounted(made_disk(scratch / "disk", 12, "-O", "^has_journal"), scratch / "small") as where:
        monkeypatch.setenv("CROFT_STATE_DIR", str(where / "state"))
        assert listed(croft) == {}
        before = shutil.disk_usage(where).used
        for given in (archive, compressed(archive, "gz")):
            ran = image(croft, "import", given, "one")
            assert ran.status == 9 and ("o space left" in ran.stderr or "all that is free" in ran.stderr), ran
            assert until(lambda: shutil.disk_usage(where).used - before < 200 << 10), shutil.disk_usage(where)
        assert listed(croft) == {}


# ---------------------------------------------------------------- images of other places


@pytest.fixture
def layout(scratch, archive):
    """An OCI layout with two images, as umoci writes it."""
    if not shutil.which("umoci"):
        pytest.skip("umoci is not installed")
    path = scratch / "layout"
    subprocess.run(["umoci", "init", "--layout", path], check=True)
    for tag in ("1", "2"):
        subprocess.run(["umoci", "new", "--image", f"{path}:{tag}"], check=True)
        bundle = scratch / f"bundle-{tag}"
        subprocess.run(["umoci", "unpack", "--image", f"{path}:{tag}", bundle], check=True)
        subprocess.run(["tar", "-C", bundle / "rootfs", "-xf", archive], check=True)
        (bundle / "rootfs/etc/tag").write_text(tag)
        subprocess.run(["umoci", "repack", "--image", f"{path}:{tag}", bundle], check=True)
        subprocess.run(["umoci", "config", "--image", f"{path}:{tag}", "--config.env", f"TAG={tag}", "--config.cmd", "/bin/sh",
                        "--config.cmd", "-c", "--config.cmd", "echo $TAG"], check=True)
    return path


def test_an_oci_layout_runs_and_goes_back_unchanged(croft, place, layout, scratch):
    assert croft("run", f"oci:{layout}:1", timeout=120).check().stdout == "1\n"
    image(croft, "import", f"oci:{layout}:2", "two").check()
    assert croft("run", "two", "cat", "/etc/tag").check().stdout == "2"
    image(croft, "export", "two", f"oci:{scratch}/back:2").check()
    before = json.loads((layout / "index.json").read_text())["manifests"]
    after = json.loads((scratch / "back/index.json").read_text())["manifests"]
    assert after[0]["digest"] in [each["digest"] for each in before]
    image(croft, "verify").check()


def test_two_at_once_share_the_work(croft, place, layout):
    children = [croft.start("image", "import", f"oci:{layout}:1", "one", stdin=subprocess.DEVNULL) for _ in range(3)]
    for child in children:
        _, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
    whole(croft, place)
    assert os.listdir(place / "partial") == []


# ---------------------------------------------------------------- registries


@pytest.fixture
def remote(plain_registry, request):
    """A name in Debian's docker-registry that is this test's own."""
    return f"docker://{plain_registry}/store/{request.node.name.lower()[:60].rstrip('-_')}:1"


def test_pushed_and_pulled_it_is_the_same_image(croft, place, archive, remote):
    image(croft, "import", compressed(archive, "gz"), "mine").check()
    digest = listed(croft)["mine"]["digest"]
    image(croft, "push", "--tls-verify=no", "mine", remote).check()
    image(croft, "rm", "mine").check()
    image(croft, "pull", "--tls-verify=no", remote).check()
    name = remote.removeprefix("docker://")
    assert listed(croft)[name]["digest"] == digest and listed(croft)[name]["source"] == remote
    for word in (remote, name, name.rsplit("/", 1)[1]):
        assert croft("run", word, "/bin/sh", "-c", "echo works").check().stdout == "works\n", word
    image(croft, "verify").check()


def test_a_pull_killed_at_every_step_is_gone_on_with(croft, place, archive, remote):
    image(croft, "import", compressed(archive, "gz"), "mine").check()
    image(croft, "push", "--tls-verify=no", "mine", remote).check()
    image(croft, "rm", "mine").check()
    for at in range(1, 100):
        ran = image(croft, "pull", "--tls-verify=no", remote, "back", env={"CROFT_STORE_KILL_AT": str(at)})
        if ran.status == 0:
            break
        assert ran.status == 128 + signal.SIGKILL, ran
        whole(croft, place)
    assert at > 5
    whole(croft, place)
    assert croft("run", "back", "/bin/true").status == 0
    image(croft, "prune").check()
    assert os.listdir(place / "partial") == [] and len(os.listdir(place / "layers")) == 1


def test_what_no_registry_has(croft, place, remote):
    ran = image(croft, "pull", "--tls-verify=no", remote)
    assert ran.status != 0 and remote.removeprefix("docker://").split(":1")[0].split("/")[-1] in ran.stderr, ran
    assert listed(croft) == {} and os.listdir(place / "partial") == []
