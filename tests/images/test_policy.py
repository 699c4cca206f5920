"""policy.json: which images may come in. Signatures are made by skopeo and gpg, or here by openssl as cosign makes them."""

import base64
import json
import subprocess

import pytest
from make import OCI, Layout, digest_of, simple, two_platforms

PLAIN = ("--tls-verify=no",)


@pytest.fixture
def pushed(home, plain_registry, tmp_path):
    """(reference, repository without transport, digest) of an image in the registry."""
    digest = simple(tmp_path / "lay")
    name = f"{plain_registry}/policy/{tmp_path.name.lower().rstrip('-_')}"
    home.image("copy", *PLAIN, f"oci:{tmp_path}/lay:one", f"docker://{name}:1")
    return f"docker://{name}:1", name, digest


def policy(home, *requirements, transport="docker", scope=""):
    value = {"default": [{"type": "reject"}], "transports": {transport: {scope: list(requirements)}}}
    (home.containers / "policy.json").write_text(json.dumps(value))


def comes_in(home, tmp_path, reference):
    target = tmp_path / "in"
    ran = home.run("rm", "-rf", target)
    assert ran.returncode == 0
    home.image("copy", *PLAIN, reference, f"oci:{target}:x")
    assert target.exists()


def stays_out(home, tmp_path, reference):
    target = tmp_path / "out"
    told = home.image_fails("copy", *PLAIN, reference, f"oci:{target}:x")
    assert not target.exists()
    return told


