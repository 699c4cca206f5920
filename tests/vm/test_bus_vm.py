"""croftd on a host with systemd, D-Bus and polkit: the contract, who may do what, and that its death does not matter.

One virtual host for the module: alice may look at, start, stop and log in to `web` only and manage images, bob may look at
everything, carol may do nothing. The machines are apps that sleep.
"""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from vm import BUILD, ROOT, Host, suites

SUITES = suites("bookworm sid")  # the oldest systemd and the newest

NAME, PATH = "org.croft.Croft1", "/org/croft/Croft1"
MANAGER, MACHINE, IMAGE, JOB = f"{NAME}.Manager", f"{NAME}.Machine", f"{NAME}.Image", f"{NAME}.Job"

RULES = """
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.croft.Croft1.") != 0) return;
    var what = action.id.substr("org.croft.Croft1.".length), machine = action.lookup("machine");
    if (subject.user == "alice" && machine == "web" && ["view", "start", "stop", "login"].indexOf(what) >= 0)
        return polkit.Result.YES;
    if (subject.user == "alice" && (what == "image-view" || what == "image-manage")) return polkit.Result.YES;
    if (subject.user == "bob" && (what == "view" || what == "image-view")) return polkit.Result.YES;
    return polkit.Result.NO;
});
"""

SETUP = """
set -e
useradd bob; useradd carol
install -m 644 /files/rules /etc/polkit-1/rules.d/10-croft.rules
install -m 644 /files/dbus/org.croft.Croft1.policy /usr/share/polkit-1/actions/
install -m 644 /files/dbus/org.croft.Croft1.conf /usr/share/dbus-1/system.d/
sed s,@LIBEXECDIR@,/files/apps, /files/dbus/org.croft.Croft1.service.in >/usr/share/dbus-1/system-services/org.croft.Croft1.service
sed s,@LIBEXECDIR@,/files/apps, /files/units/croftd.service.in >/etc/systemd/system/croftd.service
sed s,@LIBEXECDIR@,/files/apps, '/files/units/croft@.service.in' >'/etc/systemd/system/croft@.service'
cp /files/apps/croft-generator /usr/lib/systemd/system-generators/
chmod 755 /files /files/apps
ln -sf /files/apps/croft /usr/local/bin/croft
systemctl daemon-reload
busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
systemctl start polkit
cp -a /trees/app /trees/app2; cp -a /trees/app /trees/app3
"""


@pytest.fixture(scope="module", params=SUITES)
def host(request, tmp_path_factory):
    for program in ("croft", "croftd", "croft-systemd", "croft-launch", "croft-generator", "croft-images", "croft-unpack"):
        if not (BUILD / "src/apps" / program).exists():
            pytest.fail(f"{BUILD}/src/apps/{program} is not built")
    rules = tmp_path_factory.mktemp("bus") / "rules"
    rules.write_text(RULES)
    rules.chmod(0o644)
    with Host(request.param, trees=["app"], files={"rules": rules, "dbus": ROOT / "dbus", "units": ROOT / "units"}) as host:
        host.run(SETUP).check()
        yield host


@pytest.fixture
def machines(host):
    """`web` and `secret`, running."""
    host.run("croft run -d --name=web /trees/app sleep infinity && croft run -d --name=secret /trees/app2 sleep infinity").check()
    yield
    host.run("croft rm -qf web secret")


def call(host, path, interface, method, *arguments, user="root", timeout=60):
    """busctl's answer as a list of values; an error fails the test."""
    ran = busctl(host, path, interface, method, *arguments, user=user, timeout=timeout).check()
    return json.loads(ran.stdout)["data"] if ran.stdout else []


def busctl(host, path, interface, method, *arguments, user="root", timeout=60):
    words = " ".join(f"'{word}'" for word in arguments)
    return host.run(f"runuser -u {user} -- busctl --system --timeout={timeout} --json=short call {NAME} {path} {interface} {method} -- {words}", timeout=timeout)


def as_user(host, user, command, timeout=60):
    return host.run(f"cd / && runuser -u {user} -- {command}", timeout=timeout)


