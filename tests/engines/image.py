"""A container image without a registry: busybox with its applets as an archive that podman, Docker, containerd and
buildah all load. What the tests run is in it, and nothing else."""

import hashlib
import io
import json
import subprocess
import tarfile

NAME = "localhost/bb:1"
BUSYBOX = "/bin/busybox"
PASSWD = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n"
GROUP = "root:x:0:\nuser:x:1000:\nextra:x:2000:user\n"
CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2020-01-01T00:00:00Z",
    "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin:/sbin", "BB=from-image"], "Cmd": ["sh"], "WorkingDir": "/"},
    "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "tests/engines/image.py"}],
}


def add(archive, name, data=None, mode=0o755, link=None):
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    if link:
        entry.type, entry.linkname = tarfile.SYMTYPE, link
    elif data is None:
        entry.type = tarfile.DIRTYPE
    else:
        entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data) if data is not None else None)


def layer():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for directory in ("bin", "sbin", "etc", "root", "home", "home/user", "tmp", "dev", "proc", "sys", "run", "var", "usr", "usr/bin", "srv"):
            add(archive, directory, mode=0o1777 if directory == "tmp" else 0o755)
        with open(BUSYBOX, "rb") as program:
            add(archive, "bin/busybox", program.read())
        applets = subprocess.run([BUSYBOX, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                add(archive, f"bin/{applet}", link="busybox")
        add(archive, "etc/passwd", PASSWD.encode(), 0o644)
        add(archive, "etc/group", GROUP.encode(), 0o644)
        add(archive, "srv/plain", b"not a program\n", 0o644)
        add(archive, "srv/index.html", b"served\n", 0o644)
    return packed.getvalue()


def write(path):
    """The image as the archive that `docker save` writes: the one form that all four engines load."""
    data = layer()
    config = json.dumps({**CONFIG, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest()]}}).encode()
    digest = hashlib.sha256(config).hexdigest()
    manifest = json.dumps([{"Config": f"{digest}.json", "RepoTags": [NAME], "Layers": ["layer/layer.tar"]}]).encode()
    with tarfile.open(path, "w") as archive:
        add(archive, "layer")
        add(archive, "layer/layer.tar", data, 0o644)
        add(archive, f"{digest}.json", config, 0o644)
        add(archive, "manifest.json", manifest, 0o644)
    return path
