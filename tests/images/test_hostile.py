"""Registries that do what they should not, and connections that break."""

import http.server
import itertools
import json
import threading
import time

import pytest
from answers import Answers
from make import OCI, Layout, digest_of

PLAIN = ("--tls-verify=no", "--retry-delay=0")
LAYER = bytes(range(256)) * 4096  # 1 MiB


class Handler(Answers):
    def cut(self, body, length):
        """Promises `length` bytes, sends these and hangs up."""
        self.send(200, body, length)
        self.hang_up()

    def usual(self):
        if self.path == "/v2/":
            return self.send(200, b"{}")
        found = self.server.store.get(self.path)
        if not found:
            return self.send(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}', Content_Type="application/json")
        body, media_type = found
        begin = self.headers.get("Range", "")
        if begin:
            first = int(begin.removeprefix("bytes=").rstrip("-"))
            return self.send(206, body[first:], Content_Type=media_type, Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")
        return self.send(200, body, Content_Type=media_type)

    def do_GET(self):
        self.server.seen.append((self.command, self.path, self.headers.get("Range")))
        for part, action in self.server.tricks.items():
            if part in self.path:
                return action(self)
        return self.usual()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET


@pytest.fixture
def server(tmp_path):
    """A registry with the image x:1, whose layer is 1 MiB. `tricks` maps a part of the path to what happens there."""
    layout = Layout(tmp_path / "lay")
    layer = layout.blob(LAYER, OCI + "layer.v1.tar")
    config = layout.blob(json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode(), OCI + "config.v1+json")
    manifest = layout.manifest({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": [layer]})
    layout.name(manifest, "one")
    out = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    out.daemon_threads = True
    out.place = "docker://127.0.0.1:%d/x:1" % out.server_address[1]
    out.layer, out.manifest, out.layout, out.tricks, out.seen = layer["digest"], manifest["digest"], f"oci:{tmp_path}/lay:one", {}, []
    out.store = {f"/v2/x/{kind}/sha256:{path.name}": (path.read_bytes(), OCI + "manifest.v1+json" if kind == "manifests" else "application/octet-stream")
                 for path in (tmp_path / "lay/blobs/sha256").iterdir() for kind in ("blobs", "manifests")}
    out.store["/v2/x/manifests/1"] = out.store["/v2/x/manifests/" + out.manifest]
    thread = threading.Thread(target=out.serve_forever, daemon=True)
    thread.start()
    yield out
    out.shutdown()
    thread.join()
    out.server_close()


def pull(home, server, tmp_path, *options):
    return home.image("copy", *PLAIN, *options, server.place, f"oci:{tmp_path}/out:1")


def pull_fails(home, server, tmp_path, *options):
    told = home.image_fails("copy", *PLAIN, *options, server.place, f"oci:{tmp_path}/out:1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lay", "user"], "something is left of a copy that failed"
    return told


def test_a_cut_connection_goes_on_where_it_was(home, server, tmp_path):
    """Cut twice: the rest is asked for by its first byte, and the bytes are right."""
    cuts = [300_000, 200_000]

    def trick(handler):
        begin = int((handler.headers.get("Range") or "bytes=0-")[6:].rstrip("-"))
        if not cuts:
            return handler.usual()
        body = LAYER[begin : begin + cuts.pop()]
        if not begin:
            return handler.cut(body, len(LAYER))
        handler.send(206, body, len(LAYER) - begin, Content_Range=f"bytes {begin}-{len(LAYER) - 1}/{len(LAYER)}")
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.shutdown(2)

    server.tricks["blobs/" + server.layer] = trick
    pull(home, server, tmp_path)
    ranges = [wanted for _, path, wanted in server.seen if server.layer in path]
    assert ranges == [None, "bytes=200000-", "bytes=500000-"]


def test_a_registry_without_ranges_is_read_again(home, server, tmp_path):
    cuts = [400_000]
    server.tricks["blobs/" + server.layer] = lambda handler: handler.cut(LAYER[: cuts.pop()], len(LAYER)) if cuts else handler.send(200, LAYER)
    pull(home, server, tmp_path)


def test_what_breaks_off_again_and_again_is_given_up(home, server, tmp_path):
    server.tricks["blobs/" + server.layer] = lambda handler: handler.cut(b"", len(LAYER))
    assert server.layer in pull_fails(home, server, tmp_path, "--retry-times=2")
    assert len([path for _, path, _ in server.seen if server.layer in path]) == 3
    server.seen.clear()
    server.tricks["blobs/" + server.layer] = lambda handler: handler.cut(LAYER[:1000], len(LAYER))
    told = pull_fails(home, server, tmp_path, "--retry-times=2")
    assert server.layer in told and len([path for _, path, _ in server.seen if server.layer in path]) == 3


def test_a_shorter_blob_is_no_blob(home, server, tmp_path):
    server.tricks["blobs/" + server.layer] = lambda handler: handler.send(200, LAYER[:1000])
    assert "1048576" in pull_fails(home, server, tmp_path, "--retry-times=1")


@pytest.mark.parametrize("body, expected", [(LAYER[:-1] + b"x", "other bytes"), (LAYER + b"x", "more than")], ids=["exchanged", "longer"])
def test_a_blob_that_is_another_is_refused(home, server, tmp_path, body, expected):
    server.tricks["blobs/" + server.layer] = lambda handler: handler.send(200, body)
    assert expected in pull_fails(home, server, tmp_path)


def test_a_manifest_that_is_another_is_refused(home, server, tmp_path):
    body, media_type = server.store["/v2/x/manifests/1"]
    server.tricks["manifests/"] = lambda handler: handler.send(200, body + b" ", Content_Type=media_type, Docker_Content_Digest=server.manifest)
    assert "damaged or exchanged" in pull_fails(home, server, tmp_path)
    server.place = server.place[:-2] + "@" + server.manifest
    server.tricks["manifests/"] = lambda handler: handler.send(200, body + b" ", Content_Type=media_type)
    assert "damaged or exchanged" in pull_fails(home, server, tmp_path)


def test_pages_for_people_are_no_answers(home, server, tmp_path):
    page = lambda handler: handler.send(200, b"<html>welcome</html>", Content_Type="text/html; charset=utf-8")
    server.tricks = {"manifests/": page}
    assert "HTML" in pull_fails(home, server, tmp_path)
    server.tricks = {"blobs/" + server.layer: page}
    assert "HTML" in pull_fails(home, server, tmp_path)
    server.tricks = {"": lambda handler: handler.send(500, b"<html>oops</html>", Content_Type="text/html")}
    assert "page for people" in pull_fails(home, server, tmp_path, "--retry-times=0")


def test_redirects_are_followed_but_not_for_ever(home, server, tmp_path):
    server.store["/elsewhere"] = (LAYER, "application/octet-stream")
    server.tricks["blobs/" + server.layer] = lambda handler: handler.send(307, Location="/elsewhere")
    pull(home, server, tmp_path)
    (tmp_path / "out").rename(tmp_path / "user/out")
    server.tricks["/elsewhere"] = lambda handler: handler.send(302, Location="/elsewhere")
    assert "redirects" in pull_fails(home, server, tmp_path).lower()
    server.tricks["/elsewhere"] = server.tricks["blobs/" + server.layer] = lambda handler: handler.send(302, Location="file:///etc/passwd")
    pull_fails(home, server, tmp_path)


def test_who_stalls_is_left(home, server, tmp_path):
    gone = threading.Event()

    def stall(handler):
        handler.send(200, LAYER[:1000], len(LAYER))
        handler.wfile.flush()
        gone.wait(120)
        handler.close_connection = True

    server.tricks["blobs/" + server.layer] = stall
    try:
        assert "nothing came for" in pull_fails(home, server, tmp_path, "--timeout=500ms", "--retry-times=1")
    finally:
        gone.set()


@pytest.mark.parametrize("status", [429, 503, 500])
def test_who_asks_for_patience_gets_it(home, server, tmp_path, status):
    """The first two requests for each thing are turned away."""
    seen = {}

    def later(handler):
        seen[handler.path] = seen.get(handler.path, 0) + 1
        handler.send(status, b"later", Retry_After="0") if seen[handler.path] < 3 else handler.usual()

    server.tricks[""] = later
    pull(home, server, tmp_path)
    (tmp_path / "out").rename(tmp_path / "user/out")
    seen.clear()
    assert f"HTTP {status}" in pull_fails(home, server, tmp_path, "--retry-times=1")


def test_retry_after_is_obeyed(home, server, tmp_path):
    times = []

    def later(handler):
        times.append(time.monotonic())
        handler.send(429, b"", Retry_After="1") if len(times) < 2 else handler.usual()

    server.tricks["manifests/1"] = later
    home.image("inspect", "--raw", "--tls-verify=no", "--retry-delay=0", server.place)
    assert times[1] - times[0] >= 0.9


def test_the_registry_s_own_words_are_told(home, server):
    server.tricks["manifests/"] = lambda handler: handler.send(403, b'{"errors": [{"code": "DENIED", "message": "ask \\u001b[31mBob"}]}', Content_Type="application/json")
    told = home.image_fails("inspect", *PLAIN, server.place)
    assert "ask" in told and "Bob" in told and "\x1b" not in told


def test_lists_without_end_are_left(home, server):
    server.tricks["tags/list"] = lambda handler: handler.send(200, b'{"tags": ["a"]}', Link=f'<{handler.path}>; rel="next"')
    assert "no end" in home.image_fails("list-tags", *PLAIN, server.place[:-2])
    server.tricks["tags/list"] = lambda handler: handler.send(200, b'{"tags": ["a"]}', Link='<http://127.0.0.2:1/v2/x/tags/list>; rel="next"')
    assert "another host" in home.image_fails("list-tags", *PLAIN, server.place[:-2])
    pages = iter(["b", "c", None])

    def page(handler):
        after = next(pages)
        handler.send(200, json.dumps({"tags": [f"before-{after}"]}).encode(), **({"Link": f'</v2/x/tags/list?last={after}>; rel="next"'} if after else {}))

    server.tricks["tags/list"] = page
    assert home.image("list-tags", *PLAIN, server.place[:-2]).split() == ["before-b", "before-c", "before-None"]


def test_a_password_is_not_sent_to_any_address(home, server):
    """Of a registry that is spoken to safely, tokens come from https:// alone; and a realm that is no address is none."""
    server.tricks[""] = lambda handler: handler.send(401, b"", WWW_Authenticate='Bearer realm="ftp://127.0.0.1/x",service="s"')
    assert "passwords are not sent there" in home.image_fails("inspect", *PLAIN, "--creds=alice:secret", server.place)
    server.tricks[""] = lambda handler: handler.send(401, b"", WWW_Authenticate="Negotiate")
    assert "HTTP 401" in home.image_fails("inspect", *PLAIN, "--creds=alice:secret", server.place)


def test_a_push_that_is_cut_goes_on(home, server, tmp_path):
    """The registry hangs up in the middle of the layer; what has arrived is not sent again."""
    got, numbers = {}, itertools.count()

    def push(handler):
        command, path = handler.command, handler.path
        length = int(handler.headers.get("Content-Length", 0))
        if command == "HEAD":
            return handler.send(404)
        if command == "POST":
            return handler.send(202, Location="/v2/x/blobs/uploads/u%d" % next(numbers))
        upload = path.split("?")[0]
        if command == "GET" and upload in got:
            return handler.send(204, Location=upload, Range=f"0-{len(got[upload]) - 1}")
        if command == "PUT" and length == len(LAYER) and not got.get("cut"):
            got["cut"] = True
            got[upload] = handler.rfile.read(600_000)
            handler.close_connection = True
            return handler.connection.shutdown(2)
        body = handler.rfile.read(length)
        if command == "PATCH":
            assert handler.headers["Content-Range"] == f"{len(got[upload])}-{len(LAYER) - 1}"
            got[upload] += body
            return handler.send(202, Location=upload)
        if "uploads" in path:
            whole = got.get(upload, b"") + body
            server.store["pushed " + digest_of(whole)] = whole
            return handler.send(201 if path.endswith("digest=" + digest_of(whole).replace(":", "%3A")) else 400)
        server.store["manifest"] = body
        return handler.send(201)

    server.tricks["/v2/x/"] = push
    home.image("copy", *PLAIN, server.layout, server.place)
    assert "pushed " + server.layer in server.store and digest_of(server.store["manifest"]) == server.manifest
    assert any(command == "PATCH" for command, _, _ in server.seen)


def takes_uploads(server, location="/v2/{name}/blobs/uploads/u{number}"):
    """Below /v2/y/ everything can be pushed; what has come is in `taken`, by its digest."""
    numbers, taken = itertools.count(), {}

    def push(handler):
        name, body = handler.path.split("/")[2], handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if handler.command == "HEAD":
            return handler.send(404)
        if handler.command == "POST":
            return handler.send(202, Location=location.format(name=name, number=next(numbers)))
        taken[digest_of(body)] = handler.headers.get("Authorization")
        return handler.send(201)

    server.tricks["/v2/y/"] = push
    return taken


def test_who_wants_a_login_for_writing_alone_gets_it_from_all_threads(home, server):
    """/v2/ is for everybody, so nobody knows before the first request to write; and two of these are refused at the same time."""
    taken = takes_uploads(server)
    push, both = server.tricks["/v2/y/"], threading.Barrier(2)

    def locked(handler):
        if handler.headers.get("Authorization"):
            return push(handler)
        both.wait(120)
        handler.send(401, WWW_Authenticate='Basic realm="x"')

    server.tricks["/v2/y/"] = locked
    home.image("copy", *PLAIN, "--creds=alice:secret", "--retry-times=0", server.layout, server.place.replace("/x:", "/y:"))
    assert server.layer in taken and server.manifest in taken


def test_what_authorizes_stays_with_the_registry(home, server):
    """An upload that goes on at another address is made there without a login."""
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    other.daemon_threads, other.tricks, other.seen = True, {}, []
    taken = takes_uploads(other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        mine = takes_uploads(server, location="http://127.0.0.1:%d/v2/{name}/{number}" % other.server_address[1])
        push = server.tricks["/v2/y/"]
        challenge = lambda handler: handler.send(401, WWW_Authenticate='Basic realm="x"')
        server.tricks["/v2/y/"] = lambda handler: push(handler) if handler.headers.get("Authorization") else challenge(handler)
        home.image("copy", *PLAIN, "--creds=alice:secret", server.layout, server.place.replace("/x:", "/y:"))
        assert taken[server.layer] is None and mine[server.manifest].startswith("Basic ")
    finally:
        other.shutdown()
        other.server_close()


def test_what_cannot_be_mounted_is_sent(home, server):
    taken = takes_uploads(server)
    push = server.tricks["/v2/y/"]

    def no_mount(handler):
        if "mount=" not in handler.path:
            return push(handler)
        handler.close_connection = True
        handler.connection.shutdown(2)

    server.tricks["/v2/y/"] = no_mount
    home.image("copy", *PLAIN, server.place, server.place.replace("/x:", "/y:"))
    assert server.layer in taken and server.manifest in taken
    assert any("mount=" in path for _, path, _ in server.seen)


def test_a_port_that_nobody_listens_at(home):
    from conftest import free_port

    told = home.image_fails("inspect", "--tls-verify=no", "--retry-times=0", f"docker://127.0.0.1:{free_port()}/x:1")
    assert "127.0.0.1" in told