def job(host, method, *arguments, user="root"):
    """Starts one and waits: what Wait says."""
    path, = call(host, PATH, MANAGER, method, *arguments, user=user)
    return busctl(host, path, JOB, "Wait", user=user)


# ---------------------------------------------------------------- the contract

def contract(text):
    """interface -> set of (kind, name, what it is), from introspection data."""
    out = {}
    for interface in ElementTree.fromstring(text).iter("interface"):
        members = set()
        for member in interface:
            if member.tag == "annotation":
                continue
            arguments = tuple((arg.get("name"), arg.get("type"), arg.get("direction") or "out") for arg in member.iter("arg"))
            emits = [note.get("value") for note in member.iter("annotation") if note.get("name").endswith("EmitsChangedSignal")]
            members.add((member.tag, member.get("name"), member.get("type"), member.get("access"), arguments, *(emits or ["true"])))
        out[interface.get("name")] = members
    return out


def test_the_live_objects_are_those_of_the_contract(host, machines):
    path, = call(host, PATH, MANAGER, "Stop", "sa{sv}", "nobody", "0")
    host.run("tar -C /trees/app -c . | croft image import - contract").check()
    for interface, where in ((MANAGER, PATH), (MACHINE, f"{PATH}/machine/web"), (IMAGE, f"{PATH}/image/contract"), (JOB, path)):
        live, = call(host, where, "org.freedesktop.DBus.Introspectable", "Introspect")
        assert contract(live)[interface] == contract((ROOT / f"dbus/{interface}.xml").read_text())[interface]
    host.run("croft image rm -q contract").check()


def test_busctl_sees_a_tree(host, machines):
    tree = host.run(f"busctl tree --list {NAME}").check().stdout.split()
    assert f"{PATH}/machine/web" in tree and f"{PATH}/machine/secret" in tree
    assert host.run(f"busctl get-property {NAME} {PATH} {MANAGER} Scope").stdout == 's "system"\n'


def test_a_program_of_an_administrator(host, machines):
    """python3-dbus: list, look, act, read the result."""
    script = f"""
import dbus
bus = dbus.SystemBus()
root = bus.get_object("{NAME}", "{PATH}")
manager = dbus.Interface(root, "{MANAGER}")
names = sorted(str(row[0]) for row in manager.ListMachines())
objects = dbus.Interface(root, "org.freedesktop.DBus.ObjectManager").GetManagedObjects()
web = objects["{PATH}/machine/web"]["{MACHINE}"]
print(names, str(web["State"]), str(web["Tree"]), int(web["MemoryCurrent"]) < 1 << 40, int(web["TasksCurrent"]))
def wait(path):
    return int(dbus.Interface(bus.get_object("{NAME}", path), "{JOB}").Wait())
print(wait(manager.Pause("web", {{}})))
machine = bus.get_object("{NAME}", manager.GetMachine("web"))
properties = dbus.Interface(machine, "org.freedesktop.DBus.Properties")
print(properties.Get("{MACHINE}", "State"))
print(wait(manager.Resume("web", {{}})))
print(wait(dbus.Interface(machine, "{MACHINE}").Exec(["sh", "-c", "exit 9"], {{}}, dbus.Array([], "h"))))
try:
    manager.GetMachine("nope")
except dbus.DBusException as why:
    print(why.get_dbus_name())
print(str(manager.GetMachineByPID(dbus.UInt32(web["Leader"]))))
"""
    ran = host.run(f"python3 - <<'END'\n{script}END", timeout=120).check()
    assert ran.stdout.splitlines() == ["['secret', 'web'] running /trees/app True 1", "0", "frozen", "0", "9",
                                       f"{NAME}.Error.NotFound", f"{PATH}/machine/web"]


