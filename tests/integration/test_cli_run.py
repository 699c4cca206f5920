"""croft run as a user sees it: status, streams, options, plans, settings files; each on a real machine."""

import json
import re
import shutil
import signal
import stat
import subprocess
import time

import pytest


@pytest.fixture(scope="module")
def app(tree):
    return tree("app")


# ---------------------------------------------------------------- status and streams


@pytest.mark.parametrize("command, status", [("exit 0", 0), ("exit 7", 7), ("exit 255", 255)])
def test_status_is_the_commands_own(croft, app, command, status):
    ran = croft("run", app, "sh", "-c", command)
    assert (ran.status, ran.stdout, ran.stderr) == (status, "", "")


def test_status_of_a_signal(croft, app):
    # PID 1 ignores what it does not handle, so the one that dies is its child under croft's init.
    assert croft("run", "--init", app, "sh", "-c", "kill -9 $$").status == 137


def test_a_command_that_is_not_there(croft, app):
    ran = croft("run", app, "no-such-command")
    assert ran.status == 127 and "no-such-command" in ran.stderr and len(ran.stderr.splitlines()) == 1


def test_a_command_that_cannot_be_run(croft, app):
    ran = croft("run", app, "/etc/passwd")
    assert ran.status == 126 and "/etc/passwd" in ran.stderr


def test_own_failure_is_125(croft, app):
    ran = croft("run", "--bind=/no/such/source:/mnt", app, "true")
    assert ran.status == 125 and "/no/such/source" in ran.stderr


def test_streams_stay_apart(croft, app):
    ran = croft("run", "-i", app, "sh", "-c", "cat; echo err >&2", stdin="in\n")
    assert (ran.stdout, ran.stderr, ran.status) == ("in\n", "err\n", 0)


def test_a_megabyte_passes_through(croft, app):
    data = "x" * 79 + "\n"
    ran = croft("run", "-i", app, "cat", stdin=data * 13108)
    assert ran.stdout == data * 13108


def test_signals_are_forwarded(croft, app):
    child = croft.start("run", app, "sh", "-c", "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.05; done")
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=20)
    assert (out, err, child.returncode) == (b"got it\n", b"", 9)


def test_json_of_a_foreground_run_goes_to_standard_error(croft, app):
    ran = croft("run", "--json", app, "sh", "-c", "echo out; exit 4")
    told = json.loads(ran.stderr)
    assert ran.stdout == "out\n" and ran.status == 4
    assert told["outcome"]["kind"] == "exited" and told["outcome"]["status"] == 4 and told["name"]


# ---------------------------------------------------------------- options that a machine shows


@pytest.mark.parametrize("options, command, output", [
    (["--hostname=web"], "hostname", "web\n"),
    (["--name=NAME"], "hostname", "NAME\n"),
    (["--user=app"], "id -u", "1000\n"),
    (["--user=app:extra"], "id -g", "100\n"),
    (["--user=1000"], "id -un", "app\n"),
    (["--workdir=/var/log"], "pwd", "/var/log\n"),
    (["--env=A=b c", "-e", "D="], "echo $A-$D-", "b c--\n"),
    (["--tmpfs=/mnt"], "touch /mnt/x && ls /mnt", "x\n"),
    (["--inaccessible=/srv"], "ls /srv 2>/dev/null || echo hidden", "hidden\n"),
    (["--read-only"], "touch /x 2>/dev/null || echo no", "no\n"),
    (["--ephemeral"], "touch /x && ls /x", "/x\n"),
    (["--rlimit=NOFILE=77"], "ulimit -n", "77\n"),
    (["--umask=027"], "umask", "0027\n"),
    (["--set-credential=greet:hello"], "cat $CREDENTIALS_DIRECTORY/greet", "hello"),
    (["--sysctl=net.ipv4.ip_forward=1"], "cat /proc/sys/net/ipv4/ip_forward", "1\n"),
    (["--oom-score-adjust=500"], "cat /proc/self/oom_score_adj", "500\n"),
    (["--personality=x86"], "uname -m", "i686\n"),
    (["--no-new-privileges"], "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n"),
], ids=lambda value: value[0] if isinstance(value, list) else None)
def test_option(croft, app, machine, options, command, output):
    name = machine("option")
    ran = croft("run", *[word.replace("NAME", name) for word in options], app, "sh", "-c", command)
    assert (ran.stdout.replace(name, "NAME"), ran.stderr, ran.status) == (output, "", 0)


def test_passing_a_variable_on(croft, app):
    ran = croft("run", "--env=CROFT_TEST_WORD", app, "sh", "-c", "echo $CROFT_TEST_WORD", env={"CROFT_TEST_WORD": "passed"})
    assert ran.stdout == "passed\n"


def test_files_of_a_bind_belong_to_who_they_should(croft, app, scratch):
    (scratch / "mine").write_text("hello\n")
    ran = croft("run", f"--bind={scratch}:/mnt", app, "sh", "-c",
                "cat /mnt/mine; stat -c %u /mnt/mine; echo made > /mnt/made").check()
    assert ran.stdout == "hello\n0\n"
    assert (scratch / "made").stat().st_uid == 0


