"""Archives and disk images from addresses on the web: whole or not at all, whatever the server and the connection do."""

import base64
import gzip
import hashlib
import http.server
import json
import lzma
import os
import pathlib
import ssl
import subprocess
import threading

import pytest
from answers import Answers

pytestmark = [pytest.mark.in_process("the store is looked into from here"),
              pytest.mark.skipif(os.geteuid() != 0, reason="owners are kept by root")]
QUICK = "--retry-delay=0"


class Handler(Answers):
    def begin(self):
        return int((self.headers.get("Range") or "bytes=0-")[6:].rstrip("-"))

    def part(self, body, until=None, **headers):
        """From where it was asked for; `until`: hangs up there."""
        begin = self.begin()
        if begin:
            headers["Content_Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
        self.send(206 if begin else 200, body[begin:until], len(body) - begin, **headers)
        if until is not None:
            self.hang_up()

    def do_GET(self):
        path = self.path.split("?")[0]
        self.server.seen.append((path, self.headers.get("Range"), self.headers.get("Authorization")))
        if path in self.server.tricks:
            return self.server.tricks[path](self)
        body = self.server.files.get(path)
        return self.part(body) if body is not None else self.send(404, b"<html>no</html>", Content_Type="text/html")


def serve(certificates=None):
    out = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    out.daemon_threads = True
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
        out.socket = context.wrap_socket(out.socket, server_side=True)
    out.files, out.tricks, out.seen = {}, {}, []
    out.host = "127.0.0.1:%d" % out.server_address[1]
    out.url = f"{'https' if certificates else 'http'}://{out.host}"
    out.thread = threading.Thread(target=out.serve_forever, daemon=True)
    out.thread.start()
    return out


def end(server):
    server.shutdown()
    server.thread.join()
    server.server_close()


@pytest.fixture
def server():
    out = serve()
    yield out
    end(out)


@pytest.fixture
def place(scratch, monkeypatch):
    state = scratch / "state"
    monkeypatch.setenv("CROFT_STATE_DIR", str(state))
    monkeypatch.setenv("HOME", str(scratch))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return state / "store"


@pytest.fixture
def archive(scratch, tree):
    path = scratch / "app.tar"
    subprocess.run(["tar", "-C", tree("app"), "--xattrs", "-cf", path, "."], check=True)
    return path.read_bytes()


def bring(croft, *words):
    return croft("image", "import", QUICK, *words, timeout=120)


def fails(croft, place, *words):
    """Its sentence; nothing of it is in the store."""
    ran = bring(croft, *words)
    assert ran.status not in (0, 139, 134) and ran.stderr.startswith("croft: ") and ran.stderr.count("\n") == 1, ran
    for name in ("refs", "layers", "partial", "blobs/sha256"):
        assert not (place / name).exists() or os.listdir(place / name) == [], (name, ran)
    return ran.stderr



def test_an_archive_is_unpacked_while_it_comes(croft, server, place, archive, scratch):
    for file, body in {"plain.tar": archive, "packed.tar.gz": gzip.compress(archive, 1), "packed.tar.xz": lzma.compress(archive, preset=0)}.items():
        server.files[f"/dir/{file}"] = body
    bring(croft, f"{server.url}/dir/plain.tar?token=1").check()
    bring(croft, f"tar:{server.url}/dir/packed.tar.xz", "second:1").check()
    bring(croft, f"{server.url}/dir/packed.tar.gz").check()
    listed = {each["name"]: each for each in json.loads(croft("image", "list", "--json").check().stdout)}
    assert set(listed) == {"plain", "second:1", "packed"}
    assert croft("run", "packed", "/bin/echo", "there").check().stdout == "there\n"
    out = scratch / "out"
    for name, body in {"plain": archive, "packed": server.files["/dir/packed.tar.gz"]}.items():
        croft("image", "export", name, str(out)).check()
        assert out.read_bytes() == body


def test_a_machine_runs_on_an_address(croft, server, place, archive):
    server.files["/app.tar"] = archive
    for _ in range(2):
        ran = croft("run", f"{server.url}/app.tar", "/bin/echo", "there", timeout=120)
        assert (ran.status, ran.stdout) == (0, "there\n"), ran
    assert len(server.seen) == 1


def test_a_machine_runs_on_an_archive(croft, place, archive, scratch):
    ran = croft("run", f"tar:{scratch}/app.tar", "/bin/echo", "there", timeout=120)
    assert (ran.status, ran.stdout) == (0, "there\n"), ran


def test_a_cut_connection_goes_on_where_it_was(croft, server, place, archive, scratch):
    cuts = [len(archive) // 3, len(archive) * 2 // 3]
    server.tricks["/app.tar"] = lambda handler: handler.part(archive, cuts.pop(0) if cuts else None, ETag='"one"')
    bring(croft, f"{server.url}/app.tar").check()
    assert [seen[1] for seen in server.seen] == [None, f"bytes={len(archive) // 3}-", f"bytes={len(archive) * 2 // 3}-"]
    croft("image", "export", "app", str(scratch / "out")).check()
    assert (scratch / "out").read_bytes() == archive


def test_a_server_without_ranges_is_read_again(croft, server, place, archive, scratch):
    cuts = [len(archive) // 2]

    def trick(handler):
        until = cuts.pop() if cuts else None
        handler.send(200, archive[:until], len(archive))
        if until:
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(2)
    server.tricks["/app.tar"] = trick
    bring(croft, f"{server.url}/app.tar").check()
    croft("image", "export", "app", str(scratch / "out")).check()
    assert (scratch / "out").read_bytes() == archive


@pytest.mark.parametrize("change", ["tag", "date", "size"])
def test_what_changes_while_it_is_read_is_refused(croft, server, place, archive, change):
    first = []

    def trick(handler):
        again = bool(first)
        first.append(1)
        body = archive + bytes(512) * again if change == "size" else archive
        headers = {"tag": {"ETag": f'"{again}"'}, "date": {"ETag": '"x"', "Last_Modified": f"Sun, 06 Nov 199{4 + again} 08:49:37 GMT"}, "size": {}}[change]
        handler.part(body, None if again else len(archive) // 2, **headers)
    server.tricks["/app.tar"] = trick
    assert "changed" in fails(croft, place, f"{server.url}/app.tar")


def test_what_breaks_off_again_and_again_is_given_up(croft, server, place, archive):
    server.tricks["/app.tar"] = lambda handler: handler.part(archive, max(handler.begin(), 4096))
    told = fails(croft, place, "--retry-times=2", f"{server.url}/app.tar")
    assert f"{server.url}/app.tar" in told and 3 <= len(server.seen) <= 6, (told, server.seen)


def test_only_the_archive_that_was_meant(croft, server, place, archive, scratch):
    server.files["/app.tar"] = archive
    good = {name: f"{name}:{hashlib.new(name, archive).hexdigest()}" for name in ("sha256", "sha512")}
    told = fails(croft, place, "--digest=sha256:" + "0" * 64, f"{server.url}/app.tar")
    assert "other bytes than sha256:000" in told and good["sha256"] in told
    assert "other bytes" in fails(croft, place, "--digest=sha512:" + "0" * 128, str(scratch / "app.tar"))
    for wrong in ("abc", "sha256:abc", "md5:" + "0" * 32):
        assert "--digest" in fails(croft, place, f"--digest={wrong}", f"{server.url}/app.tar")
    assert "NAME@DIGEST" in fails(croft, place, "--digest=" + good["sha256"], str(scratch))
    bring(croft, "--digest=" + good["sha256"], f"{server.url}/app.tar").check()
    bring(croft, "--digest=" + good["sha512"], str(scratch / "app.tar"), "local").check()


@pytest.mark.parametrize("status,expected", [(404, "no such file"), (403, "does not give it away"), (401, "--creds"), (500, "has failed")])
def test_the_server_s_refusals_are_sentences(croft, server, place, status, expected):
    server.tricks["/app.tar"] = lambda handler: handler.send(status, b"no")
    told = fails(croft, place, "--retry-times=0", f"{server.url}/app.tar")
    assert expected in told and f"HTTP {status}" in told and f"{server.url}/app.tar" in told


def test_pages_and_what_is_no_archive(croft, server, place):
    server.tricks["/app.tar"] = lambda handler: handler.send(200, b"<html>", Content_Type="text/html; charset=utf-8")
    assert "page for people" in fails(croft, place, f"{server.url}/app.tar")
    server.files["/noise.tar"] = b"noise" * 1000
    assert f"{server.url}/noise.tar" in fails(croft, place, f"{server.url}/noise.tar")
    server.files["/"] = b""
    assert "needs a NAME" in fails(croft, place, f"{server.url}/")
    for wrong in ("http://", "https:///a.tar", "http://host/with blank.tar", "http://:80/a.tar"):
        assert "no address" in fails(croft, place, wrong, "name"), wrong
    port = server.server_address[1]
    end_of = f"http://127.0.0.1:{port}/missing.tar"
    assert "no such file" in fails(croft, place, end_of)
    assert "there is no kind of place" in fails(croft, place, f"ftp://127.0.0.1:{port}/a.tar")


def test_redirects_are_followed_and_a_login_stays_at_home(croft, server, place, archive):
    other = serve()
    try:
        other.files["/real.tar"] = archive
        server.tricks["/app.tar"] = lambda handler: handler.send(302, b"", Location=f"{other.url}/real.tar")
        bring(croft, f"http://alice:a%40b@{server.host}/app.tar").check()
        assert server.seen[0][2] == "Basic " + base64.b64encode(b"alice:a@b").decode() and other.seen == [("/real.tar", None, None)]
        bring(croft, "--creds=bob:word", f"{server.url}/app.tar", "second").check()
        assert server.seen[1][2] == "Basic " + base64.b64encode(b"bob:word").decode()
        kept = "".join(path.read_text(errors="replace") for path in [*(place / "refs").iterdir(), *(place / "blobs/sha256").iterdir()])
        assert "a%40b" not in kept and "a@b" not in kept and f"http://{server.host}/app.tar" in kept
        server.tricks["/round.tar"] = lambda handler: handler.send(302, b"", Location=f"{server.url}/round.tar")
        ran = bring(croft, "--retry-times=0", f"{server.url}/round.tar")
        assert ran.status and "edirect" in ran.stderr, ran
    finally:
        end(other)


def test_tls_is_checked(croft, place, archive, certificates):
    server = serve(certificates)
    try:
        server.files["/app.tar"] = archive
        told = fails(croft, place, f"{server.url}/app.tar")
        assert "no safe connection" in told and "--cert-dir" in told
        bring(croft, f"--cert-dir={certificates}/certs", f"{server.url}/app.tar").check()
        bring(croft, "--tls-verify=no", f"{server.url}/app.tar", "second").check()
    finally:
        end(server)


@pytest.mark.parametrize("how", ["plain", "xz", "qcow2"])
def test_disk_images_too(croft, server, place, scratch, tree, machine, config, how):
    name = machine("web")
    raw, packed = scratch / "disk.raw", scratch / "disk.qcow2"
    raw.touch()
    os.truncate(raw, 24 << 20)
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", tree("app"), raw], check=True, env=env)
    body = raw.read_bytes()
    if how == "xz":
        body = lzma.compress(body, preset=0)
    if how == "qcow2":
        subprocess.run(["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, packed], check=True)
        body = packed.read_bytes()
    server.tricks["/disk.img"] = lambda handler: handler.part(body, len(body) // 2 if not handler.begin() else None)
    image = pathlib.Path(f"/var/lib/machines/{name}.raw")
    try:
        wrong = bring(croft, "--digest=sha256:" + "0" * 64, f"raw:{server.url}/disk.img", name)
        assert wrong.status != 0 and "other bytes" in wrong.stderr and not image.exists(), wrong
        bring(croft, "--digest=sha256:" + hashlib.sha256(body).hexdigest(), f"raw:{server.url}/disk.img", name).check()
        assert image.read_bytes() == raw.read_bytes()
        refused = bring(croft, "--backing", f"raw:{server.url}/disk.img", name + "b")
        assert refused.status != 0 and "--backing" in refused.stderr, refused
    finally:
        image.unlink(missing_ok=True)
