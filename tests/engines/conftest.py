"""Engines that people have, with croft-oci below them. `place` is where: this host with cgroupfs, a virtual host with
systemd. A test that is for one of them alone says so."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import pytest
from places import PLACES


def pytest_collection_modifyitems(config, items):
    """What does not depend on the cgroup manager is tried on this host alone: a virtual host takes ten times as long."""
    twice = [item for item in items if item.get_closest_marker("here") and "[systemd]" in item.name]
    config.hook.pytest_deselected(items=twice)
    items[:] = [item for item in items if item not in twice]


@pytest.fixture(scope="session", params=PLACES)
def place(request):
    with PLACES[request.param]() as place:
        yield place
