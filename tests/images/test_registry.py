"""Images in registries: Debian's docker-registry over plain HTTP, with TLS and a password, and behind a token server."""

import http.server
import json
import os
import pty
import signal
import termios
import threading
import time
import urllib.parse
from base64 import b64decode, b64encode

import pytest
from make import OCI, Layout, digest_of, simple, two_platforms

PLAIN = ("--tls-verify=no",)


@pytest.fixture
def layout(tmp_path):
    return tmp_path / "lay", simple(tmp_path / "lay")


@pytest.fixture
def repository(plain_registry, request):
    """A repository of the test's own."""
    return f"docker://{plain_registry}/{request.node.name.lower().replace('[', '-').replace(']', '')[:60].rstrip('-_')}"


def digest(home, reference, *options):
    return home.image("inspect", "--format={{.Digest}}", *options, reference).strip()


# ---------------------------------------------------------------- plain HTTP


def test_what_is_pushed_is_pulled(home, layout, repository, tmp_path):
    source, expected = f"oci:{layout[0]}:one", layout[1]
    home.image("copy", "--digestfile", tmp_path / "digest", *PLAIN, source, repository + ":1")
    assert (tmp_path / "digest").read_text() == expected
    assert digest(home, repository + ":1", *PLAIN) == digest(home, f"{repository}@{expected}", *PLAIN) == expected
    home.image("copy", *PLAIN, repository + ":1", f"oci:{tmp_path}/back:one")
    assert digest(home, f"oci:{tmp_path}/back:one") == expected
    # And by the tool that people have, both ways.
    assert json.loads(home.skopeo("inspect", "--tls-verify=false", repository + ":1"))["Digest"] == expected
    home.skopeo("copy", "--dest-tls-verify=false", source, repository + ":theirs")
    home.image("copy", *PLAIN, repository + ":theirs", f"dir:{tmp_path}/theirs")


def test_plain_http_only_when_asked_for(home, layout, repository):
    told = home.image_fails("copy", f"oci:{layout[0]}:one", repository + ":1", "--retry-times=0")
    assert "--tls-verify=no" in told


def test_an_index_goes_with_all_it_lists(home, repository, tmp_path):
    expected = two_platforms(tmp_path / "lay")
    home.image("copy", "--all", *PLAIN, f"oci:{tmp_path}/lay:multi", repository + ":all")
    home.image("copy", "--all", *PLAIN, repository + ":all", f"oci:{tmp_path}/back:multi")
    assert digest(home, f"oci:{tmp_path}/back:multi") == expected
    home.image("copy", *PLAIN, "--platform=linux/arm64", repository + ":all", f"oci:{tmp_path}/arm:x")
    assert home.image("inspect", "--format={{.Architecture}}", f"oci:{tmp_path}/arm:x") == "arm64\n"


def test_docker_s_schema_is_kept_and_made(home, repository, tmp_path):
    from make import DOCKER

    expected = two_platforms(tmp_path / "lay", family=DOCKER)
    home.image("copy", "--all", *PLAIN, f"oci:{tmp_path}/lay:multi", repository + ":list")
    assert digest(home, repository + ":list", *PLAIN) == expected
    simple(tmp_path / "oci")
    home.image("copy", "--format=v2s2", *PLAIN, f"oci:{tmp_path}/oci:one", repository + ":v2s2")
    assert json.loads(home.skopeo("inspect", "--raw", "--tls-verify=false", repository + ":v2s2"))["mediaType"].startswith(DOCKER)


def test_what_is_there_is_not_sent_again(home, layout, repository):
    source = f"oci:{layout[0]}:one"
    home.image("copy", *PLAIN, source, repository + ":1")
    ran = home.run(*words(home, "copy", *PLAIN, source, repository + ":2"))
    assert ran.returncode == 0 and b"(0B moved" in ran.stderr, ran.stderr
    # From another repository of the same registry its blobs are mounted.
    ran = home.run(*words(home, "copy", *PLAIN, repository + ":1", repository + "-other:1"))
    assert ran.returncode == 0 and b"(0B moved" in ran.stderr, ran.stderr


def words(home, *rest):
    from conftest import PROGRAM

    return [PROGRAM, "image", *rest]


