"""The command line is the same for root in-process and for an allowed user over croftd: its tests run once more, over a bus."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SUITE = ("test_cli_help.py", "test_cli_input.py", "test_cli_run.py", "test_cli_machines.py", "test_cli_boot.py", "test_cli_declared.py",
         "test_states.py")


@pytest.mark.skipif(os.environ.get("CROFT_OVER_BUS") == "1", reason="this is that run")
@pytest.mark.timeout(900)
def test_the_command_line_over_the_bus():
    words = [sys.executable, "-m", "pytest", "-q", "-c", HERE.parent / "pytest.ini", "--rootdir", HERE.parent, *(HERE / name for name in SUITE)]
    ran = subprocess.run(words, env={**os.environ, "CROFT_OVER_BUS": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(ran.stdout)
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert ran.returncode == 0 and passed and int(passed[1]) > 150, ran.stdout[-6000:]
