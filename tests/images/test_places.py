"""Images in files: oci:, oci-archive:, docker-archive:, dir:, between each other and with the tools that people have."""

import json
import subprocess
import tarfile
import tempfile

import pytest
from make import DOCKER, OCI, Layout, digest_of, layer_tar, simple, two_platforms


@pytest.fixture
def layout(home, tmp_path):
    """An OCI layout with the image "one"; its digest is told."""
    return tmp_path / "lay", simple(tmp_path / "lay")


def digest(home, reference):
    return home.image("inspect", "--format={{.Digest}}", reference).strip()


def test_what_an_image_says_of_its_process_is_shown(home, tmp_path):
    health = {"Test": ["CMD-SHELL", "test -e /up"], "Interval": 30_000_000_000, "Retries": 3}
    made = Layout(tmp_path / "lay")
    made.name(made.image(ExposedPorts={"80/tcp": {}, "53/udp": {}}, Healthcheck=health, StopSignal="SIGINT", User="web"), "one")
    shown = json.loads(home.image("inspect", f"oci:{tmp_path}/lay:one"))
    assert shown["ExposedPorts"] == ["53/udp", "80/tcp"] and shown["Labels"] == {"made": "here"}
    assert shown["Healthcheck"] == {**health, "Timeout": 0, "StartPeriod": 0, "StartInterval": 0}
    assert (shown["StopSignal"], shown["User"]) == ("SIGINT", "web")
    made.name(made.image(), "two")
    assert "Healthcheck" not in json.loads(home.image("inspect", f"oci:{tmp_path}/lay:two"))


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_layers_are_packed_anew(home, layout, tmp_path, how):
    other, source = {"gzip": "zstd", "zstd": "gzip"}[how], f"oci:{layout[0]}:one"
    home.image("copy", f"--dest-compress-format={other}", source, f"oci:{tmp_path}/other:one")
    home.image("copy", f"--dest-compress-format={how}", "--dest-compress-level=3", f"oci:{tmp_path}/other:one", f"oci:{tmp_path}/out:one")
    for place, packed in (("other", other), ("out", how)):
        manifest = json.loads(home.image("inspect", "--raw", f"oci:{tmp_path}/{place}:one"))
        assert {layer["mediaType"] for layer in manifest["layers"]} == {f"{OCI}layer.v1.tar+{packed}"}
        for layer in manifest["layers"]:
            blob = (tmp_path / place / "blobs" / layer["digest"].replace(":", "/")).read_bytes()
            assert len(blob) == layer["size"] and blob[:2] == {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5"}[packed] and digest_of(blob) == layer["digest"]
        # What it is inside has stayed what it was.
        assert home.image("inspect", "--config", "--raw", f"oci:{tmp_path}/{place}:one") == home.image("inspect", "--config", "--raw", source)
    if how == "gzip":
        assert home.skopeo("inspect", f"oci:{tmp_path}/out:one")
    again = home.image("copy", f"--dest-compress-format={how}", f"oci:{tmp_path}/out:one", f"oci:{tmp_path}/same:one")
    assert digest(home, f"oci:{tmp_path}/same:one") == digest(home, f"oci:{tmp_path}/out:one"), again


def test_an_index_of_layers_that_are_packed_anew(home, tmp_path):
    two_platforms(tmp_path / "lay")
    home.image("copy", "--all", "--dest-compress-format=zstd", f"oci:{tmp_path}/lay:multi", f"oci:{tmp_path}/out:multi")
    index = json.loads(home.image("inspect", "--raw", f"oci:{tmp_path}/out:multi"))
    for each in index["manifests"]:
        body = (tmp_path / "out/blobs" / each["digest"].replace(":", "/")).read_bytes()
        assert len(body) == each["size"] and {layer["mediaType"][-5:] for layer in json.loads(body)["layers"]} == {"+zstd"}


def test_packing_anew_that_cannot_be(home, layout, tmp_path):
    copy = lambda *options: home.image_fails("copy", *options, f"oci:{layout[0]}:one", f"oci:{tmp_path}/no:1")
    assert "gzip, zstd" in copy("--dest-compress-format=xz")
    assert "1 to 9" in copy("--dest-compress-format=gzip", "--dest-compress-level=10")
    assert "--dest-compress-format" in copy("--dest-compress-level=3")
    assert "--preserve-digests" in copy("--dest-compress-format=zstd", "--preserve-digests")
    assert "--format=oci" in copy("--dest-compress-format=zstd", "--format=v2s2")
    assert not (tmp_path / "no").exists()


# Every place that keeps digests, as a target and as the source of the next copy.
CHAIN = ["oci:{}/a:one", "dir:{}/b", "oci-archive:{}/c.tar:one", "dir:{}/d", "oci-archive:{}/e.tar:name/with:tag", "oci:{}/f"]


def test_a_copy_is_the_same_image_wherever_it_goes(home, layout, tmp_path):
    source, expected = f"oci:{layout[0]}:one", layout[1]
    for place in CHAIN:
        target = place.format(tmp_path)
        home.image("copy", source, target)
        assert digest(home, target) == expected
        source = target
    assert not home.left_over(tmp_path)
    assert home.image("inspect", "--raw", source) == home.image("inspect", "--raw", f"oci:{layout[0]}:one")


def test_an_index_is_copied_whole_or_the_image_that_fits(home, tmp_path):
    expected = two_platforms(tmp_path / "lay")
    for target in (f"oci:{tmp_path}/all:multi", f"dir:{tmp_path}/dir", f"oci-archive:{tmp_path}/all.tar:multi"):
        home.image("copy", "--all", f"oci:{tmp_path}/lay:multi", target)
        assert digest(home, target) == expected
        home.image("copy", "--platform=linux/arm64", target, f"oci:{tmp_path}/one-{len(target)}:arm")
        assert home.image("inspect", "--format={{.Architecture}}", f"oci:{tmp_path}/one-{len(target)}:arm") == "arm64\n"
    told = home.image_fails("copy", "--platform=linux/s390x", f"oci:{tmp_path}/lay:multi", f"oci:{tmp_path}/none")
    assert "linux/s390x" in told and "linux/amd64" in told
    assert not (tmp_path / "none").exists()


def test_an_archive_of_docker_holds_the_same_layers(home, layout, tmp_path):
    home.image("copy", f"oci:{layout[0]}:one", f"docker-archive:{tmp_path}/a.tar:team/web:1")
    with tarfile.open(tmp_path / "a.tar") as tar:
        [saved] = json.load(tar.extractfile("manifest.json"))
        assert saved["RepoTags"] == ["team/web:1"]
        assert tar.extractfile(saved["Layers"][0]).read() == layer_tar({"a": b"one"})
        config = json.load(tar.extractfile(saved["Config"]))
        assert saved["Layers"] == [name.split(":")[1] + ".tar" for name in config["rootfs"]["diff_ids"]]
    # The same again, and from there back into a layout.
    home.image("copy", f"oci:{layout[0]}:one", f"docker-archive:{tmp_path}/b.tar:team/web:1")
    home.image("copy", "--format=oci", f"docker-archive:{tmp_path}/a.tar", f"oci:{tmp_path}/back:web")
    assert json.loads(home.image("inspect", f"oci:{tmp_path}/back:web"))["Env"] == ["PATH=/bin"]
    told = home.image_fails("copy", f"docker-archive:{tmp_path}/a.tar:other:1", f"oci:{tmp_path}/no")
    assert "team/web:1" in told
    told = home.image_fails("copy", "--preserve-digests", f"oci:{layout[0]}:one", f"docker-archive:{tmp_path}/c.tar")
    assert "digests cannot be preserved" in told and not (tmp_path / "c.tar").exists()


def test_formats_are_converted_and_back(home, layout, tmp_path):
    home.image("copy", "--format=v2s2", f"oci:{layout[0]}:one", f"dir:{tmp_path}/docker")
    assert json.loads(home.image("inspect", "--raw", f"dir:{tmp_path}/docker"))["mediaType"] == DOCKER + "distribution.manifest.v2+json"
    home.image("copy", "--format=oci", f"dir:{tmp_path}/docker", f"oci:{tmp_path}/back:one")
    manifest = json.loads(home.image("inspect", "--raw", f"oci:{tmp_path}/back:one"))
    assert manifest["layers"] == json.loads(home.image("inspect", "--raw", f"oci:{layout[0]}:one"))["layers"]
    told = home.image_fails("copy", "--preserve-digests", "--format=v2s2", f"oci:{layout[0]}:one", f"dir:{tmp_path}/no")
    assert "--preserve-digests" in told


def test_sha512_is_a_digest_like_the_other(home, tmp_path):
    layout = Layout(tmp_path / "lay", "sha512")
    expected = layout.name(layout.image(), "one")
    assert expected.startswith("sha512:")
    home.image("copy", f"oci:{tmp_path}/lay:one", f"oci-archive:{tmp_path}/a.tar:one")
    home.image("copy", f"oci-archive:{tmp_path}/a.tar:one", f"oci:{tmp_path}/b:one")
    assert digest(home, f"oci:{tmp_path}/b:one") == expected


def test_a_layout_keeps_what_it_had(home, layout, tmp_path):
    other = simple(tmp_path / "other", "two", layers=({"c": b"three"},))
    home.image("copy", f"oci:{tmp_path}/other:two", f"oci:{layout[0]}:two")
    assert digest(home, f"oci:{layout[0]}:one") == layout[1]
    assert digest(home, f"oci:{layout[0]}:two") == other
    # A name moves to another image.
    home.image("copy", f"oci:{layout[0]}:two", f"oci:{layout[0]}:one")
    assert digest(home, f"oci:{layout[0]}:one") == other
    assert len(json.loads((layout[0] / "index.json").read_text())["manifests"]) == 2
    told = home.image_fails("copy", f"oci:{layout[0]}", f"dir:{tmp_path}/x")
    assert "2 images" in told and "'two', 'one'" in told


def test_what_is_there_and_is_something_else_stays(home, layout, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").write_text("precious")
    for target in (f"oci:{tmp_path}/mine:x", f"dir:{tmp_path}/mine"):
        assert "name a directory that is not there" in home.image_fails("copy", f"oci:{layout[0]}:one", target)
        assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]
    home.image_fails("copy", f"oci:{layout[0]}:one", f"oci-archive:{tmp_path}/mine")
    assert not home.left_over(tmp_path)
    # A directory that was an image before is replaced as a whole.
    other = simple(tmp_path / "other", layers=({"c": b"three"},))
    home.image("copy", f"oci:{layout[0]}:one", f"dir:{tmp_path}/image")
    home.image("copy", f"oci:{tmp_path}/other:one", f"dir:{tmp_path}/image")
    assert digest(home, f"dir:{tmp_path}/image") == other
    assert len(list((tmp_path / "image").iterdir())) == 4 and not home.left_over(tmp_path)


@pytest.mark.parametrize("what", ["layer", "config", "manifest", "size"])
def test_damaged_bytes_never_become_an_image(home, tmp_path, what):
    layout = Layout(tmp_path / "lay")
    descriptor = layout.image()
    layout.name(descriptor, "one")
    blobs = tmp_path / "lay/blobs/sha256"
    manifest = json.loads((blobs / descriptor["digest"].split(":")[1]).read_text())
    victim = {"layer": manifest["layers"][1]["digest"], "config": manifest["config"]["digest"], "manifest": descriptor["digest"],
              "size": manifest["layers"][0]["digest"]}[what]
    data = (blobs / victim.split(":")[1]).read_bytes()
    (blobs / victim.split(":")[1]).write_bytes(data[:-1] if what == "size" else data[:-1] + bytes([data[-1] ^ 1]))
    for target in (f"oci:{tmp_path}/a", f"dir:{tmp_path}/b", f"oci-archive:{tmp_path}/c.tar", f"docker-archive:{tmp_path}/d.tar"):
        told = home.image_fails("copy", f"oci:{tmp_path}/lay:one", target)
        assert victim in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lay", "user"]


def test_what_is_no_image_is_told_by_name(home, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("nothing")
    (tmp_path / "tree/etc").mkdir(parents=True)
    with tarfile.open(tmp_path / "tar.tar", "w") as tar:
        tar.add(tmp_path / "text", "text")
    for source, expected in ((f"oci:{tmp_path}/empty", "no OCI layout"), (f"oci:{tmp_path}/missing", "No such file"), (f"oci:{tmp_path}/text", "Not a directory"),
                             (f"oci-archive:{tmp_path}/text", "no whole tar archive"), (f"oci-archive:{tmp_path}/tar.tar", "no OCI layout"),
                             (f"docker-archive:{tmp_path}/tar.tar", "no archive of `docker save`"), (f"dir:{tmp_path}/tree", "croft image import"),
                             ("ocii:x", "ocii"), ("/x", "dir:PATH"), (f"tar:{tmp_path}/tar.tar", "croft image import")):
        assert expected in home.image_fails("copy", source, f"dir:{tmp_path}/out"), source
        assert expected in home.image_fails("inspect", source), source
    assert not (tmp_path / "out").exists()


def test_hostile_manifests_are_refused(home, tmp_path):
    layout = Layout(tmp_path / "lay")
    image = layout.image()
    deep = image
    for _ in range(8):
        deep = layout.multi({**deep, "platform": {"architecture": "amd64", "os": "linux"}})
    layout.name(deep, "deep")
    foreign = layout.blob(b"x", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", urls=["http://127.0.0.1:1/layer"])
    config = layout.blob(b"{}", OCI + "config.v1+json")
    layout.name(layout.manifest({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": [foreign]}), "foreign")
    layout.name(layout.blob(b'{"schemaVersion": 1, "fsLayers": []}', OCI + "manifest.v1+json"), "old")
    layout.name(layout.blob(b"<html></html>", OCI + "manifest.v1+json"), "page")
    layout.name(layout.blob(b" " * (5 << 20), OCI + "manifest.v1+json"), "huge")
    for tag, expected in (("deep", "deep"), ("foreign", "foreign"), ("old", "schema 1"), ("page", "is no JSON"), ("huge", "at most")):
        assert expected in home.image_fails("copy", "--all", f"oci:{tmp_path}/lay:{tag}", f"dir:{tmp_path}/out"), tag
    # A layout must not reach out of itself.
    (tmp_path / "secret").write_text("secret")
    manifest = image["digest"].split(":")[1]
    (tmp_path / "lay/blobs/sha256" / manifest).unlink()
    (tmp_path / "lay/blobs/sha256" / manifest).symlink_to(tmp_path / "secret")
    layout.name(image, "link")
    assert "secret" not in home.image_fails("inspect", "--raw", f"oci:{tmp_path}/lay:link").replace(str(tmp_path), "")


def test_a_killed_copy_leaves_nothing_under_the_image_s_name(home, tmp_path):
    """The source is a pipe that never ends, so the copy is certain to be under way when it is killed."""
    import os
    import signal

    from conftest import PROGRAM

    layout = Layout(tmp_path / "lay")
    layer = os.urandom(8 << 20)
    descriptor = layout.blob(layer, OCI + "layer.v1.tar")
    config = layout.blob(json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [descriptor["digest"]]}}).encode(), OCI + "config.v1+json")
    layout.name(layout.manifest({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": [descriptor]}), "one")
    archive = tmp_path / "a.tar"
    home.image("copy", f"oci:{tmp_path}/lay:one", f"oci-archive:{archive}:one")
    os.mkfifo(tmp_path / "pipe")
    for end in (signal.SIGKILL, signal.SIGTERM):
        copy = subprocess.Popen([PROGRAM, "image", "copy", f"oci-archive:{tmp_path}/pipe:one", f"oci:{tmp_path}/out:one"], env=home.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(tmp_path / "pipe", "wb") as pipe:
            pipe.write(archive.read_bytes()[: 4 << 20])
            pipe.flush()
            copy.send_signal(end)
        # The pipe has ended: one that did not die of the signal cannot go on now.
        copy.wait(60)
        assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- other tools


def test_skopeo_and_croft_read_each_other(home, layout, tmp_path):
    for place in ("oci:{}:one", "oci-archive:{}.tar:one", "dir:{}-dir"):
        ours, theirs = place.format(tmp_path / "ours"), place.format(tmp_path / "theirs")
        home.image("copy", f"oci:{layout[0]}:one", ours)
        home.skopeo("copy", f"oci:{layout[0]}:one", theirs)
        assert json.loads(home.skopeo("inspect", ours))["Digest"] == layout[1]
        assert digest(home, theirs) == layout[1]
        home.skopeo("copy", ours, f"dir:{tmp_path}/checked")
        home.image("copy", theirs, f"dir:{tmp_path}/checked-too")


def test_skopeo_and_croft_read_each_other_s_archives_of_docker(home, layout, tmp_path):
    home.image("copy", f"oci:{layout[0]}:one", f"docker-archive:{tmp_path}/ours.tar:web:1")
    home.skopeo("copy", f"oci:{layout[0]}:one", f"docker-archive:{tmp_path}/theirs.tar:web:1")
    assert json.loads(home.skopeo("inspect", f"docker-archive:{tmp_path}/ours.tar"))["Layers"] == \
        json.loads(home.skopeo("inspect", f"docker-archive:{tmp_path}/theirs.tar"))["Layers"]
    home.skopeo("copy", f"docker-archive:{tmp_path}/ours.tar", f"oci:{tmp_path}/by-skopeo:x")
    home.image("copy", f"docker-archive:{tmp_path}/theirs.tar", f"oci:{tmp_path}/by-croft:x")
    assert json.loads(home.image("inspect", f"oci:{tmp_path}/by-croft:x"))["Labels"] == {"made": "here"}


def test_croft_s_numbers_are_skopeo_s(home, tmp_path):
    """All of an index, in both formats, and what inspect says."""
    expected = two_platforms(tmp_path / "lay")
    home.image("copy", "--all", f"oci:{tmp_path}/lay:multi", f"dir:{tmp_path}/ours")
    home.skopeo("copy", "--all", f"oci:{tmp_path}/lay:multi", f"dir:{tmp_path}/theirs")
    assert digest(home, f"dir:{tmp_path}/theirs") == expected
    ours, theirs = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("ours", "theirs"))
    assert ours == theirs
    said = json.loads(home.image("inspect", "--platform=linux/amd64", f"dir:{tmp_path}/ours"))
    known = json.loads(home.skopeo("inspect", "--override-arch=amd64", f"dir:{tmp_path}/ours"))
    for key in ("Created", "Architecture", "Os", "Layers", "Labels", "Env"):
        assert said[key] == known[key], key


def test_umoci_reads_and_writes_what_croft_does(home, layout, tmp_path):
    home.image("copy", f"oci:{layout[0]}:one", f"oci:{tmp_path}/ours:one")
    home.good("umoci", "unpack", "--rootless", "--image", f"{tmp_path}/ours:one", tmp_path / "bundle")
    assert (tmp_path / "bundle/rootfs/b").read_bytes() == b"two"
    (tmp_path / "bundle/rootfs/c").write_text("three")
    home.good("umoci", "repack", "--image", f"{tmp_path}/ours:new", tmp_path / "bundle")
    home.image("copy", f"oci:{tmp_path}/ours:new", f"oci-archive:{tmp_path}/new.tar:new")
    assert len(json.loads(home.image("inspect", f"oci-archive:{tmp_path}/new.tar:new"))["Layers"]) == 3
    assert digest_of((home.image("inspect", "--raw", f"oci-archive:{tmp_path}/new.tar:new")).encode()) == digest(home, f"oci:{tmp_path}/ours:new")


def test_podman_loads_and_saves_what_croft_does(home, layout, tmp_path):
    # podman wants a short path there.
    short = tempfile.TemporaryDirectory(dir="/tmp")
    podman = ["podman", "--root", tmp_path / "storage", "--runroot", short.name, "--storage-driver=vfs", "--cgroup-manager=cgroupfs"]
    home.image("copy", f"oci:{layout[0]}:one", f"docker-archive:{tmp_path}/ours.tar:localhost/web:1")
    home.image("copy", f"oci:{layout[0]}:one", f"oci-archive:{tmp_path}/ours-oci.tar:localhost/web:2")
    for archive in ("ours.tar", "ours-oci.tar"):
        home.good(*podman, "load", "--input", tmp_path / archive)
    for form in ("docker-archive", "oci-archive"):
        home.good(*podman, "save", f"--format={form}", "--output", tmp_path / form, "localhost/web:1")
        home.image("copy", f"{form}:{tmp_path}/{form}", f"oci:{tmp_path}/{form}-lay:x")
        assert json.loads(home.image("inspect", f"oci:{tmp_path}/{form}-lay:x"))["Cmd"] == ["/bin/true"]