def test_descriptors_and_terminals_travel(host, machines):
    script = f"""
import dbus, os
bus = dbus.SystemBus()
manager = dbus.Interface(bus.get_object("{NAME}", "{PATH}"), "{MANAGER}")
read, write = os.pipe()
null = os.open("/dev/null", os.O_RDWR)
fds = dbus.Array([dbus.types.UnixFd(fd) for fd in (null, write, null)], "h")
path = manager.Exec("web", ["echo", "through a pipe"], {{}}, fds)
os.close(write)
del fds
print(os.read(read, 100).decode().strip())
print(int(dbus.Interface(bus.get_object("{NAME}", path), "{JOB}").Wait()))
terminal, path = manager.OpenShell("web", "", {{}})
fd = terminal.take()
seen = b""
while b"#" not in seen:  # what is typed before the prompt is thrown away, as on any terminal
    seen += os.read(fd, 1000)
os.write(fd, b"tty; exit 6\\n")
while True:
    try:
        data = os.read(fd, 1000)
    except OSError:
        break
    if not data: break
    seen += data
print(b"/dev/pts/" in seen)
print(int(dbus.Interface(bus.get_object("{NAME}", path), "{JOB}").Wait()))
"""
    ran = host.run(f"python3 - <<'END'\n{script}END", timeout=120).check()
    assert ran.stdout.splitlines() == ["through a pipe", "0", "True", "6"]


def test_a_machine_is_declared_started_changed_and_removed(host):
    script = f"""
import dbus
bus = dbus.SystemBus()
manager = dbus.Interface(bus.get_object("{NAME}", "{PATH}"), "{MANAGER}")
def do(method, *arguments):
    path = getattr(manager, method)(*arguments)
    try:
        return int(dbus.Interface(bus.get_object("{NAME}", path), "{JOB}").Wait(timeout=100))
    except dbus.DBusException as why:
        return why.get_dbus_name().split(".")[-1] + " " + why.get_dbus_message()
def state(name):
    return [str(row[1]) for row in manager.ListMachines() if row[0] == name]
def strings(*words):
    return dbus.Array(words, "s")
print(do("Define", "db", "[Machine]\\nDirectory=/trees/app3\\n[Exec]\\nBoot=no\\nParameters=sleep infinity\\n"), state("db"))
print(do("Define", "db2", "[Exec]\\nFrob=1\\n"), state("db2"))
print(do("Start", "db", {{}}), state("db"))
print(do("Start", "db", {{}}).split()[0])
print(do("Change", "db", strings("memory=90M")))
web = bus.get_object("{NAME}", manager.GetMachine("db"))
get = lambda name: dbus.Interface(web, "org.freedesktop.DBus.Properties").Get("{MACHINE}", name)
print(open(str(get("ControlGroup")) + "/memory.max").read().strip() == str(90 << 20), str(get("Unit")), str(get("File")))
print(do("Stop", "db", {{"timeout": "1s"}}), state("db"))
print(do("Delete", "db", {{}}), state("db"))
print(do("Rename", "db", "db3"), state("db"), state("db3"))
print(do("Delete", "db3", {{"config": True}}), state("db3"))
"""
    ran = host.run(f"python3 - <<'END'\n{script}END", timeout=200).check()
    lines = ran.stdout.splitlines()
    assert lines[0] == "0 ['installed']", ran
    assert lines[1].startswith("Invalid /etc/croft/machines/db2.machine:2: Frob= is no key of [Exec]") and lines[1].endswith("[]"), ran
    assert lines[2:5] == ["0 ['running']", "WrongState", "0"], ran
    assert lines[5].startswith("True croft@db.service /etc/croft/machines/db.machine"), ran
    assert lines[6:] == ["0 ['exited']", "0 ['installed']", "0 [] ['installed']", "0 []"], ran


