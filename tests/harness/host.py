"""What of this host belongs to one session of tests, and what its machines left behind. Used by conftest.py."""

import contextlib
import functools
import os
import pathlib

SESSION = f"croft-test-{os.getpid()}"
RUN_DIR = pathlib.Path("/run") / SESSION
STATE_DIR = pathlib.Path("/var/lib") / SESSION
CONFIG_DIR = pathlib.Path("/var/tmp") / f"{SESSION}-config"
# In a test run that has the host for itself every change counts as a leak, not only what bears our names.
WHOLE_HOST = os.environ.get("CROFT_LEAKS") == "host"


def mount_points():
    with open("/proc/self/mountinfo") as table:
        return [line.split()[4] for line in table]


def mounts_below(*directories):
    """Mount points at or below these directories, the innermost first."""
    found = [point for point in mount_points() if any(f"{point}/".startswith(f"{directory}/") for directory in directories)]
    return sorted(found, reverse=True)


@functools.cache
def cgroup_root():
    with open("/proc/self/mountinfo") as table:
        for line in table:
            before, _, after = line.partition(" - ")
            if after.split()[0] == "cgroup2":
                return pathlib.Path(before.split()[4])
    return None


def cgroups():
    """This session's cgroups, those inside before those around."""
    top = cgroup_root() / SESSION if cgroup_root() else None
    return [directory for directory, _, _ in os.walk(top, topdown=False)] if top else []


def kept_on_purpose(point):
    """Mounts that croft makes once and keeps, because they save every later start the work: its run directory, the
    stage, and the pinned device programs."""
    return any(point == str(run) or point.startswith((f"{run}/stage/", f"{run}/bpf")) for run in (RUN_DIR, "/run/croft"))


def leftovers():
    """What a machine may leave behind: name → how often."""
    found = {}

    def add(kind, name):
        found[f"{kind} {name}"] = found.get(f"{kind} {name}", 0) + 1

    for point in mount_points():
        if (WHOLE_HOST or SESSION in point) and not kept_on_purpose(point):
            add("mount", point)
    for directory in cgroups():
        if directory != str(cgroup_root() / SESSION):
            add("cgroup", directory)
    for pattern in ("machines/*", "uids/*", "locks/*"):
        for path in RUN_DIR.glob(pattern):
            add("file", path)
    for path in (STATE_DIR / "scratch").glob("*"):
        add("file", path)
    for loop in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            backing = loop.read_text().strip()
            if WHOLE_HOST or SESSION in backing:
                add("loop device", backing)
    return found


def new_leftovers(before):
    return [f"{name} ({count - before.get(name, 0)} more)" for name, count in leftovers().items() if count > before.get(name, 0)]
