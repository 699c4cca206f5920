"""Small images, made here byte by byte, so that a test knows what an image is without asking the tools it compares."""

import gzip
import hashlib
import io
import json
import pathlib
import tarfile

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."


def digest_of(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def layer_tar(files):
    """A tar archive of {name: bytes}, always the same bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class Layout:
    """An OCI layout in a directory, filled piece by piece."""

    def __init__(self, path, algorithm="sha256"):
        self.path, self.algorithm = pathlib.Path(path), algorithm
        self.path.mkdir(parents=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.index = []

    def blob(self, data, media_type, **more):
        algorithm, name = (digest := digest_of(data, self.algorithm)).split(":")
        place = self.path / "blobs" / algorithm / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def image(self, layers=({"a": b"one"}, {"b": b"two"}), architecture="amd64", family=OCI, compress=True, level=9, **config):
        """Its descriptor. `layers` are dictionaries of files."""
        tars = [layer_tar(files) for files in layers]
        kind = "image.layer.v1.tar" if family is OCI else "image.rootfs.diff.tar"
        media_type = "application/vnd." + ("oci." if family is OCI else "docker.") + kind + ((("+" if family is OCI else ".") + "gzip") if compress else "")
        packed = [self.blob(gzip.compress(tar, level, mtime=0) if compress else tar, media_type) for tar in tars]
        body = json.dumps({"created": "2024-01-01T00:00:00Z", "architecture": architecture, "os": "linux",
                           "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/true"], "Labels": {"made": "here"}, **config},
                           "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in tars]}}).encode()
        config_type = OCI + "config.v1+json" if family is OCI else DOCKER + "container.image.v1+json"
        manifest_type = OCI + "manifest.v1+json" if family is OCI else DOCKER + "distribution.manifest.v2+json"
        manifest = {"schemaVersion": 2, "mediaType": manifest_type, "config": self.blob(body, config_type), "layers": packed}
        return self.manifest(manifest)

    def manifest(self, value, **more):
        return self.blob(json.dumps(value).encode(), value["mediaType"], **more)

    def multi(self, *images, family=OCI):
        media_type = OCI + "index.v1+json" if family is OCI else DOCKER + "distribution.manifest.list.v2+json"
        return self.manifest({"schemaVersion": 2, "mediaType": media_type, "manifests": list(images)})

    def name(self, descriptor, tag):
        self.index.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}})
        self.write_index()
        return descriptor["digest"]

    def write_index(self):
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": self.index}))


def simple(path, tag="one", **image):
    """A layout with one image of that name; the image's digest."""
    layout = Layout(path)
    return layout.name(layout.image(**image), tag)


def two_platforms(path, tag="multi", family=OCI):
    layout = Layout(path)
    images = [{**layout.image(({"arch": name.encode()},), architecture=name, family=family), "platform": {"architecture": name, "os": "linux"}}
              for name in ("amd64", "arm64")]
    return layout.name(layout.multi(*images, family=family), tag)