def test_what_was_written_by_hand_is_verified_and_read(host):
    host.run("mkdir -p /etc/croft/machines; printf '[Exec]\\nBoot=no\\nParameters=sleep 9\\n[Machine]\\nDirectory=/trees/app\\n"
             "[Resources]\\nMemoryMax=64M\\n' >/etc/croft/machines/byhand.machine; echo nonsense >/etc/croft/machines/bad.machine").check()
    found, = call(host, PATH, MANAGER, "Verify", "as", "0")
    assert [one[:4] for one in found if one[3] == "error"] == [["bad", "/etc/croft/machines/bad.machine", 1, "error"]]
    assert "MemoryMax" not in host.run("systemctl cat croft@byhand.service").stdout
    assert call(host, PATH, MANAGER, "Reload", timeout=120) == []
    assert "MemoryMax=64M" in host.run("systemctl cat croft@byhand.service").check().stdout
    for method in (("Verify", "as", "0"), ("Reload",)):
        refused = busctl(host, PATH, MANAGER, *method, user="alice")
        assert refused.status != 0 and "you may not define or change a machine" in refused.stderr
    host.run("rm /etc/croft/machines/*.machine; systemctl daemon-reload").check()


def test_alice_starts_web(host):
    host.run("croft create -q --directory=/trees/app web -- sleep infinity; croft create -q --directory=/trees/app2 secret -- sleep infinity").check()
    as_user(host, "alice", "croft --system start web", timeout=100).check()
    hidden = as_user(host, "alice", "croft --system start secret")
    assert hidden.status == 3 and "there is no machine 'secret'" in hidden.stderr
    assert as_user(host, "alice", "croft --system list --all -q").stdout == "web\n"
    assert as_user(host, "alice", "croft --system cat web").status == 7
    assert as_user(host, "alice", "croft --system set web memory=1G").status == 7
    as_user(host, "alice", "croft --system stop -t 1s web", timeout=100).check()
    host.run("croft rm -q web; croft rm -q --config web; croft rm -q --config secret").check()


def test_many_machines_are_asked_about_in_turns(host):
    """A connection may wait for 128 answers of polkit's at most: more machines than that are all seen."""
    host.run("mkdir -p /etc/croft/machines; for i in $(seq 150); do printf '[Machine]\nDirectory=/trees/app\n' >/etc/croft/machines/many$i.machine; done").check()
    rows, = call(host, PATH, MANAGER, "ListMachines", user="bob")
    assert len(rows) == 150
    host.run("rm /etc/croft/machines/many*.machine").check()
    rows, = call(host, PATH, MANAGER, "ListMachines", user="bob")
    assert rows == []


def test_errors_are_named_and_say_what_the_command_line_says(host, machines):
    ran = job(host, "Stop", "sa{sv}", "nobody", "0")
    assert "there is no machine 'nobody'" in ran.stderr
    path, = call(host, PATH, MANAGER, "Resume", "sa{sv}", "web", "0")
    assert busctl(host, path, JOB, "Wait").status != 0
    assert host.run(f"busctl get-property {NAME} {path} {JOB} Error").stdout == f's "{NAME}.Error.WrongState"\n'
    assert "unknown option --timeoutt" in busctl(host, PATH, MANAGER, "Stop", "sa{sv}", "web", "1", "timeoutt", "s", "3").stderr
    assert "is no name of an option" in busctl(host, PATH, MANAGER, "Stop", "sa{sv}", "web", "1", "--all", "s", "3").stderr
    # busctl has no descriptors to give.
    ran = host.run(f"""python3 - <<'END'
import dbus
manager = dbus.Interface(dbus.SystemBus().get_object("{NAME}", "{PATH}"), "{MANAGER}")
manager.Exec("web", ["true"], {{}}, dbus.Array([dbus.types.UnixFd(0)], "h"))
END""")
    assert f"{NAME}.Error.Invalid" in ran.stderr and "takes none or three" in ran.stderr