def test_what_is_rejected_stays_out(home, pushed, tmp_path):
    reference, name, _ = pushed
    policy(home, {"type": "reject"})
    assert "policy rejects it" in stays_out(home, tmp_path, reference)
    policy(home, {"type": "insecureAcceptAnything"}, scope=name)
    comes_in(home, tmp_path, reference)
    policy(home, {"type": "insecureAcceptAnything"}, scope=name + "-other")
    stays_out(home, tmp_path, reference)
    # Looking lets nothing in.
    home.image("inspect", *PLAIN, reference)
    (tmp_path / "all.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    home.image("copy", "--policy", tmp_path / "all.json", *PLAIN, reference, f"oci:{tmp_path}/other:x")
    (home.containers / "policy.json").write_text("{}")
    assert "policy.json" in stays_out(home, tmp_path, reference)


def refuse(home, transport, scope):
    """Everything may come in but what is in that scope."""
    value = {"default": [{"type": "insecureAcceptAnything"}], "transports": {transport: {str(scope): [{"type": "reject"}]}}}
    (home.containers / "policy.json").write_text(json.dumps(value))


def test_a_short_name_is_held_against_the_policy_in_full(home, pushed, tmp_path):
    """Whatever an alias or a mirror makes of it."""
    reference, name, _ = pushed
    (home.containers / "registries.conf").write_text(f"""
[[registry]]
prefix = "elsewhere.invalid"
[[registry.mirror]]
location = "{name.rsplit("/", 1)[0]}"
insecure = true
[aliases]
"short" = "{name}"
""")
    comes_in(home, tmp_path, "docker://short:1")
    refuse(home, "docker", name)
    assert name in stays_out(home, tmp_path, "docker://short:1")
    refuse(home, "docker", "elsewhere.invalid")
    stays_out(home, tmp_path, f"docker://elsewhere.invalid/{name.rsplit('/', 1)[1]}:1")
    comes_in(home, tmp_path, "docker://short:1")


def test_files_are_held_against_the_policy_by_their_whole_path(home, tmp_path):
    simple(tmp_path / "lay")
    (tmp_path / "link").symlink_to("lay")
    refuse(home, "oci", tmp_path / "lay")
    for path in ("lay", "link", "user/../lay", "./lay"):
        stays_out(home, tmp_path, f"oci:{tmp_path}/{path}:one")
    refuse(home, "oci", tmp_path / "lay2")
    comes_in(home, tmp_path, f"oci:{tmp_path}/link:one")


def test_a_signature_of_one_image_is_none_of_the_whole_index(home, plain_registry, tmp_path):
    two_platforms(tmp_path / "lay")
    name = f"{plain_registry}/policy/{tmp_path.name.lower().rstrip('-_')}"
    home.image("copy", "--all", *PLAIN, f"oci:{tmp_path}/lay:multi", f"docker://{name}:1")
    raw = home.image("inspect", "--raw", *PLAIN, f"docker://{name}:1")
    one = next(each["digest"] for each in json.loads(raw)["manifests"] if each["platform"]["architecture"] == "amd64")
    make_key(tmp_path / "key", "ecdsa")
    attach(home, tmp_path, tmp_path / "key", "ecdsa", name, one)
    policy(home, {"type": "sigstoreSigned", "keyPath": str(tmp_path / "key.pub")})
    options = (*PLAIN, "--platform=linux/amd64", f"docker://{name}:1")
    home.image("copy", *options, f"oci:{tmp_path}/in:x")
    for every in ("--all", "--multi-arch=index-only"):
        assert "there is none" in home.image_fails("copy", every, *options, f"oci:{tmp_path}/out:x")
    attach(home, tmp_path, tmp_path / "key", "ecdsa", name, digest_of(raw.encode()))
    home.image("copy", "--all", *options, f"oci:{tmp_path}/all:x")


def make_key(path, kind):
    options = {"ecdsa": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "ed25519": ["-algorithm", "ed25519"],
               "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}[kind]
    subprocess.run(["openssl", "genpkey", *options, "-out", path], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-out", f"{path}.pub"], check=True, capture_output=True)


def attach(home, tmp_path, key, kind, name, digest, signed_name=None, signed_digest=None):
    """Signs as cosign does and puts the signature beside the image."""
    payload = json.dumps({"critical": {"identity": {"docker-reference": signed_name or name + ":1"}, "image": {"docker-manifest-digest": signed_digest or digest},
                                       "type": "cosign container image signature"}, "optional": None}).encode()
    (tmp_path / "payload").write_bytes(payload)
    if kind == "ed25519":
        words = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", tmp_path / "payload"]
    else:
        words = ["openssl", "dgst", "-sha256", "-sign", key, tmp_path / "payload"]
    signature = base64.b64encode(subprocess.run(words, check=True, capture_output=True).stdout).decode()
    home.run("rm", "-rf", tmp_path / "signature")
    layout = Layout(tmp_path / "signature")
    layer = layout.blob(payload, "application/vnd.dev.cosign.simplesigning.v1+json", annotations={"dev.cosignproject.cosign/signature": signature})
    config = layout.blob(json.dumps({"architecture": "", "os": "", "rootfs": {"type": "layers", "diff_ids": [digest_of(payload)]}}).encode(), OCI + "config.v1+json")
    layout.name(layout.manifest({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": [layer]}), "sig")
    (tmp_path / "all.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    home.image("copy", "--policy", tmp_path / "all.json", *PLAIN, f"oci:{tmp_path}/signature:sig", f"docker://{name}:{digest.replace(':', '-')}.sig")


@pytest.mark.parametrize("kind", ["ecdsa", "ed25519", "rsa"])
def test_a_signature_by_the_right_key_lets_in(home, pushed, tmp_path, kind):
    reference, name, digest = pushed
    make_key(tmp_path / "key", kind)
    make_key(tmp_path / "other", kind)
    policy(home, {"type": "sigstoreSigned", "keyPath": str(tmp_path / "key.pub")})
    assert "there is none" in stays_out(home, tmp_path, reference)
    attach(home, tmp_path, tmp_path / "other", kind, name, digest)
    assert "another key" in stays_out(home, tmp_path, reference)
    attach(home, tmp_path, tmp_path / "key", kind, name, digest, signed_name=name + ":2")
    assert ":2" in stays_out(home, tmp_path, reference)
    attach(home, tmp_path, tmp_path / "key", kind, name, digest, signed_digest="sha256:" + "0" * 64)
    assert "0000" in stays_out(home, tmp_path, reference)
    attach(home, tmp_path, tmp_path / "key", kind, name, digest)
    comes_in(home, tmp_path, reference)
    comes_in(home, tmp_path, f"docker://{name}@{digest}")
    policy(home, {"type": "sigstoreSigned", "keyPath": str(tmp_path / "missing.pub")})
    assert "missing.pub" in stays_out(home, tmp_path, reference)
    policy(home, {"type": "sigstoreSigned", "keyPath": str(tmp_path / "key.pub"), "fulcio": {}})
    assert "not understood" in stays_out(home, tmp_path, reference)


@pytest.fixture
def gpg(home, tmp_path):
    """A GPG home with a key; its directory and the key, armoured."""
    directory = tmp_path / "gpg"
    directory.mkdir(mode=0o700)
    base = ["gpg", "--homedir", directory, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    home.good(*base, "--quick-generate-key", "test@example.invalid", "rsa2048", "sign", "never")
    (tmp_path / "key.asc").write_text(home.good(*base, "--armor", "--export", "test@example.invalid"))
    yield base
    home.run("gpgconf", "--homedir", directory, "--kill", "all")


def test_simple_signing_by_gpg(home, pushed, gpg, tmp_path):
    reference, name, digest = pushed
    host, repository = name.split("/", 1)
    signed = tmp_path / "lookaside" / f"{repository}@{digest.replace(':', '=')}"
    signed.mkdir(parents=True)
    (home.containers / "registries.d").mkdir()
    (home.containers / "registries.d/test.yaml").write_text(f"docker:\n  {host}:\n    lookaside: file://{tmp_path}/lookaside\n")
    policy(home, {"type": "signedBy", "keyType": "GPGKeys", "keyPath": str(tmp_path / "key.asc")})
    assert "there is none" in stays_out(home, tmp_path, reference)

    def sign(signed_name):
        payload = {"critical": {"type": "atomic container signature", "image": {"docker-manifest-digest": digest}, "identity": {"docker-reference": signed_name}},
                   "optional": {}}
        (tmp_path / "payload").write_text(json.dumps(payload))
        home.good(*gpg, "--yes", "--sign", "--output", signed / "signature-1", tmp_path / "payload")

    sign(name + ":other")
    assert ":other" in stays_out(home, tmp_path, reference)
    sign(name + ":1")
    comes_in(home, tmp_path, reference)
    # skopeo believes the same.
    home.good("skopeo", "copy", "--remove-signatures", "--src-tls-verify=false", reference, f"oci:{tmp_path}/by-skopeo:x")
    data = (signed / "signature-1").read_bytes()
    (signed / "signature-1").write_bytes(data[:-20] + bytes(20))
    stays_out(home, tmp_path, reference)


def test_of_a_directory_the_name_must_be_told(home, pushed, gpg, tmp_path):
    """skopeo signs a directory; its signature is for the name it was given."""
    reference, name, digest = pushed
    home.image("copy", *PLAIN, reference, f"dir:{tmp_path}/image")
    home.good("skopeo", "standalone-sign", tmp_path / "image/manifest.json", name + ":1", fingerprint(home, gpg), "--output", tmp_path / "image/signature-1",
              GNUPGHOME=str(tmp_path / "gpg"))
    signed_by = {"type": "signedBy", "keyType": "GPGKeys", "keyPath": str(tmp_path / "key.asc")}
    policy(home, signed_by, transport="dir")
    assert "exactReference" in stays_out(home, tmp_path, f"dir:{tmp_path}/image")
    policy(home, {**signed_by, "signedIdentity": {"type": "exactReference", "dockerReference": name + ":1"}}, transport="dir")
    comes_in(home, tmp_path, f"dir:{tmp_path}/image")


def fingerprint(home, gpg):
    return next(line.split(":")[9] for line in home.good(*gpg, "--with-colons", "--list-keys").splitlines() if line.startswith("fpr"))
