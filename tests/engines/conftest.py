"""Engines that people have, with croft-oci below them. `place` is where: this host with cgroupfs, a virtual host with
systemd. A test that is for one of them alone says so."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import pytest
from places import PLACES


@pytest.fixture(scope="session", params=PLACES)
def place(request):
    with PLACES[request.param]() as place:
        yield place