def test_signals_reach_gdbus_monitor(host):
    script = f"""
gdbus monitor --system --dest {NAME} >/tmp/seen &
monitor=$!
for try in $(seq 100); do
  name=$(busctl --system list --no-legend | awk -v pid=$monitor '$2 == pid && $1 ~ /^:/ {{ print $1 }}')
  [ -n "$name" ] && break; sleep 0.2
done
busctl call {NAME} {PATH} {MANAGER} SubscribeOther s "$name" || exit 1
croft run -d --name=heard /trees/app sleep infinity && croft pause heard && croft resume heard && croft stop -t 1 heard && croft rm heard
for try in $(seq 100); do grep -q MachineRemoved /tmp/seen && break; sleep 0.2; done
kill $monitor
cat /tmp/seen
"""
    seen = host.run(script, timeout=120).check().stdout
    states = [line.split("StateChanged ")[1] for line in seen.splitlines() if "StateChanged" in line]
    at = states.index("('running', 'frozen')")  # what is before is its start, as far as somebody had the time to look
    assert states[at + 1] == "('frozen', 'running')" and states[-1].endswith("'exited')"), seen
    assert f"MachineNew ('heard', objectpath '{PATH}/machine/heard')" in seen
    assert "PropertiesChanged" in seen and "InterfacesAdded" in seen and "InterfacesRemoved" in seen


# ---------------------------------------------------------------- who may

def listed(host, user):
    return [row["name"] for row in json.loads(as_user(host, user, "croft --system list --json").check().stdout)]


def test_what_one_may_not_see_does_not_exist(host, machines):
    assert listed(host, "alice") == ["web"]
    assert listed(host, "bob") == ["secret", "web"]
    assert listed(host, "carol") == []
    for user, sees in (("alice", ["web"]), ("bob", ["secret", "web"]), ("carol", [])):
        rows, = call(host, PATH, MANAGER, "ListMachines", user=user)
        assert [row[0] for row in rows] == sees
        everything = as_user(host, user, f"busctl --system call {NAME} {PATH} org.freedesktop.DBus.ObjectManager GetManagedObjects").check().stdout
        everything += as_user(host, user, f"busctl --system tree {NAME}").check().stdout
        assert [name for name in ("secret", "web") if f"/machine/{name}" in everything] == sees
    # Hidden and absent are told in the same words.
    for path in (f"{PATH}/machine/secret", f"{PATH}/machine/absent"):
        ran = as_user(host, "alice", f"busctl --system get-property {NAME} {path} {MACHINE} State")
        assert ran.status != 0 and "Unknown object" in ran.stderr
    for method, signature, rest in (("GetMachine", "s", ()), ("Stop", "sa{sv}", ("0",)), ("Kill", "sa{sv}", ("0",)),
                                    ("Exec", "sasa{sv}ah", ("1", "true", "0", "0"))):
        said = [busctl(host, PATH, MANAGER, method, signature, name, *rest, user="alice").stderr.replace(name, "NAME") for name in ("secret", "absent")]
        assert said[0] == said[1] and "there is no machine" in said[0]
    pid = json.loads(host.run("croft show --json secret").stdout)[0]["leader"]
    assert "is in no machine" in busctl(host, PATH, MANAGER, "GetMachineByPID", "u", str(pid), user="alice").stderr


def test_files_do_not_tell_either(host, machines):
    assert as_user(host, "carol", "ls /run/croft/machines").status != 0
    assert as_user(host, "carol", "ls /run/croft/jobs").status != 0


def test_a_hint_does_not_tell(host, machines):
    """`did you mean` would name a machine to somebody who may not know of it."""
    host.run("croft rm -qf web")
    said = as_user(host, "alice", "croft --system stop web").stderr
    assert "there is no machine 'web'" in said and "secret" not in said and "did you mean" not in said


def test_alice_works_with_web_only(host, machines):
    assert as_user(host, "alice", "croft --system exec web sh -c 'id -u; exit 7'").stdout == "0\n"
    assert as_user(host, "alice", "croft --system exec web sh -c 'exit 7'").status == 7
    ran = as_user(host, "alice", "croft --system kill web")
    assert ran.status == 7 and "you may not send signals to machine 'web'" in ran.stderr
    assert as_user(host, "alice", "croft --system run /trees/app true").status == 125
    assert as_user(host, "alice", "croft --system stop --all").status == 7
    assert as_user(host, "alice", "croft --system stop web secret").status == 7
    assert json.loads(host.run("croft show --json web").stdout)[0]["state"] == "running"
    as_user(host, "alice", "croft --system stop -t 1s web", timeout=90).check()
    assert json.loads(host.run("croft show --json web").stdout)[0]["state"] == "exited"