def test_tags_are_listed_page_by_page_and_deleted(home, layout, repository):
    tags = [f"t{number:03}" for number in range(7)]
    for tag in tags:
        home.image("copy", "--quiet", *PLAIN, f"oci:{layout[0]}:one", f"{repository}:{tag}")
    # This registry has them in no order.
    assert sorted(home.image("list-tags", *PLAIN, repository).split()) == tags
    assert sorted(json.loads(home.image("list-tags", "--json", *PLAIN, repository))["Tags"]) == tags
    home.image("delete", *PLAIN, repository + ":t003")
    # One image under all names: all are gone.
    home.image_fails("inspect", *PLAIN, repository + ":t000", status=3)
    assert "TAG" in home.image_fails("delete", *PLAIN, repository)
    assert "leave out" in home.image_fails("list-tags", *PLAIN, repository + ":x")
    assert home.image_fails("list-tags", *PLAIN, repository + "-none", status=3)


def test_what_refers_to_an_image_is_found_by_the_tag(home, repository, tmp_path):
    """docker-registry does not know referrers, so the fallback tag is kept by who pushes."""
    layout = Layout(tmp_path / "lay")
    image = layout.image()
    layout.name(image, "image")
    empty = layout.blob(b"{}", OCI.replace("image.", "empty.") + "v1+json")
    for number in (1, 2):
        content = layout.blob(b"list of contents %d" % number, "text/plain")
        layout.name(layout.manifest({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "artifactType": "application/x-test", "config": empty,
                                     "layers": [content], "subject": {key: image[key] for key in ("mediaType", "digest", "size")}}), f"about{number}")
    for tag in ("image", "about1", "about2", "about2"):
        home.image("copy", *PLAIN, f"oci:{tmp_path}/lay:{tag}", f"{repository}:{tag}")
    index = json.loads(home.image("inspect", "--referrers", *PLAIN, repository + ":image"))
    assert [one["artifactType"] for one in index["manifests"]] == ["application/x-test"] * 2
    assert {one["digest"] for one in index["manifests"]} == {one["digest"] for one in layout.index[1:]}


def test_inspect_says_what_is_asked(home, layout, repository):
    home.image("copy", *PLAIN, f"oci:{layout[0]}:one", repository + ":1")
    assert digest_of(home.image("inspect", "--raw", *PLAIN, repository + ":1").encode()) == layout[1]
    assert json.loads(home.image("inspect", "--config", "--raw", *PLAIN, repository + ":1"))["config"]["Cmd"] == ["/bin/true"]
    assert json.loads(home.image("inspect", "--config", *PLAIN, repository + ":1"))["os"] == "linux"
    assert home.image("inspect", *PLAIN, "--format={{.Os}}/{{.Architecture}} {{json .Env}} {{.Labels.made}}", repository + ":1") == 'linux/amd64 ["PATH=/bin"] here\n'
    for template, expected in (("{{.None}}", ".Digest"), ("{{range .Env}}", "jq"), ("{{.Os", "no end")):
        assert expected in home.image_fails("inspect", *PLAIN, f"--format={template}", repository + ":1")


def test_many_images_are_copied_at_once(home, layout, repository, tmp_path):
    for tag in ("a", "b"):
        home.image("copy", *PLAIN, f"oci:{layout[0]}:one", f"{repository}:{tag}")
    name = repository.rsplit("/", 1)[1]
    home.image("sync", "--src-tls-verify=no", repository, f"dir:{tmp_path}/all")
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [f"{name}:a", f"{name}:b"]
    # One that is damaged does not keep the others from coming, and is told.
    victim = next(path for path in (tmp_path / f"all/{name}:a").iterdir() if len(path.name) == 64)
    victim.write_bytes(b"damaged")
    told = home.bad(*words(home, "sync", "--quiet", "--keep-going", "--dest-tls-verify=no", f"dir:{tmp_path}/all", repository.rsplit("/", 1)[0] + "/sync"))
    assert "1 of 2" in told
    assert home.image("list-tags", *PLAIN, f"{repository.rsplit('/', 1)[0]}/sync/{name}").split() == ["b"]


# ---------------------------------------------------------------- TLS and passwords


def test_a_registry_with_its_own_authority_and_a_password(home, layout, locked_registry, certificates, tmp_path):
    place, source = f"docker://{locked_registry}/team/web:1", f"oci:{layout[0]}:one"
    certs = ("--cert-dir", certificates / "certs")
    told = home.image_fails("copy", "--retry-times=0", source, place)
    assert "certificate" in told and "certs.d" in told
    assert "croft image login" in home.image_fails("copy", *certs, source, place)
    home.image_fails("copy", *certs, "--creds=alice:wrong", source, place)
    home.image("copy", *certs, "--creds=alice:secret", source, place)
    assert digest(home, place, *certs, "--creds=alice:secret") == layout[1]
    home.image_fails("inspect", *certs, "--no-creds", place)
    # certs.d, where podman looks too; then skopeo needs no word either.
    there = home.containers / "certs.d" / locked_registry
    there.mkdir(parents=True)
    (there / "ca.crt").write_bytes((certificates / "ca.crt").read_bytes())
    home.image("copy", "--creds=alice:secret", source, place)
    home.image("copy", "--dest-tls-verify=no", "--dest-creds=alice:secret", source, place)


