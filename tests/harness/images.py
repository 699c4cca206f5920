"""A store with an image in it that was made by hand, for tests of what machines do on images whoever brought them."""

import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
DIRECTORIES = ["blobs/sha256", "blobs/sha512", "layers", "refs", "machines", "snapshots", "uses", "partial", "trash"]


class HandMade:
    """A store below a state directory. Blobs of layers are made up: nothing that runs looks at them."""

    def __init__(self, state):
        self.path = pathlib.Path(state) / "store"
        self.path.mkdir(mode=0o700, parents=True)
        for name in DIRECTORIES:
            (self.path / name).mkdir(mode=0o700, parents=True)
        (self.path / "version").write_text("1\n")

    def blob(self, content):
        digest = hashlib.sha256(content).hexdigest()
        (self.path / "blobs/sha256" / digest).write_bytes(content)
        return f"sha256:{digest}"

    def layer(self, fill):
        """fill(directory) makes the layer's tree, which is not there yet."""
        name = f"layer {len(list((self.path / 'layers').iterdir()))} of {self.path}"
        diff_id = hashlib.sha256(name.encode()).hexdigest()
        directory = self.path / "layers" / f"sha256-{diff_id}"
        directory.mkdir(mode=0o700)
        fill(directory / "tree")
        (directory / "tree").chmod(0o755)
        (directory / "layer.json").write_text(json.dumps({"id": f"sha256:{diff_id}", "bytes": 1, "entries": 1}))
        return f"sha256:{diff_id}"

    def image(self, name, layers, **process):
        blobs = [self.blob(f"blob of {layer}".encode()) for layer in layers]
        config = json.dumps({"os": "linux", "architecture": "amd64", "config": process,
                             "rootfs": {"type": "layers", "diff_ids": layers}}).encode()
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST,
                               "config": {"mediaType": CONFIG, "digest": self.blob(config), "size": len(config)},
                               "layers": [{"mediaType": LAYER, "digest": blob, "size": 1} for blob in blobs]}).encode()
        digest = self.blob(manifest)
        (self.path / "refs" / name.replace("/", "%2f")).write_text(
            json.dumps({"name": name, "manifest": digest, "source": "", "made": 1}))
        return digest


def tree_layer(tree):
    """The whole of a tree."""
    return lambda target: subprocess.run(["cp", "-a", "--reflink=auto", tree, target], check=True)


def files_layer(files, removed=()):
    """Files by path, and what the layer takes away from those below."""
    def fill(target):
        target.mkdir()
        for path, content in files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(content)
        for path in removed:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            os.mknod(target / path, stat.S_IFCHR | 0o600, os.makedev(0, 0))
    return fill


def remove_store(state):
    shutil.rmtree(pathlib.Path(state) / "store", ignore_errors=True)