def test_bob_looks_only(host, machines):
    assert "running" in as_user(host, "bob", "croft --system show secret").check().stdout
    assert as_user(host, "bob", "croft --system stop secret").status == 7
    assert as_user(host, "bob", "croft --system exec secret true").status == 125
    assert as_user(host, "bob", "croft --system logs secret").status == 7


def test_jobs_are_their_owners(host, machines):
    path, = call(host, PATH, MANAGER, "Exec", "sasa{sv}ah", "web", "2", "sleep", "100", "0", "0", user="alice")
    rows, = call(host, PATH, MANAGER, "ListJobs", user="bob")
    assert path not in [row[4] for row in rows]
    assert "Unknown object" in busctl(host, path, JOB, "Cancel", user="bob").stderr
    rows, = call(host, PATH, MANAGER, "ListJobs", user="alice")
    assert path in [row[4] for row in rows]
    call(host, path, JOB, "Cancel", user="alice")
    host.run(f"busctl --timeout=60 call {NAME} {path} {JOB} Wait")
    assert host.run(f"busctl get-property {NAME} {path} {JOB} State").stdout == 's "failed"\n'


def test_signals_go_to_those_who_may_look(host, machines):
    script = f"""
for user in alice carol; do
  runuser -u $user -- gdbus monitor --system --dest {NAME} >/tmp/seen-$user &
done
for try in $(seq 100); do
  [ $(busctl --system list --no-legend | grep -c ' gdbus ') -ge 2 ] && break; sleep 0.2
done
busctl --system list --no-legend | awk '$3 == "gdbus" {{ print $1 }}' | while read name; do busctl call {NAME} {PATH} {MANAGER} SubscribeOther s $name; done
croft pause secret && croft pause web && croft resume secret && croft resume web
for try in $(seq 100); do [ $(grep -c StateChanged /tmp/seen-alice) -ge 2 ] && break; sleep 0.2; done
pkill -x gdbus
grep -h StateChanged /tmp/seen-alice; echo --; grep -hE 'web|secret' /tmp/seen-carol; true
"""
    seen = host.run(script, timeout=120).check().stdout
    alice, carol = seen.split("--\n")
    assert alice.count("/machine/web") == 2 and "secret" not in alice
    assert carol == ""


def test_alice_brings_images_in_and_bob_looks(host):
    """The store's own rights keep all but root out; the hardened croftd reads it, and a unit of its own writes it."""
    as_user(host, "alice", "sh -c 'tar -C /trees/app -c . | croft --system image import - tree'", timeout=200).check()
    assert "tree" in as_user(host, "bob", "croft --system image list").check().stdout
    path, = call(host, PATH, MANAGER, "GetImage", "s", "tree", user="bob")
    assert as_user(host, "bob", f"busctl --system get-property {NAME} {path} {IMAGE} Complete").stdout == "b true\n"
    assert as_user(host, "carol", "croft --system image list").status == 7
    rows, = call(host, PATH, MANAGER, "ListImages", user="carol")
    assert rows == []
    assert as_user(host, "bob", "croft --system image rm tree").status == 7
    for words in ("import /etc/shadow taken", "export tree /etc/taken", "pull --policy=/dev/null registry.example/web:1"):
        ran = as_user(host, "alice", f"croft --system image {words}")
        assert ran.status == 7 and "image-transfer" in ran.stderr, ran
    # The words are the caller's: systemd, which runs the job, puts no variables in their place.
    as_user(host, "alice", "croft --system image tag tree '${TERM}'", timeout=100).check()
    assert as_user(host, "alice", "croft --system image list -q").stdout == "${TERM}\ntree\n"
    as_user(host, "alice", "croft --system image rm -q tree '${TERM}'", timeout=100).check()
    assert as_user(host, "bob", "croft --system image list -q").stdout == ""