def test_login_is_kept_where_others_find_it(home, layout, locked_registry, certificates, tmp_path):
    place, certs = f"docker://{locked_registry}/team/kept:1", ("--cert-dir", certificates / "certs")
    told = home.bad(*login(), "-u", "alice", "--password-stdin", *certs, locked_registry, input=b"wrong\n")
    assert "login" in told
    assert not (tmp_path / "user/run/containers/auth.json").exists()
    home.image("login", "-u", "alice", "--password-stdin", *certs, locked_registry, input=b"secret\n")
    kept = tmp_path / "user/run/containers/auth.json"
    assert json.loads(kept.read_text()) == {"auths": {locked_registry: {"auth": b64encode(b"alice:secret").decode()}}}
    assert kept.stat().st_mode & 0o777 == 0o600
    assert home.image("login", "--get-login", locked_registry) == "alice\n"
    home.image("copy", *certs, f"oci:{layout[0]}:one", place)
    home.skopeo("inspect", "--cert-dir", certificates / "certs", place)
    home.image("logout", locked_registry)
    assert json.loads(kept.read_text()) == {"auths": {}}
    home.image_fails("inspect", *certs, place)
    assert "no login" in home.bad(*login("logout"), locked_registry)
    # The other way round: skopeo keeps it, croft finds it, in every file it may be in.
    home.good("skopeo", "login", "--cert-dir", certificates / "certs", "-u", "alice", "-p", "secret", "--authfile", tmp_path / "auth.json", locked_registry)
    home.image("inspect", *certs, "--authfile", tmp_path / "auth.json", place)
    home.image("inspect", *certs, place, REGISTRY_AUTH_FILE=str(tmp_path / "auth.json"))
    for file in (".config/containers/auth.json", ".docker/config.json"):
        there = tmp_path / "user/home" / file
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes((tmp_path / "auth.json").read_bytes())
        home.image("inspect", *certs, place)
        there.unlink()


def test_logout_knows_a_host_however_its_key_is_written(home, tmp_path):
    """Docker's tools once wrote an address with a path."""
    kept = {"auth": b64encode(b"alice:secret").decode()}
    auth = write(tmp_path / "auth.json", {"auths": {"https://one.invalid/v1/": kept, "two.invalid": kept}, "more": [1, "x"]})
    assert home.image("login", "--get-login", "--authfile", auth, "one.invalid") == "alice\n"
    home.image("logout", "--authfile", auth, "one.invalid")
    assert json.loads(auth.read_text()) == {"auths": {"two.invalid": kept}, "more": [1, "x"]}
    home.image_fails("login", "--get-login", "--authfile", auth, "one.invalid", status=3)


def test_a_password_that_is_not_given_leaves_the_terminal_as_it_was(home):
    """Ctrl-C at the prompt."""
    pid, terminal = pty.fork()
    if not pid:
        os.execve(login()[0], [*map(str, login()), "-u", "alice", "127.0.0.1:1"], home.environment)
    try:
        told = b""
        while b"Password of alice" not in told:
            told += os.read(terminal, 1024)
        until = time.monotonic() + 120
        while (echo := termios.tcgetattr(terminal)[3] & termios.ECHO) and time.monotonic() < until:
            time.sleep(0.01)
        assert not echo
        os.write(terminal, b"\x03")
        ended = (0, 0)
        while ended[0] == 0 and time.monotonic() < until:
            time.sleep(0.01)
            ended = os.waitpid(pid, os.WNOHANG)
        assert ended[0] == pid and os.WIFSIGNALED(ended[1]) and os.WTERMSIG(ended[1]) == signal.SIGINT
        assert termios.tcgetattr(terminal)[3] & termios.ECHO
    finally:
        os.close(terminal)


def login(verb="login"):
    from conftest import PROGRAM

    return [PROGRAM, "image", verb]


