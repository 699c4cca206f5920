"""croft-oci as a program, for the conformance tests."""

import dataclasses
import functools
import json
import os
import pathlib
import subprocess
import time

from harness.host import SESSION
from harness.terminal import shell_status

BUILD = pathlib.Path(os.environ.get("CROFT_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
PROGRAM = BUILD / "src/apps/croft-oci"


@dataclasses.dataclass
class Ran:
    status: int  # the exit status; 128+n for a signal, as a shell says it
    stdout: str
    stderr: str

    def check(self):
        assert self.status == 0, f"exit status {self.status}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        return self


@functools.cache
def default_config():
    """What `croft-oci spec` writes."""
    directory = pathlib.Path("/var/tmp") / f"{SESSION}-spec"
    directory.mkdir()
    try:
        subprocess.run([PROGRAM, "spec", "--bundle", directory], check=True, timeout=30)
        return json.loads((directory / "config.json").read_text())
    finally:
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()


class Oci:
    """croft-oci with a ROOT of its own: oci("run", ID, bundle=…) → Ran."""

    def __init__(self, root):
        self.root = root

    def words(self, *words, bundle=None, flags=()):
        verb, *rest = map(str, words)
        where = ["--bundle", str(bundle)] if bundle else []
        return [str(PROGRAM), "--root", str(self.root), *map(str, flags), verb, *where, *rest]

    def __call__(self, *words, bundle=None, flags=(), stdin=None, timeout=60, env=None, **more):
        feed = {"input": stdin.encode()} if stdin is not None else {"stdin": subprocess.DEVNULL}
        out, err = (subprocess.PIPE, subprocess.PIPE)
        child = subprocess.run(self.words(*words, bundle=bundle, flags=flags), stdout=out, stderr=err, timeout=timeout,
                               env={**os.environ, **(env or {})}, **feed, **more)
        return Ran(shell_status(child.returncode), child.stdout.decode(errors="replace"),
                   child.stderr.decode(errors="replace"))

    def start(self, *words, bundle=None, flags=(), **more):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen(self.words(*words, bundle=bundle, flags=flags), **pipes)

    def create(self, name, bundle, *words, **more):
        """A container that is created, whose output goes nowhere: a pipe would be held open by it."""
        null = subprocess.DEVNULL
        child = subprocess.run(self.words("create", *words, name, bundle=bundle), stdin=null, stdout=null,
                               stderr=subprocess.DEVNULL, timeout=60, **more)
        assert child.returncode == 0, self("create", *words, name, bundle=bundle).stderr

    def state(self, name):
        return json.loads(self("state", name).check().stdout)

    def status(self, name):
        return self.state(name)["status"]

    def until(self, name, status, seconds=10):
        end = time.monotonic() + seconds
        while self.status(name) != status:
            assert time.monotonic() < end, f"{name} is {self.status(name)} and not {status}"
            time.sleep(0.01)