def test_a_machine_of_an_image_is_cloned_kept_and_brought_back(host):
    host.run("tar -C /trees/app -c . | croft image import - base && croft create -q --image=base first -- sleep infinity").check()
    for method, arguments in (("Clone", ("ssa{sv}", "first", "second", "0")), ("Snapshot", ("ssa{sv}", "second", "before", "0")),
                              ("Restore", ("ssa{sv}", "second", "before", "0")), ("Rebuild", ("sa{sv}", "second", "0"))):
        ended = job(host, method, *arguments)
        assert ended.status == 0 and json.loads(ended.stdout)["data"] == [0], (method, ended)
    assert "before" in host.run("croft snapshot --list second").check().stdout
    refused = busctl(host, PATH, MANAGER, "Restore", "ssa{sv}", "second", "before", "0", user="alice")
    assert refused.status != 0 and "there is no machine 'second'" in refused.stderr
    host.run("croft rm -q --config first; croft rm -q --config second; croft image rm -q base").check()


# ---------------------------------------------------------------- its life

def pid(host):
    return host.run("systemctl show -P MainPID croftd").stdout.strip()


def test_the_same_output_over_the_bus(host, machines):
    """As root in-process and over the bus: same bytes, same status."""
    host.run("cat >/etc/polkit-1/rules.d/05-dave.rules <<'END'\npolkit.addRule(function(action, subject) { if (subject.user == 'dave') return polkit.Result.YES; });\nEND\nuseradd dave")
    for command in ("list -q", "list --json nope", "exec web cat /etc/passwd", "exec web sh -c 'echo out; echo err >&2; exit 3'", "exec nope true",
                    "exec web sh -c 'echo $HOME-${PATH}-$#; echo \\$\\$'",
                    "exec web nope", "resume web", "stop nope", "stop --tmeout=1 web", "show nope", "exec -e A=b web env", "run /trees/gone true",
                    "wait", "cp web:/etc/nope /tmp/", "frob", "help list"):
        here, bus = host.run(f"cd /tmp && croft {command}"), host.run(f"cd /tmp && runuser -u dave -- croft --system {command}")
        hint = here.stderr.split("; did you mean")[0]
        assert (bus.status, bus.stdout) == (here.status, here.stdout), (command, bus)
        assert bus.stderr.startswith(hint.rstrip()[:40]), (command, here.stderr, bus.stderr)
    assert host.run("cd / && echo piped | runuser -u dave -- croft --system exec web cat").stdout == "piped\n"
    ran = host.run("cd /trees && runuser -u dave -- croft --system run --name=rel ./app3 echo relative")
    assert ran.stdout == "relative\n", ran


def test_killed_in_the_middle(host, machines):
    """kill -9 while alice waits for her job: the job goes on, and the next croftd tells her how it ended."""
    script = """
rm -f /tmp/status; (cd /; runuser -u alice -- croft --system exec web sh -c 'sleep 6; echo survived; exit 5' >/tmp/out 2>&1; echo $? >/tmp/status) &
for try in $(seq 100); do [ -n "$(systemctl list-units --no-legend 'croft-job-*')" ] && break; sleep 0.1; done
kill -9 $(systemctl show -P MainPID croftd)
wait
cat /tmp/out /tmp/status
"""
    assert host.run(script, timeout=120).check().stdout == "survived\n5\n"
    assert json.loads(host.run("croft show --json web").stdout)[0]["state"] == "running"
    rows, = call(host, PATH, MANAGER, "ListMachines")
    assert [row[:2] for row in rows] == [["secret", "running"], ["web", "running"]]


def test_restarted_and_stopped(host, machines):
    call(host, PATH, MANAGER, "ListMachines")
    host.run("systemctl restart croftd && systemctl stop croftd").check()
    assert {row["state"] for row in json.loads(host.run("croft list --json").stdout)} == {"running"}
    rows, = call(host, PATH, MANAGER, "ListMachines")  # activation
    assert len(rows) == 2


