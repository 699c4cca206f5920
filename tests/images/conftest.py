"""Images between places: croft, Debian's docker-registry, skopeo, podman and umoci, each with a home directory of its own."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("CROFT_BUILD", ROOT / "build"))
PROGRAM = BUILD / "src/apps/croft"


class Home:
    """A user's directories, and programs run with them. Nothing of the host's configuration of containers is seen, as far as
    the programs can be told so."""

    def __init__(self, path):
        self.path = path
        for name in ("home", "run", "tmp"):
            (path / name).mkdir()
        self.containers = path / "home/.config/containers"
        self.containers.mkdir(parents=True)
        (self.containers / "registries.conf").write_text("")
        (self.containers / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        self.environment = {**os.environ, "HOME": str(path / "home"), "XDG_RUNTIME_DIR": str(path / "run"), "TMPDIR": str(path / "tmp"),
                            "CONTAINERS_REGISTRIES_CONF": str(self.containers / "registries.conf"), "CROFT_HELPER_DIR": str(PROGRAM.parent)}
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "http_proxy", "https_proxy"):
            self.environment.pop(name, None)

    def run(self, *words, input=None, timeout=240, **environment):
        words = [str(word) for word in words]
        return subprocess.run(words, env={**self.environment, **environment}, input=input, stdin=None if input is not None else subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)

    def good(self, *words, **more):
        """What it prints; it has to succeed."""
        ran = self.run(*words, **more)
        assert ran.returncode == 0, f"{words}: exit status {ran.returncode}\n{ran.stdout.decode()}\n{ran.stderr.decode()}"
        return ran.stdout.decode()

    def bad(self, *words, status=None, **more):
        """What it complains of; it has to fail with one sentence."""
        ran = self.run(*words, **more)
        assert ran.returncode != 0, f"{words} succeeded: {ran.stdout.decode()}"
        assert status in (None, ran.returncode), ran.stderr.decode()
        return ran.stderr.decode()

    def croft(self, *words, **more):
        return self.good(PROGRAM, *words, **more)

    def image(self, *words, **more):
        return self.good(PROGRAM, "image", *words, **more)

    def image_fails(self, *words, **more):
        told = self.bad(PROGRAM, "image", *words, **more)
        assert told.startswith("croft: ") and told.count("\n") == 1, told
        return told

    def skopeo(self, *words, **more):
        return self.good("skopeo", "--insecure-policy", *words, **more)

    def left_over(self, directory):
        """Names of what was to be a file or directory and never became one."""
        return [str(path) for path in pathlib.Path(directory).rglob("*.croft-*")]


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "user"
    path.mkdir()
    return Home(path)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port, scheme="http"):
    """Whether an HTTP server answers there, whatever it says."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        urllib.request.urlopen(f"{scheme}://127.0.0.1:{port}/v2/", timeout=5, context=context if scheme == "https" else None)
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
http:
  addr: 127.0.0.1:{port}
  secret: test
{more}
"""


@contextlib.contextmanager
def registry(directory, tls=None, auth=""):
    """Debian's docker-registry with an empty store; its address. `tls` is (certificate, key)."""
    directory.mkdir(parents=True)
    for attempt in range(5):
        port = free_port()
        more = (f"  tls: {{certificate: {tls[0]}, key: {tls[1]}}}\n" if tls else "") + auth
        (directory / "config.yml").write_text(CONFIG.format(storage=directory / "storage", port=port, more=more))
        log = open(directory / "log", "ab")
        server = subprocess.Popen(["docker-registry", "serve", directory / "config.yml"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            # Somebody else may have taken the port: then it ends, and another one is tried.
            until = time.monotonic() + 120
            while server.poll() is None and time.monotonic() < until and not answers(port, "https" if tls else "http"):
                time.sleep(0.05)
            if server.poll() is None:
                yield f"127.0.0.1:{port}"
                return
        finally:
            server.kill()
            server.wait()
            log.close()
    pytest.fail("docker-registry does not start: " + (directory / "log").read_text()[-2000:])


@pytest.fixture(scope="session")
def plain_registry(tmp_path_factory):
    with registry(tmp_path_factory.mktemp("registry") / "plain") as address:
        yield address


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """An authority (ca.crt) and a certificate of 127.0.0.1 (server.crt, server.key)."""
    path = tmp_path_factory.mktemp("certificates")
    run = lambda *words: subprocess.run(["openssl", *map(str, words)], cwd=path, check=True, capture_output=True)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt")
    run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    (path / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    run("x509", "-req", "-days", "2", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-out", "server.crt")
    (path / "certs").mkdir()
    shutil.copy(path / "ca.crt", path / "certs")
    return path


@pytest.fixture(scope="session")
def locked_registry(tmp_path_factory, certificates):
    """TLS by an authority of one's own, and a password: alice's is "secret"."""
    directory = tmp_path_factory.mktemp("registry")
    # bcrypt, which is all that docker-registry reads.
    line = subprocess.run(["perl", "-e", r'print "alice:", crypt("secret", q($2y$05$abcdefghijklmnopqrstuu)), "\n"'], check=True, capture_output=True).stdout
    (directory / "htpasswd").write_bytes(line)
    auth = f"auth:\n  htpasswd: {{realm: test, path: {directory / 'htpasswd'}}}\n"
    with registry(directory / "locked", (certificates / "server.crt", certificates / "server.key"), auth) as address:
        yield address
