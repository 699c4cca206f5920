"""Mounts, devices and protected paths of a bundle, as a process inside sees them."""

import os
import shutil
import subprocess

import pytest

BUSYBOX = shutil.which("busybox")


@pytest.fixture
def root(scratch):
    """A writable root with busybox and nothing else."""
    top = scratch / "root"
    for name in ("bin", "dev", "proc", "sys", "etc", "tmp"):
        (top / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, top / "bin/busybox")
    for name in subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if name != "busybox":
            (top / "bin" / name).symlink_to("busybox")
    return top


@pytest.fixture
def see(oci, bundle, new_id, root):
    """see(SCRIPT, change) → what the script says in a container that was changed like this."""

    def run(script, change=None, status=0):
        def with_path(config):
            config["process"]["env"] = ["PATH=/bin"]
            if change:
                change(config)

        ran = oci("run", new_id(), bundle=bundle("sh", "-c", script, root=root, change=with_path))
        assert ran.status == status, ran.stderr
        return ran.stdout if status == 0 else ran.stderr

    return run


def mount(target, kind, source=None, *options):
    return lambda config: config["mounts"].append(
        {"destination": target, "type": kind, "source": str(source or kind), "options": list(options)}
    )


def all_of(*changes):
    def change(config):
        for one in changes:
            one(config)

    return change


def users(config):
    config["linux"]["namespaces"].append({"type": "user"})
    config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [
        {"containerID": 0, "hostID": 100000, "size": 65536}
    ]


@pytest.fixture
def source(scratch):
    """A directory with a file, and a tmpfs mounted below."""
    top = scratch / "source"
    (top / "below").mkdir(parents=True)
    (top / "file").write_text("data\n")
    subprocess.run(["mount", "-t", "tmpfs", "none", top / "below"], check=True)
    yield top
    subprocess.run(["umount", top / "below"], check=True)


@pytest.mark.parametrize(
    "options, top, below",
    [
        (["rbind"], True, True),
        (["rbind", "ro"], False, True),
        (["rbind", "rro"], False, False),
        (["bind", "ro"], False, False),  # and there is nothing mounted below
    ],
)
def test_read_only_binds(see, source, options, top, below):
    script = "for d in /m /m/below; do (: > $d/x) 2>/dev/null && echo True || echo False; done"
    seen = see(script, mount("/m", "none", source, *options)).split()
    assert seen[0] == str(top)
    assert "rbind" not in options or seen[1] == str(below)


def test_attributes_of_the_top_and_of_all(see, source):
    out = see("cat /proc/self/mountinfo", mount("/m", "bind", source, "rbind", "noexec", "rnosuid"))
    rows = {line.split()[4]: line.split()[5] for line in out.splitlines()}
    assert "noexec" in rows["/m"] and "nosuid" in rows["/m"]
    assert "noexec" not in rows["/m/below"] and "nosuid" in rows["/m/below"]


def test_a_target_is_made_where_a_link_leads(see, root, source):
    (root / "etc/resolv.conf").symlink_to("../run/net/resolv.conf")
    out = see("cat /run/net/resolv.conf", mount("etc/../etc/resolv.conf", "bind", source / "file", "bind"))
    assert out == "data\n"


def test_a_target_never_leaves_the_root(see, root, scratch):
    outside = scratch / "outside"
    outside.mkdir()
    (root / "out").symlink_to(outside)
    (root / "up").symlink_to("../../../../../..")
    see(
        "ls -d /new /up/other",
        all_of(
            mount("/out/inner", "tmpfs"),
            mount("/../../new", "tmpfs"),
            mount("/up/other", "tmpfs"),
        ),
    )
    assert not list(outside.iterdir())
    assert not os.path.exists("/new") and not os.path.exists("/other")


@pytest.mark.parametrize("kind", ["/proc", "/sys"])
def test_an_api_mount_on_a_link_is_refused(see, root, kind):
    (root / kind[1:]).rmdir()
    (root / kind[1:]).symlink_to("tmp")
    assert kind in see("true", status=1)


@pytest.mark.parametrize(
    "target, kind, words",
    [
        ("/proc", "tmpfs", "only a proc"),
        ("/proc/self/attr", "tmpfs", "nothing can be mounted there"),
        ("/", "tmpfs", "on the root itself"),
        ("/m", "no-such-fs", "no-such-fs"),
    ],
)
def test_refused_mounts(see, target, kind, words):
    message = see("true", mount(target, kind), status=1)
    assert words in message