def test_a_relative_bind_is_meant_from_here(croft, app, scratch):
    (scratch / "here").mkdir()
    (scratch / "here/file").write_text("x")
    ran = croft("run", "--bind-ro=./here:/mnt", app, "sh", "-c", "ls /mnt; touch /mnt/y 2>/dev/null || echo no", cwd=scratch)
    assert ran.stdout == "file\nno\n"


# ---------------------------------------------------------------- terminals


def test_a_terminal_asked_for_without_one(croft, app):
    ran = croft("run", "-t", app, "true")
    assert ran.status == 125
    assert ran.stderr == ("croft: --tty: a terminal was asked for, but standard input is none; leave out -t, or start it "
                          "with -d\n")


def test_a_real_terminal(terminal, app):
    on = terminal("run", "-it", app, "sh", "-c", "tty; stty size; read line; echo got $line", rows=33, columns=91)
    on.expect(r"/dev/(console|pts/0)")
    on.expect("33 91")
    on.send("word\r")
    on.expect("got word")
    assert on.rest()[1] == 0


def test_detach_and_attach(terminal, croft, app, machine):
    name = machine("detach")
    on = terminal("run", "-it", f"--name={name}", app, "sh")
    on.send("echo mark-$((40+2))\r")
    on.expect("mark-42")
    on.send("\x10\x11")
    assert on.rest()[1] == 0
    assert json.loads(croft("list", "--json", name).stdout)[0]["state"] == "running"
    again = terminal("attach", name)
    again.send("echo again-$((40+3))\r")
    again.expect("again-43")
    again.send("exit 5\r")
    assert again.rest()[1] == 5


# ---------------------------------------------------------------- trees that cannot be


def test_trees_that_cannot_be(croft, tmp_path, scratch):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    open_to_all = scratch / "open"
    for directory in ("bin", "usr", "etc"):
        (open_to_all / directory).mkdir(parents=True)
    open_to_all.chmod(0o777)
    sentences = {
        tmp_path / "nothing": "nothing",
        tmp_path / "file": "disk image",
        tmp_path / "empty": "--force-tree",
        "/": "/",
        open_to_all: "writ",
    }
    for path, word in sentences.items():
        ran = croft("run", path, "true")
        assert ran.status == 125, f"{path}: {ran}"
        assert str(path) in ran.stderr and word in ran.stderr and len(ran.stderr.splitlines()) == 1, ran.stderr


def test_force_tree(croft, app, scratch):
    tiny = scratch / "tiny"
    tiny.mkdir()
    shutil.copy(app / "bin/busybox", tiny / "sh")
    assert "--force-tree" in croft("run", tiny, "/sh", "-c", "exit 3").stderr
    assert croft("run", "--force-tree", tiny, "/sh", "-c", "exit 3").status == 3


def test_a_tree_that_another_machine_writes(croft, copy_tree, machine):
    tree, name = copy_tree("app"), machine("writer")
    croft("run", "-dq", f"--name={name}", tree, "sleep", "600").check()
    ran = croft("run", tree, "true")
    assert ran.status == 125 and str(tree) in ran.stderr and name in ran.stderr and len(ran.stderr.splitlines()) == 1
    assert croft("run", "--read-only", tree, "true").status == 125, "it changes under the reader"
    croft("stop", "--now", name).check()
    assert croft("run", tree, "true").status == 0


def test_a_program_of_another_architecture(croft, copy_tree):
    tree = copy_tree("app")
    elf = bytearray((tree / "bin/busybox").read_bytes()[:4096])
    elf[18:20] = (0xF3).to_bytes(2, "little")  # EM_RISCV
    (tree / "bin/foreign").write_bytes(elf)
    (tree / "bin/foreign").chmod(0o755)
    ran = croft("run", tree, "/bin/foreign")
    assert ran.status == 126 and "/bin/foreign" in ran.stderr and "riscv" in ran.stderr.lower(), ran
    (tree / "sbin/init").write_bytes(elf)
    (tree / "sbin/init").chmod(0o755)
    ran = croft("boot", "-d", tree)
    assert ran.status == 126 and "/sbin/init" in ran.stderr and "riscv" in ran.stderr.lower(), ran


def test_a_name_that_is_taken(croft, app, machine):
    name = machine("taken")
    croft("run", "-d", f"--name={name}", app, "sleep", "600").check()
    ran = croft("run", f"--name={name}", app, "true")
    assert ran.status == 125 and name in ran.stderr and len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["-x", "a_b", "a..b", "x" * 65, "a/b"])
def test_names_that_are_no_host_names(croft, app, name):
    ran = croft("run", f"--name={name}", app, "true")
    assert ran.status == 125 and ran.stderr.startswith("croft: --name: ") and name in ran.stderr


# ---------------------------------------------------------------- plan


def test_plan_is_json_and_touches_nothing(croft, app, machine):
    name = machine("plan")
    plan = json.loads(croft("plan", "--json", "run", f"--name={name}", "--hostname=h", app, "true").check().stdout)
    assert plan["launch"]["name"] == name and plan["launch"]["process"]["argv"] == ["true"]
    assert any(name in value for value in plan["unit"].values() if isinstance(value, str))
    assert croft("show", name).status == 3


