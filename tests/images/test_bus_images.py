"""Images on the bus, with a real polkit and a real registry: alice manages what comes from one place, bob looks, carol sees
nothing. Who names a file of the host needs more than either has; archives are handed over as descriptors."""

import contextlib
import io
import json
import os
import subprocess
import tarfile
import tempfile

import dbus
import make
import pytest
from conftest import PROGRAM
from harness.bus import session_bus
from harness.machines import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="croftd of the system is root's")

NAME, PATH = "org.croft.Croft1", "/org/croft/Croft1"
MANAGER, IMAGE, JOB = f"{NAME}.Manager", f"{NAME}.Image", f"{NAME}.Job"
PROPERTIES = "org.freedesktop.DBus.Properties"
ALICE, BOB, CAROL = "games", "news", "mail"  # users that are on every Debian host

RULES = f"""
polkit.addRule(function(action, subject) {{
    if (action.id.indexOf("org.croft.Croft1.") != 0) return;
    var what = action.id.substr("org.croft.Croft1.".length), image = action.lookup("image") || "", source = action.lookup("source") || "";
    if (image == "secret") return polkit.Result.NO;
    if (what == "image-view" && (subject.user == "{ALICE}" || subject.user == "{BOB}")) return polkit.Result.YES;
    if (what == "image-manage" && subject.user == "{ALICE}" && (source == "" || source == "-" || source.indexOf("/team/") > 0))
        return polkit.Result.YES;
    return polkit.Result.NO;
}});
"""


@pytest.fixture(scope="module")
def address(plain_registry, tmp_path_factory):
    """The registry, with team/web:1 and other/web:1 in it."""
    place = tmp_path_factory.mktemp("images")
    for name in ("team/web:1", "other/web:1"):
        make.simple(place / name[:4], Labels={"of": name})
        subprocess.run([PROGRAM, "image", "copy", "--dest-tls-verify=no", f"oci:{place / name[:4]}:one", f"docker://{plain_registry}/{name}"],
                       check=True, capture_output=True)
    return plain_registry


@pytest.fixture(scope="module", autouse=True)
def bus(address, tmp_path_factory):
    """croftd with an empty store, which the registry's plain HTTP does not trouble."""
    place = tmp_path_factory.mktemp("bus-images")
    place.chmod(0o755)
    (place / "registries.conf").write_text(f'[[registry]]\nlocation = "{address}"\ninsecure = true\n')
    given = {"CROFT_STATE_DIR": str(place / "state"), "CROFT_RUN_DIR": str(place / "run"),
             "CONTAINERS_REGISTRIES_CONF": str(place / "registries.conf"), "CROFT_HELPER_DIR": str(PROGRAM.parent)}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    with session_bus(PROGRAM.parent / "croftd", RULES):
        yield place
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture
def connection(bus):
    """Root's."""
    made = dbus.bus.BusConnection(os.environ["DBUS_SYSTEM_BUS_ADDRESS"])
    yield made
    made.close()


def interface(connection, path, name):
    return dbus.Interface(connection.get_object(NAME, path), name)


def manager(connection):
    return interface(connection, PATH, MANAGER)


def value(connection, path, name, of=IMAGE):
    return interface(connection, path, PROPERTIES).Get(of, name)


def wait(connection, path):
    """What a job ends with: its status, or the name and sentence of its error."""
    try:
        return int(interface(connection, path, JOB).Wait(timeout=200))
    except dbus.DBusException as why:
        return why.get_dbus_name().split(".")[-1], why.get_dbus_message()


def names(connection):
    return [str(row[0]) for row in manager(connection).ListImages()]


def croft(*words, user=None, input=None):
    other = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "env", "HOME=/nonexistent"] if user else []
    scope = ["--system"] if user else []
    return subprocess.run([*other, PROGRAM, *scope, "image", *map(str, words)], input=input, cwd="/", stdin=None if input else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240)


def good(*words, **more):
    ran = croft(*words, **more)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


def refused(*words, status=7, **more):
    ran = croft(*words, **more)
    assert ran.returncode == status, (words, ran)
    return ran.stderr.decode()