def test_a_caller_that_leaves_takes_its_job_along(host, machines):
    script = """
cd /; runuser -u alice -- setsid croft --system exec web sleep 1000 & sleep 0.1
for try in $(seq 100); do croft exec web sh -c 'ps | grep -q "[s]leep 1000"' && break; sleep 0.2; done
kill -9 $(pgrep -x croft-systemd)
for try in $(seq 100); do croft exec web sh -c 'ps | grep -q "[s]leep 1000"' || break; sleep 0.2; done
croft exec web sh -c 'ps | grep "[s]leep 1000"'
for try in $(seq 100); do [ -z "$(systemctl list-units --no-legend 'croft-job-*')" ] && break; sleep 0.2; done
systemctl list-units --no-legend 'croft-job-*'
"""
    assert host.run(script, timeout=120).stdout == ""


def test_small_and_hardened(host, machines):
    call(host, PATH, MANAGER, "ListMachines")
    rss = host.run(f"awk '/^VmRSS/ {{ print $2 }}' /proc/{pid(host)}/status").check().stdout
    assert int(rss) <= 12 * 1024
    capabilities = host.run(f"grep -E 'Cap(Eff|Bnd|Prm)' /proc/{pid(host)}/status").stdout.split()[1::2]
    assert set(capabilities) == {"0" * 16}
    score = host.run("systemd-analyze security croftd | tail -1").check().stdout
    assert float(score.split()[-3]) < 2, score  # of 10; what is left is being root and talking to D-Bus


def test_a_user_has_a_bus_too(host):
    """`croftd --user`, started by alice's session bus, shows her own machines; everybody on that bus hears of them. There is no
    systemd on that bus, so jobs are croftd's children."""
    host.run("""
sed s,@LIBEXECDIR@,/files/apps, /files/dbus/org.croft.Croft1.session.service.in >/usr/share/dbus-1/services/org.croft.Croft1.service
cp -a /trees/app /home/alice/app && chown -R alice: /home/alice/app
install -d -o alice -m 700 /run/user/1001
""").check()
    script = f"""
cd; export XDG_RUNTIME_DIR=/run/user/1001
busctl --user get-property {NAME} {PATH} {MANAGER} Scope
gdbus monitor --session --dest {NAME} >seen &
monitor=$!
for try in $(seq 100); do busctl --user list --no-legend | grep -q " gdbus " && break; sleep 0.2; done
croft run -d --name=mine ~/app sleep infinity
busctl --user call {NAME} {PATH} {MANAGER} ListMachines
job=$(busctl --user -- call {NAME} {PATH} {MANAGER} Stop 'sa{{sv}}' mine 1 timeout s 1s | cut -d'"' -f2)
busctl --user call {NAME} $job {JOB} Wait
busctl --user get-property {NAME} $job {JOB} Unit
for try in $(seq 100); do grep -q "'running', 'exited'" seen && break; sleep 0.2; done
kill $monitor; grep -c StateChanged seen; croft rm -q mine
"""
    ran = host.run(f"runuser -u alice -- env HOME=/home/alice dbus-run-session -- bash <<'END'\n{script}END", timeout=120)
    lines = ran.check().stdout.splitlines()
    assert lines[0] == 's "user"' and lines[1] == "mine", ran
    assert lines[2].startswith('a(ssuso) 1 "mine" "running"'), ran
    assert lines[3:5] == ["i 0", 's ""'] and int(lines[5]) >= 1, ran


def test_leaves_when_idle(host):
    host.run("sed -i 's,^ExecStart=.*,& --idle=2s,' /etc/systemd/system/croftd.service && systemctl daemon-reload && systemctl restart croftd").check()
    call(host, PATH, MANAGER, "ListMachines")
    assert host.run("for try in $(seq 100); do [ $(systemctl is-active croftd) = inactive ] && break; sleep 0.3; done; systemctl is-active croftd").stdout == "inactive\n"
    rows, = call(host, PATH, MANAGER, "ListMachines")
    assert rows == []


def test_nothing_is_left(host):
    assert host.run("systemctl list-units --all --no-legend 'croft-job-*'").stdout == ""
    assert host.run("croft list --json").stdout.strip() == "[]"