def test_the_narrowest_login_counts_and_helpers_are_asked(home, layout, locked_registry, certificates, tmp_path):
    place, certs = f"docker://{locked_registry}/team/helped:1", ("--cert-dir", certificates / "certs")
    right, wrong = ({"auth": b64encode(word).decode()} for word in (b"alice:secret", b"alice:wrong"))
    auth = tmp_path / "auth.json"
    auth.write_text(json.dumps({"auths": {locked_registry: wrong, f"{locked_registry}/team": right, f"{locked_registry}/teammate": wrong}}))
    home.image("copy", *certs, "--authfile", auth, f"oci:{layout[0]}:one", place)
    # A helper: a program that keeps its passwords in a file.
    helper = tmp_path / "bin/docker-credential-test"
    helper.parent.mkdir()
    helper.write_text(f"""#!/bin/sh
cd {tmp_path}
case $1 in
    store) cat >stored ;;
    erase) cat >erased; rm -f stored ;;
    get) cat >asked; test -e stored || {{ echo credentials not found in native keychain; exit 1; }}; cat stored ;;
esac
""")
    helper.chmod(0o755)
    path = {"PATH": f"{helper.parent}:{os.environ['PATH']}"}
    auth.write_text(json.dumps({"credHelpers": {locked_registry: "test"}}))
    home.image_fails("inspect", *certs, "--authfile", auth, place, **path)
    home.image("login", "-u", "alice", "-p", "secret", *certs, "--authfile", auth, locked_registry, **path)
    assert json.loads((tmp_path / "stored").read_text()) == {"ServerURL": locked_registry, "Username": "alice", "Secret": "secret"}
    assert json.loads(auth.read_text()) == {"credHelpers": {locked_registry: "test"}}
    home.image("inspect", *certs, "--authfile", auth, place, **path)
    assert (tmp_path / "asked").read_text() == locked_registry
    home.image("logout", "--authfile", auth, locked_registry, **path)
    assert (tmp_path / "erased").read_text() == locked_registry
    assert "docker-credential-missing" in home.image_fails("inspect", *certs, "--authfile", write(auth, {"credsStore": "missing"}), place)
    assert str(auth) in home.image_fails("inspect", *certs, "--authfile", write(auth, {"auths": {locked_registry: {"auth": "%%%"}}}), place)
    assert "--authfile" in home.image_fails("inspect", *certs, "--authfile", tmp_path / "none.json", place)


def write(path, value):
    path.write_text(json.dumps(value))
    return path


# ---------------------------------------------------------------- tokens


class TokenServer(http.server.BaseHTTPRequestHandler):
    """Gives tokens as the specification has them, and before a registry that believes it stands this same server: `store` is what
    it serves. Signed tokens are between it and itself; what is tested is who asks for what."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def scopes_of(self, query):
        return sorted(scope for value in query.get("scope", []) for scope in value.split(" "))

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/token":
            if self.server.oauth_only:
                return self.answer(404)
            word = self.headers.get("Authorization", "")
            user = b64decode(word[6:]).decode() if word.startswith("Basic ") else ""
            return self.give(user, self.scopes_of(urllib.parse.parse_qs(url.query)))
        needed = self.server.scope
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if needed not in self.server.tokens.get(token, []) and not (url.path == "/v2/" and token):
            challenge = f'Bearer realm="http://{self.server.address}/token",service="test",scope="{needed}"'
            return self.answer(401, b'{"errors": [{"code": "UNAUTHORIZED"}]}', WWW_Authenticate=challenge)
        body, media_type = self.server.store.get(url.path, (None, None))
        if url.path == "/v2/":
            return self.answer(200, b"{}")
        return self.answer(200, body, Content_Type=media_type) if body is not None else self.answer(404)

    do_HEAD = do_GET

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.forms.append({key: value[0] for key, value in form.items()})
        right = form.get("refresh_token") == ["refresh"] or (form.get("username"), form.get("password")) == (["alice"], ["secret"])
        self.give("alice:secret" if right else "alice:wrong", self.scopes_of(form))

    def give(self, user, scopes):
        self.server.asked.append((user, scopes))
        if user not in ("", "alice:secret") or (not user and not self.server.anonymous):
            return self.answer(401, b"{}")
        token = f"token-{len(self.server.tokens)}"
        self.server.tokens[token] = scopes
        self.answer(200, json.dumps({self.server.member: token, "expires_in": 300}).encode(), Content_Type="application/json")


@pytest.fixture
def tokens(layout):
    """A registry that wants tokens, with the image team/web:1."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenServer)
    server.address = "127.0.0.1:%d" % server.server_address[1]
    server.tokens, server.asked, server.forms = {}, [], []
    server.anonymous, server.oauth_only, server.member, server.scope = True, False, "token", "repository:team/web:pull"
    blobs = layout[0] / "blobs/sha256"
    server.store = {f"/v2/team/web/{kind}/sha256:{path.name}": (path.read_bytes(), media_type) for path in blobs.iterdir()
                    for kind, media_type in (("blobs", "application/octet-stream"), ("manifests", OCI + "manifest.v1+json"))}
    server.store["/v2/team/web/manifests/1"] = server.store[f"/v2/team/web/manifests/{layout[1]}"]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("member", ["token", "access_token"])