def archive(**files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.fixture
def clean(connection):
    """Without images before and afterwards."""
    yield
    for name in names(connection):
        good("rm", "-q", name)


def imported(connection, name, **files):
    with contextlib.closing(tempfile_with(archive(**files))) as file:
        job = manager(connection).ImportImage(dbus.types.UnixFd(file), name, {})
    assert wait(connection, job) == 0


def tempfile_with(data):
    """A file without a name, to be read from its beginning."""
    file = tempfile.TemporaryFile()
    file.write(data)
    file.flush()
    file.seek(0)
    return file


# ---------------------------------------------------------------- objects and jobs


def test_an_image_is_an_object_as_long_as_it_has_its_name(connection, address, clean):
    assert names(connection) == []  # there is not even a store
    assert wait(connection, manager(connection).PullImage(f"docker://{address}/team/web:1", "", {"retry-times": 2})) == 0
    row, = manager(connection).ListImages()
    name, digest, size, complete, path = row
    assert str(name) == f"{address}/team/web:1" and digest.startswith("sha256:") and int(size) == 6 and complete
    assert manager(connection).GetImage("web:1") == path  # by the end of its name
    properties = interface(connection, path, PROPERTIES).GetAll(IMAGE)
    assert properties["Digest"] == digest and properties["Source"] == f"docker://{address}/team/web:1"
    assert dict(properties["Labels"]) == {"of": "team/web:1"} and properties["Architecture"] == "amd64"
    assert properties["CreatedUSec"] == 1704067200 * 1000000 and list(properties["Command"]) == ["/bin/true"]
    assert properties["Complete"] and properties["Mistake"] == ""
    everything = interface(connection, PATH, "org.freedesktop.DBus.ObjectManager").GetManagedObjects()
    assert everything[path][IMAGE]["Name"] == name

    assert wait(connection, interface(connection, path, IMAGE).Tag("web", {})) == 0
    assert names(connection) == sorted([f"{address}/team/web:1", "web"])
    assert wait(connection, manager(connection).RenameImage("web", "www", {})) == 0
    assert wait(connection, manager(connection).VerifyImage("www", {})) == 0
    for left in names(connection):
        assert wait(connection, interface(connection, manager(connection).GetImage(left), IMAGE).Remove({"quiet": True})) == 0
    assert names(connection) == []
    assert wait(connection, manager(connection).PruneImages({})) == 0
    with pytest.raises(dbus.DBusException, match="there is no image 'www'"):
        manager(connection).GetImage("www")


def test_archives_travel_as_descriptors(connection, clean):
    given = archive(file="what is in it\n")
    with tempfile_with(given) as file:
        job = manager(connection).ImportImage(dbus.types.UnixFd(file), "tree", {})
    assert value(connection, job, "Verb", JOB) == "image import" and value(connection, job, "Image", JOB) == "tree"
    assert wait(connection, job) == 0
    with tempfile_with(b"") as file:
        assert wait(connection, manager(connection).ExportImage("tree", dbus.types.UnixFd(file), {})) == 0
        file.seek(0)
        assert file.read() == given


def test_a_job_is_cancelled_and_nothing_is_left(connection, clean):
    """The archive comes through a pipe that this test holds, so the job ends by Cancel alone."""
    read, write = os.pipe()
    job = manager(connection).ImportImage(dbus.types.UnixFd(read), "never", {})
    os.close(read)
    os.write(write, archive(file="x" * 20000)[:10000])
    # Others are served meanwhile.
    assert names(connection) == [] and value(connection, job, "State", JOB) == "running"
    interface(connection, job, JOB).Cancel()
    ended = wait(connection, job)
    os.close(write)
    assert ended != 0 and value(connection, job, "State", JOB) == "failed"
    assert names(connection) == []


def test_errors_are_the_command_lines(connection, address, clean):
    kind, text = wait(connection, manager(connection).RemoveImage("nope", {}))
    assert kind == "NotFound" and "there is no image 'nope'" in text
    kind, text = wait(connection, manager(connection).PullImage(f"docker://{address}/team/absent:1", "", {"retry-times": 0}))
    assert kind == "NotFound" and "team/absent" in text
    for method, words, says in (("PullImage", ("docker://%%", "", {}), "%%"), ("TagImage", ("a", "b\nc", {}), "no control characters"),
                                ("PullImage", ("web", "", {"frob": "1"}), "unknown option --frob")):
        with pytest.raises(dbus.DBusException, match=says):
            getattr(manager(connection), method)(*words)


def test_signals_tell_of_names_whoever_changes_them(connection, bus, clean):
    """The store is changed by a command that knows nothing of the bus."""
    log = open(bus / "seen", "w+")
    # busctl has no name that this test knew of beforehand; gdbus's is found by its process.
    monitor = subprocess.Popen(["gdbus", "monitor", "--address", os.environ["DBUS_SYSTEM_BUS_ADDRESS"], "--dest", NAME], stdout=log, stderr=log)
    try:
        driver = dbus.Interface(connection.get_object("org.freedesktop.DBus", "/"), "org.freedesktop.DBus")

        def monitors():
            found = []
            for one in driver.ListNames():
                with contextlib.suppress(dbus.DBusException):
                    if one.startswith(":") and driver.GetConnectionUnixProcessID(one) == monitor.pid:
                        found.append(one)
            return found

        assert until(monitors, 60)
        manager(connection).SubscribeOther(monitors()[0])
        seen = lambda: (bus / "seen").read_text()
        good("import", "-", "one", input=archive(file="1"))
        assert until(lambda: "InterfacesAdded" in seen() and f"{PATH}/image/one" in seen(), 60), seen()
        good("import", "-", "two", input=archive(file="2"))
        good("tag", "--force", "two", "one")
        assert until(lambda: "PropertiesChanged" in seen() and "'Digest'" in seen().split("PropertiesChanged")[1], 60), seen()
        good("rm", "-q", "one")
        assert until(lambda: "InterfacesRemoved" in seen(), 60), seen()
    finally:
        monitor.kill()
        monitor.wait()
        log.close()


# ---------------------------------------------------------------- who may


def test_alice_pulls_from_her_place_and_bob_looks(connection, address, clean):
    good("pull", "-q", f"docker://{address}/team/web:1", "web", user=ALICE)
    assert "you may not bring in, name, hand out or remove image 'web'" in refused("pull", "-q", f"docker://{address}/other/web:1", "web", user=ALICE)
    assert json.loads(good("list", "--json", user=BOB))[0]["name"] == "web"
    assert "Digest" in good("inspect", "web", user=BOB).decode()
    assert "you may not" in refused("rm", "web", user=BOB)
    assert "you may not" in refused("pull", f"docker://{address}/team/web:1", user=BOB)
    # A registry is asked with this host's logins.
    assert "org.croft.Croft1.image-manage" in refused("inspect", f"docker://{address}/team/web:1", user=BOB)
    good("tag", "web", "web:2", user=ALICE)
    good("rm", "-q", "web:2", "web", user=ALICE)
    assert names(connection) == []


def test_what_one_may_not_see_does_not_exist(connection, clean):
    imported(connection, "secret", file="s")
    imported(connection, "web", file="w")
    everything = {"ALICE": [], "BOB": [], "CAROL": []}
    for key, user, sees in (("ALICE", ALICE, ["web"]), ("BOB", BOB, ["web"]), ("CAROL", CAROL, [])):
        ran = subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "busctl", "--system", "--json=short", "call", NAME, PATH,
                              "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"], capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stderr
        everything[key] = sorted(one[IMAGE]["Name"]["data"] for one in json.loads(ran.stdout)["data"][0].values() if IMAGE in one)
        assert everything[key] == sees
    # Hidden and absent are told in the same words, also by a digest's first digits.
    digits = str(value(connection, manager(connection).GetImage("secret"), "Digest")).split(":")[1][:12]
    for words in (("rm", "{}"), ("tag", "{}", "mine"), ("export", "{}", "-"), ("history", "{}"), ("inspect", "{}")):
        said = [refused(*(word.format(name) for word in words), status=3, user=ALICE).replace(name, "NAME") for name in ("secret", digits, "absent")]
        assert said[0] == said[1] == said[2] and "there is no image 'NAME'" in said[0]
    assert "secret" in names(connection)