def test_a_file_of_proc_can_be_replaced(see, source):
    assert see("cat /proc/meminfo", mount("/proc/meminfo", "bind", source / "file", "bind")) == "data\n"


def test_the_order_of_mounts_counts(see, source):
    later = all_of(mount("/a", "tmpfs"), mount("/a/b", "bind", source, "rbind"))
    assert see("cat /a/b/file", later) == "data\n"
    covered = all_of(mount("/a/b", "bind", source, "rbind"), mount("/a", "tmpfs"))
    assert see("ls /a", covered) == ""
    below_sys = all_of(mount("/sys/kernel", "tmpfs"), mount("/sys/kernel/x", "bind", source, "rbind"))
    assert see("cat /sys/kernel/x/file; ls /sys/kernel", below_sys) == "data\nx\n"


def test_tmpcopyup(see, root):
    (root / "data/sub").mkdir(parents=True)
    (root / "data/sub/file").write_text("deep\n")
    (root / "data/link").symlink_to("sub/file")
    (root / "data").chmod(0o751)
    out = see(
        "cat /data/link; stat -c %a /data; echo new > /data/sub/file; stat -f -c %T /data",
        mount("/data", "tmpfs", "tmpfs", "tmpcopyup"),
    )
    assert out == "deep\n751\ntmpfs\n"
    assert (root / "data/sub/file").read_text() == "deep\n"


@pytest.mark.parametrize("options", [["idmap", "bind"], ["ridmap", "rbind"]])
def test_mapped_binds(see, scratch, options):
    where = scratch / "owned"
    where.mkdir()
    (where / "file").touch()

    def mapped(config):
        mount("/m", "bind", where, *options)(config)
        config["mounts"][-1]["uidMappings"] = [{"containerID": 0, "hostID": 70, "size": 10}]
        config["mounts"][-1]["gidMappings"] = [{"containerID": 0, "hostID": 80, "size": 10}]

    assert see("stat -c %u:%g /m/file", mapped) == "70:80\n"


def test_a_read_only_root_has_its_mount_points(see, root, source):
    def closed(config):
        config["root"]["readonly"] = True
        config["process"]["cwd"] = "/made/for/it"
        mount("/m", "bind", source, "rbind")(config)

    out = see("pwd; cat /m/file; touch /x 2>/dev/null || echo closed; touch /m/y && echo open", closed)
    assert out == "/made/for/it\ndata\nclosed\nopen\n"