def test_a_token_is_asked_for_once_and_used_for_all(home, tokens, tmp_path, member):
    tokens.member = member
    home.image("copy", *PLAIN, f"docker://{tokens.address}/team/web:1", f"oci:{tmp_path}/out:1")
    assert tokens.asked == [("", ["repository:team/web:pull"])]


def test_a_token_for_a_login(home, tokens, tmp_path):
    tokens.anonymous = False
    place = f"docker://{tokens.address}/team/web:1"
    assert "refuses who has no login" in home.image_fails("inspect", *PLAIN, place)
    assert "refuses the login of 'alice'" in home.image_fails("inspect", *PLAIN, "--creds=alice:wrong", place)
    home.image("inspect", *PLAIN, "--creds=alice:secret", place)
    tokens.oauth_only = True
    home.image("inspect", *PLAIN, "--creds=alice:secret", place)
    assert tokens.forms[-1] == {"grant_type": "password", "client_id": "croft", "service": "test", "scope": "repository:team/web:pull", "username": "alice",
                                "password": "secret"}
    auth = write(tmp_path / "auth.json", {"auths": {tokens.address: {"auth": b64encode(b"alice:").decode(), "identitytoken": "refresh"}}})
    home.image("inspect", *PLAIN, "--authfile", auth, place)
    assert tokens.forms[-1]["grant_type"] == "refresh_token"
    home.image_fails("inspect", *PLAIN, "--registry-token=nonsense", place)
    tokens.tokens["given"] = ["repository:team/web:pull"]
    home.image("inspect", *PLAIN, "--registry-token=given", place)


# ---------------------------------------------------------------- registries.conf


def test_mirrors_short_names_and_what_is_blocked(home, layout, plain_registry, tmp_path):
    conf = home.containers / "registries.conf"
    home.image("copy", *PLAIN, f"oci:{layout[0]}:one", f"docker://{plain_registry}/conf/web:1")
    conf.write_text(f"""
unqualified-search-registries = ["{plain_registry}/conf"]
[[registry]]
prefix = "team.invalid/images"
location = "{plain_registry}/conf"
insecure = true
[[registry]]
location = "{plain_registry}"
insecure = true
[[registry]]
prefix = "mirrored.invalid"
[[registry.mirror]]
location = "{plain_registry}/nothing"
insecure = true
[[registry.mirror]]
location = "{plain_registry}/conf"
insecure = true
[[registry]]
prefix = "*.blocked.invalid"
blocked = true
[aliases]
"short" = "{plain_registry}/conf/web"
""")
    for name in ("team.invalid/images/web:1", "mirrored.invalid/web:1", "short:1", f"{plain_registry}/conf/web:1"):
        assert digest(home, f"docker://{name}") == layout[1], name
    assert "registries.conf blocks" in home.image_fails("inspect", "docker://x.blocked.invalid/web:1")
    conf.write_text(f'unqualified-search-registries = ["{plain_registry}"]')
    home.image_fails("inspect", *PLAIN, "docker://web:1", status=3)
    conf.write_text('unqualified-search-registries = ["a.invalid", "b.invalid"]')
    assert "may mean an image of a.invalid, b.invalid" in home.image_fails("inspect", "docker://web:1")
    conf.write_text("")
    assert "docker://HOST/web" in home.image_fails("inspect", "docker://web:1")


@pytest.mark.parametrize("text, expected", [("a = [", "registries.conf:1"), ("\nunqualified-search-registries = 5", ":2"), ("[registries.search]\nregistries = []", "version 1"),
                                            ("[[registry]]\ninsecure = true", "prefix or location"), ("short-name-mode = 'x'", "enforcing"),
                                            ("[[registry]]\nprefix = 'a*b'", "prefix"), ("[aliases]\nx = 'y:1'", "HOST/NAME")])
def test_a_wrong_registries_conf_is_told_with_its_line(home, text, expected):
    (home.containers / "registries.conf").write_text(text)
    assert expected in home.image_fails("inspect", "docker://127.0.0.1:1/web:1")
