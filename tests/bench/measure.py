"""What tests/bench/bench and tests/bench/oci share: rounds of commands in turn, targets and their table, peers."""
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.realpath(__file__))
top = os.path.dirname(os.path.dirname(here))
build = os.environ.get("CROFT_BUILD", os.path.join(top, "build"))
floor = os.path.join(build, "tests/bench/floor")
rounds_program = os.path.join(build, "tests/bench/rounds")
results = []


def out(command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def host_as_usual():
    """Starts over in a mount namespace with what every host has that was booted by an init: /sys/fs/cgroup is cgroup2
    (crun refuses a mixed one), /run is in memory (nspawn refuses another)."""
    mounts = [line.split()[1:3] for line in open("/proc/self/mounts")]
    if ["/sys/fs/cgroup", "cgroup2"] in mounts and ["/run", "tmpfs"] in mounts:
        return
    script = "umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && mount -t tmpfs -o mode=0755 tmpfs /run && exec \"$@\""
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", script, "-", os.path.realpath(sys.argv[0]), *sys.argv[1:]])


def target(what, figure, limit, most=True, note=""):
    """One line of the closing table; `most`: the figure may be at most the limit, otherwise at least."""
    reached = figure <= limit if most else figure >= limit
    results.append({"target": what, "figure": round(figure, 3), "limit": limit, "at": "most" if most else "least",
                    "reached": reached, "note": note})


def closing_table():
    print(f"\n{'target':58} {'wanted':>9} {'figure':>8}")
    for r in results:
        print(f"{r['target']:58} {'≤' if r['at'] == 'most' else '≥'} {r['limit']:<7.4g} {r['figure']:8.2f}  "
              f"{'reached' if r['reached'] else 'NOT reached'}{'; ' + r['note'] if r['note'] else ''}")


def tree(name):
    return out([os.path.join(top, "tests/trees/make"), name]).strip().splitlines()[-1]


def cgroup2():
    for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(os.path.join(path, "cgroup.procs")) and os.path.exists(os.path.join(path, "cgroup.controllers")):
            return path
    sys.exit("bench: this host has no cgroup2 mount")


def interleave(rounds, commands):
    """commands: name → argv. Returns name → figures, from one run of the rounds program."""
    argv = [rounds_program, str(rounds)]
    for name, command in commands.items():
        argv += [name, *command, "---"]
    figures = {}
    for line in out(argv[:-1]).splitlines():
        name, *rest = line.split()
        figures[name] = dict(zip(rest[::2], map(int, rest[1::2])))
        if figures[name]["failed"]:
            print(f"  note: {name} failed in {figures[name]['failed']} of {rounds} rounds", file=sys.stderr)
    return figures


def report(section, figures, targets):
    """targets: list of (ours, peer, factor): ours ≤ factor × peer, in wall time."""
    print(f"\n{section}")
    for name, f in figures.items():
        print(f"  {name:28} {f['wall_us']:8} µs  least {f['min_us']:8} µs  cpu {f['cpu_us']:8} µs  peak {f['peak_kib']:6} KiB")
    for ours, peer, factor in targets:
        if peer not in figures or figures[ours]["failed"] or figures[peer]["failed"]:
            print(f"  {ours} / {peer}: NOT MEASURED, because it is not here or failed")
            continue
        ratio, least, cpu = (figures[ours][k] / figures[peer][k] for k in ("wall_us", "min_us", "cpu_us"))
        target(f"{section.split(':')[0]}: {ours} / {peer}", ratio, factor, note=f"fastest rounds {least:.2f}, CPU {cpu:.2f}")


def kept_filter(work, directory="/var/cache/croft/seccomp"):
    """The instructions of the filter croft kept for its last start: the floor loads the very same one."""
    newest = max((os.path.join(directory, n) for n in os.listdir(directory)), key=os.path.getmtime)
    data = open(newest, "rb").read()
    length, count = struct.unpack_from("=II", data, 24)
    start = 56 + (length + 7) // 8 * 8
    path = os.path.join(work, "filter")
    with open(path, "wb") as f:
        f.write(data[start:start + count * 8])
    return path


def crun_newer(work):
    """crun from sid, with its own libraries beside it: kept in the cache as the trees are."""
    kept = os.path.join(os.environ.get("CROFT_CACHE", "/var/cache/croft-dev"), "peers", "sid-crun")
    program = os.path.join(kept, "usr/bin/crun")
    if not os.path.exists(program):
        script = '. tools/lib/say.sh; . tools/lib/apt.sh; mmdebstrap --mode=root --format=directory --variant=extract ' \
                 '--aptopt=\'Acquire::Check-Valid-Until "false"\' --include=crun sid "$1" "$(apt_mirror)"'
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        subprocess.run(["bash", "-c", script, "-", kept], cwd=top, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if shutil.which("patchelf"):
        lib = os.path.join(kept, "usr/lib/x86_64-linux-gnu")
        patched = os.path.join(kept, "crun")
        if not os.path.exists(patched):
            shutil.copy(program, patched)
            subprocess.run(["patchelf", "--set-interpreter", os.path.join(lib, "ld-linux-x86-64.so.2"), "--set-rpath", lib, patched], check=True)
        return patched
    return None


def oci_profile():
    """An allow list of the size and shape of the ones engines ship: systemd's groups without the privileged ones, and a
    few calls judged by their arguments."""
    groups, name = {}, ""
    for line in out(["systemd-analyze", "syscall-filter"], stderr=subprocess.DEVNULL).splitlines():
        if line.startswith("@"):
            name = line.strip()
            groups[name] = set()
        elif name and line.strip() and not line.strip().startswith("#"):
            groups[name].add(line.strip())

    def members(group):
        return set().union(*(members(m) if m.startswith("@") else {m} for m in groups.get(group, ())), set())

    refused = set().union(*(members("@" + g) for g in ("clock", "cpu-emulation", "module", "mount", "obsolete", "raw-io", "reboot", "swap")))
    judged = {"clone", "clone3", "personality", "socket"}  # by their arguments, as engines do
    allowed = sorted(set().union(*(members(g) for g in groups)) - refused - judged)
    rules = [{"names": allowed, "action": "SCMP_ACT_ALLOW"},
             {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0x7E020000, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
             {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
             {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]}]
    rules += [{"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]}
              for value in (0, 8, 0x20000, 0x20008, 0xFFFFFFFF)]
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            "syscalls": rules}


def may_raise_memlock():
    """crun 1.8 wants to, to load a device program; without the right to it is spared that work."""
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError):
        return False
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))
    return True


def series(count, reference, command):
    """Runs the command count times, {} in it being a name. Seconds for each tenth of them, and how many times slower the
    last tenth is than the first, the machine's own change of speed taken out."""
    lines = out([rounds_program, "series", str(count), reference, *command], stderr=subprocess.DEVNULL).splitlines()
    (*tenths, _, failed), (*steady, _, _) = (line.split() for line in lines)
    if int(failed):
        print(f"  note: {command[0]} failed {failed} times", file=sys.stderr)
    tenths, steady = ([int(t) / 1e6 for t in row] for row in (tenths, steady))
    return tenths, tenths[-1] / tenths[0] / (steady[-1] / steady[0])


def quiet(command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def seconds(command):
    begin = time.monotonic()
    quiet(command)
    return time.monotonic() - begin


def measure(parser, sections):
    """The frame of a program that measures: its options, the host made usual, each section in turn, the closing table."""
    parser.add_argument("--json")
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("section", nargs="*", default=list(sections))
    options = parser.parse_args()
    host_as_usual()
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)  # the floor walks to its tree as the machine's root
        for name in options.section:
            sections[name](options, work)
    closing_table()
    if options.json:
        json.dump(results, open(options.json, "w"), indent=1)
