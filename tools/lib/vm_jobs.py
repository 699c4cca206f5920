#!/usr/bin/python3
"""Runs what is tested on virtual hosts two at a time, because such a host uses one processor: each file of tests/vm, once for each
suite it is for, and of tests/engines the tests whose name says systemd.

    vm_jobs.py RESULTS SECONDS

A file says which suites it is for in a line `SUITES = suites(…)` (tests/vm/vm.py); one without it is one job. RESULTS gets
vm-JOB.xml (JUnit) and vm-JOB.status; what a job said is shown when it is done. After SECONDS what still runs is stopped.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# What takes longest begins first, so that the end is not one job alone.
LONG = ("test_crash", "test_units", "test_bus_vm", "test_package", "test_declared_vm")
SUITES = re.compile(r"^SUITES = suites\((?:\"([^\"]*)\")?\)", re.M)


def jobs():
    """(name, suite, what pytest is given) of each."""
    sys.path.insert(0, str(ROOT / "tests/vm"))
    from vm import suites

    yield "vm-engines", "", [ROOT / "tests/engines", "-k", "systemd"]
    for path in sorted((ROOT / "tests/vm").glob("test_*.py"), key=lambda path: LONG.index(path.stem) if path.stem in LONG else len(LONG)):
        found = SUITES.search(path.read_text())
        for suite in suites(*filter(None, found.groups())) if found else [""]:
            yield "-".join(filter(None, ("vm", path.stem.removeprefix("test_"), suite))), suite, [path]


def run(name, suite, tests, results, until):
    report, began = results / f"{name}.xml", time.monotonic()
    report.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "CROFT_LEAKS": os.environ.get("CROFT_LEAKS", "session")}
    if suite:
        environment["CROFT_VM_SUITES"] = suite
    command = ["timeout", "-k", "10", str(max(1, int(until - began))), "/usr/bin/python3", "-m", "pytest", "-q", "-c", ROOT / "tests/pytest.ini",
               "--rootdir", ROOT / "tests", f"--junitxml={report}", "-o", "junit_logging=no", *tests]
    ran = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    (results / f"{name}.status").write_text(f"{ran.returncode}\n")
    seconds = time.monotonic() - began
    stopped = "; stopped, its time was over" if ran.returncode in (124, 137) else ""
    return f"-- {name} ({int(seconds) // 60}:{int(seconds) % 60:02}{stopped})\n{ran.stdout.decode(errors='replace')}"


def main():
    results, until = pathlib.Path(sys.argv[1]), time.monotonic() + int(sys.argv[2])
    for old in results.glob("vm-*"):
        old.unlink()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(run, *job, results, until) for job in jobs()]
        for done in concurrent.futures.as_completed(running):
            print(done.result(), file=sys.stderr, flush=True)


main()