def test_devices_links_and_their_policy(see):
    def device(config):
        config["linux"]["devices"] = [
            {"path": "/dev/a/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o640, "uid": 3, "gid": 4},
            {"path": "/opt/pipe", "type": "p", "fileMode": 0o600},
        ]
        config["linux"]["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
        for kind in config["process"]["capabilities"].values():
            kind.append("CAP_MKNOD")

    out = see(
        "stat -c '%t:%T %a %u:%g' /dev/a/fuse /dev/null; readlink /dev/fd; readlink /dev/ptmx; stat -c %F /opt/pipe; "
        "cat /dev/a/fuse 2>/dev/null || echo refused; mknod /tmp/disk b 8 0 && cat /tmp/disk 2>/dev/null || echo refused; "
        "echo x > /dev/null && head -c 1 /dev/zero | wc -c",
        device,
    )
    assert out == (
        "a:e5 640 3:4\n1:3 666 0:0\n/proc/self/fd\npts/ptmx\nfifo\nrefused\nrefused\n1\n"
    )


def test_a_bind_on_dev_is_left_alone(see, scratch):
    own = scratch / "dev"
    own.mkdir()

    def change(config):
        config["mounts"] = [m for m in config["mounts"] if not m["destination"].startswith("/dev")]
        mount("/dev", "bind", own, "rbind")(config)

    see("true", change)
    assert not list(own.iterdir())


def test_masked_and_read_only_paths(see, root):
    (root / "etc/secret").write_text("secret")
    (root / "etc/keys").mkdir()
    (root / "etc/keys/one").touch()
    (root / "etc/link").symlink_to("secret")

    def change(config):
        config["linux"]["maskedPaths"] = ["/etc/link", "/etc/keys", "/etc/nothing"]
        config["linux"]["readonlyPaths"] = ["/tmp", "/nowhere"]

    out = see(
        "cat /etc/secret 2>&-; ls /etc/keys 2>&-; (: > /etc/secret) 2>/dev/null || echo covered; "
        "touch /tmp/x 2>/dev/null || echo closed",
        change,
    )
    assert out == "covered\nclosed\n"
    assert (root / "etc/secret").read_text() == "secret"


def test_sysctls(see):
    def change(config):
        config["linux"]["sysctl"] = {"net.ipv4.ip_default_ttl": "77", "kernel/shmmax": "8192"}

    assert see("cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmax", change) == "77\n8192\n"

    def of_host(config):
        config["linux"]["sysctl"] = {"vm.swappiness": "1"}

    assert "vm.swappiness" in see("true", of_host, status=1)


@pytest.mark.parametrize("kind, word", [("shared", "shared:"), ("unbindable", "unbindable"), ("private", None)])
def test_rootfs_propagation(see, kind, word):
    def change(config):
        config["linux"]["rootfsPropagation"] = kind

    line = next(row for row in see("cat /proc/self/mountinfo", change).splitlines() if row.split()[4] == "/")
    optional = line.split(" - ")[0].split()[6:]
    assert (any(tag.startswith(word) for tag in optional)) if word else not optional


def test_user_namespace(see, root):
    subprocess.run(["chown", "-hR", "100000:100000", root], check=True)
    out = see("id -u; cat /proc/self/uid_map; touch /etc/x; stat -c %u /etc/x /dev/null /dev/shm; echo > /dev/null", users)
    assert out.split() == ["0", "0", "100000", "65536", "0", "0", "0"]
    assert (root / "etc/x").stat().st_uid == 100000


def test_a_root_that_its_owner_may_not_write_to(see, root, source):
    """Images have such roots (mode 0555), and the mount points are made all the same, for the container's root."""
    subprocess.run(["chown", "-hR", "100000:100000", root], check=True)
    root.chmod(0o555)
    script = "stat -c %u /new; cat /file; stat -c %u /deep; ls -d /deep/er"
    changes = all_of(users, mount("/new", "tmpfs"), mount("/file", "bind", source / "file", "bind"), mount("/deep/er", "tmpfs"))
    assert see(script, changes) == "0\ndata\n0\n/deep/er\n"


def test_a_user_namespace_of_one_id(see, root):
    def one(config):
        users(config)
        config["linux"]["uidMappings"][0]["size"] = config["linux"]["gidMappings"][0]["size"] = 1

    subprocess.run(["chown", "-hR", "100000:100000", root], check=True)
    assert "gid=5" not in see("grep devpts /proc/mounts", one)


def test_host_network_in_a_user_namespace(see, root):
    """The kernel lets it mount no sysfs then: the host's stands in."""

    def change(config):
        users(config)
        config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]

    subprocess.run(["chown", "-hR", "100000:100000", root], check=True)
    assert see("ls -d /sys/class/net/lo", change) == "/sys/class/net/lo\n"


def test_without_a_mount_namespace(see, root):
    def change(config):
        config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "mount"]
        config["linux"].pop("maskedPaths", None)
        config["linux"].pop("readonlyPaths", None)

    assert see("readlink /proc/self/ns/mnt; ls -d /dev/null", change) == f"{os.readlink('/proc/self/ns/mnt')}\n/dev/null\n"
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        assert str(root) not in table.read(), "mounts of the container stay on the host"


def test_a_tree_that_changes_meanwhile(oci, bundle, new_id, root, scratch):
    """CVE-2021-30465: a directory on the way to a target becomes a link out of the root, again and again."""
    outside = scratch / "outside"
    outside.mkdir()
    swap = subprocess.Popen(
        [
            "sh",
            "-c",
            f"cd {root} && mkdir -p d && while :; do mv d e 2>/dev/null; ln -sfn {outside} d; rm -f d; mv e d 2>/dev/null; done",
        ],
        stderr=subprocess.DEVNULL,
    )

    def change(config):
        config["process"]["env"] = ["PATH=/bin"]
        mount("/d/x", "tmpfs")(config)
        mount("/d/y", "bind", scratch, "rbind")(config)

    try:
        for _ in range(15):
            oci("run", new_id(), bundle=bundle("true", root=root, change=change))
            assert not list(outside.iterdir())
    finally:
        swap.kill()
        swap.wait()
