"""What the conformance tests share: croft-oci, bundles of the `app` tree, and a check that nothing stays.

    def test_exit_status(oci, bundle, new_id):
        assert oci("run", new_id(), bundle=bundle("sh", "-c", "exit 7")).status == 7

The default bundle is what `croft-oci spec` writes, with the tree read-only; a test says what is different.
"""

import copy
import itertools
import json
import pathlib
import subprocess

import pytest
from harness.host import SESSION, cgroup_root
from harness.oci import PROGRAM, Oci, default_config

@pytest.fixture(scope="session")
def oci_root(session_directories):
    path = pathlib.Path("/run") / f"{SESSION}-oci"
    yield path
    subprocess.run(["rm", "-rf", path])


@pytest.fixture
def oci(oci_root):
    """croft-oci. Containers that a test leaves are deleted."""
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not built: ninja -C build")
    runtime = Oci(oci_root)
    yield runtime
    left = runtime("list", "-q").stdout.split()
    for name in left:
        assert runtime("delete", "--force", name).status == 0
    top = cgroup_root()
    assert not [path for path in top.glob(f"{SESSION}-*") if path.is_dir()], "a control group stays"
    assert not list(oci_root.glob("*")), "a container's directory stays"


numbers = itertools.count(1)


@pytest.fixture
def new_id():
    return lambda: f"{SESSION}-{next(numbers)}"


@pytest.fixture
def bundle(tree, scratch):
    """bundle(WORD…, change=function) → the directory of a bundle whose process is these words. `change` gets the
    configuration and may do with it what it wants."""
    count = itertools.count()

    def make(*words, change=None, root=None):
        directory = scratch / f"bundle-{next(count)}"
        directory.mkdir()
        config = copy.deepcopy(default_config())
        config["root"] = {"path": str(root or tree("app")), "readonly": root is None}
        config["process"]["terminal"] = False
        if words:
            config["process"]["args"] = [str(word) for word in words]
        if change:
            change(config)
        (directory / "config.json").write_text(json.dumps(config))
        return directory

    return make


@pytest.fixture
def sleeper(oci, bundle, new_id):
    """The id of a container that runs `sleep`."""
    name = new_id()
    oci.create(name, bundle("sleep", "600"))
    oci("start", name).check()
    return name