def test_plan_parts(croft, app):
    unit = croft("plan", "--unit", "run", app, "true").check().stdout
    assert "[Service]" in unit and "kernel" not in unit
    assert json.loads(croft("plan", "--launch", "run", app, "true").check().stdout)["process"]


def test_plan_without_privilege(croft, app):
    ran = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", croft.path, "plan", "--json", "run", app, "true"],
                         capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": "/tmp"})
    if ran.returncode in (126, 127):
        pytest.skip("this user may not execute the build directory")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["launch"]["process"]["argv"] == ["true"]


# ---------------------------------------------------------------- settings files


@pytest.fixture
def near(copy_tree):
    """A tree of one's own and the .nspawn file beside it."""
    path = copy_tree("app")
    return path, path.with_name(path.name + ".nspawn")


def test_a_file_beside_the_tree_counts_as_far_as_it_is_trusted(croft, near):
    tree, file = near
    file.write_text("[Exec]\nHostname=from-file\nCapability=CAP_SYS_ADMIN\n")
    ran = croft("run", tree, "hostname")
    assert ran.stdout == "from-file\n"
    assert f"{file}:3" in ran.stderr and "Capability" in ran.stderr
    assert croft("run", "--settings=no", tree, "hostname").stdout != "from-file\n"
    assert croft("run", "--settings=trusted", tree, "hostname").stderr == ""


def test_options_beat_files_unless_overridden(croft, near):
    tree, file = near
    file.write_text("[Exec]\nHostname=from-file\n")
    assert croft("run", "--hostname=option", tree, "hostname").stdout == "option\n"
    assert croft("run", "--hostname=option", "--settings=override", tree, "hostname").stdout == "from-file\n"


def test_a_wrong_value_names_file_and_line(croft, near):
    tree, file = near
    file.write_text("[Exec]\n\nUser=no such user!\n[Files]\nReadOnly=perhaps\n")
    ran = croft("run", tree, "true")
    assert ran.status == 125 and f"{file}:" in ran.stderr


@pytest.mark.in_process("croftd is told of another directory of machine files")
def test_a_machine_file_declares_a_machine(croft, app, machine):
    """/run/croft/config is the run-time directory of machine files."""
    import pathlib
    name = machine("declared")
    directory = pathlib.Path("/run/croft/config")
    made = [path for path in (directory.parent, directory) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{name}.machine"
    try:
        file.write_text(f"[Machine]\nDirectory={app}\n[Exec]\nHostname=%i-host\nEnvironment=WORD=file\n")
        ran = croft("run", name, "sh", "-c", "hostname; echo $WORD")
        assert (ran.stdout, ran.stderr) == (f"{name}-host\nfile\n", "")
        file.write_text(f"[Machine]\nDirectory={app}\n[Exec]\nHostnmae=x\n")
        ran = croft("run", name, "true")
        assert ran.status == 125 and f"{file}:4" in ran.stderr and "Hostname" in ran.stderr
    finally:
        file.unlink()
        for path in reversed(made):
            path.rmdir()


def test_dashes_before_a_command(croft, app, machine):
    assert croft("run", "-q", app, "--", "echo", "--", "x").check().stdout == "-- x\n"
    assert croft("run", "-q", "-i", app, "--", stdin="exit 4\n").status == 4  # no command: a shell
    name = machine("dashes")
    croft("run", "-d", "-q", f"--name={name}", app, "sleep", "60").check()
    assert croft("exec", name, "--", "echo", "in").check().stdout == "in\n"
    assert croft("exec", name, "--").status == 125


def test_a_profile_is_judged_by_the_capabilities_that_are_left(croft, app, scratch):
    """--cap-drop=all with an exception keeps the exception: the profile's rule for it must be in force."""
    profile = scratch / "profile.json"
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95, "includes": {"caps": ["CAP_CHOWN"]}}]}))
    words = ["run", "-q", f"--seccomp={profile}", "--cap-drop=all"]
    with_it = croft(*words, "--cap-add=CAP_CHOWN", app, "mkdir", "/tmp/a")
    without = croft(*words, app, "mkdir", "/tmp/b")
    assert with_it.status == 1 and "not supported" in with_it.stderr
    assert without.status == 0, without.stderr


def test_overlay_in_the_tree_leaves_no_work_directory(croft, copy_tree):
    """--overlay with an upper layer inside of the tree: what was written stays, overlayfs's work directory goes."""
    tree = copy_tree("app")
    (tree / "opt/lower").mkdir(parents=True)
    (tree / "opt/upper").mkdir()
    ran = croft("run", "--private-users=no", "--overlay=+/opt/lower:+/opt/upper:/mnt", tree, "sh", "-c", "echo kept >/mnt/file")
    ran.check()
    assert (tree / "opt/upper/file").read_text() == "kept\n"
    assert sorted(entry.name for entry in (tree / "opt").iterdir()) == ["lower", "upper"]