def test_files_of_the_host_are_out_of_reach(connection, bus, address, clean):
    """With leave to manage images alice cannot make croft, which is root, read or write what she cannot."""
    imported(connection, "web", file="w")
    for words in (("import", "/etc/shadow", "taken"), ("import", "etc", "taken"), ("import", "oci:/etc:1", "taken"), ("import", "raw:/dev/vda", "taken"),
                  ("pull", "dir:/etc", "taken"), ("export", "web", "/etc/cron.d/mine"), ("export", "web", "oci:/etc/mine:1"), ("inspect", "oci:/etc:1"),
                  ("copy", "web", "dir:/etc/mine"), ("push", "web", f"docker://{address}/team/web:9"), ("mount", "web", "/etc"), ("commit", "web", "taken"),
                  ("sync", "dir:/etc", f"docker://{address}/team"), ("delete", f"docker://{address}/team/web:1"), ("bootstrap", "debian:trixie"),
                  ("pull", "--policy=/dev/null", f"docker://{address}/team/web:1"), ("pull", "--authfile=/etc/shadow", f"docker://{address}/team/web:1"),
                  ("pull", "--cert-dir=/etc", f"docker://{address}/team/web:1"), ("pull", "--tls-verify=no", f"docker://{address}/team/web:1"),
                  ("import", "--policy=/dev/null", "-", "taken")):
        assert "org.croft.Croft1.image-transfer" in refused(*words, user=ALICE, **({"input": b"x"} if "-" in words else {})), words
    assert names(connection) == ["web"] and not os.path.exists("/etc/cron.d/mine")
    # What she hands over has been opened with her own rights.
    good("import", "-", "hers", user=ALICE, input=archive(file="hers"))
    assert b"hers" in good("export", "hers", user=ALICE)
