"""Machines that files declare: create, set, edit and the rest, on a directory of machine files of each test's own."""

import json
import os
import signal
import subprocess

import pytest
from harness.machines import shown, state, until


@pytest.fixture
def declared(croft, config, copy_tree, machine):
    """The name of a declared machine with a tree of its own, which sleeps."""
    name = machine("declared")
    croft("create", "-q", name, f"--directory={copy_tree('app')}", "--", "sleep", "600").check()
    return name


# ---------------------------------------------------------------- create


def test_create_writes_a_file_that_says_it_all(croft, config, machine):
    name = machine("created")
    ran = croft("create", name, "--directory=/srv/some tree", "--hostname=box", "--cap-add=NET_ADMIN", "--env=A=1%", "--autostart",
                "--cpus=1.5", "--bind=/srv:/mnt")
    assert (ran.status, ran.stdout) == (0, f"{config}/{name}.machine\n")
    assert "/srv/some tree is not there yet" in ran.stderr
    text = (config / f"{name}.machine").read_text()
    for line in ("Directory=/srv/some tree", "Autostart=yes", "Boot=yes", "Hostname=box", "CPUQuota=150%", "Bind=/srv:/mnt"):
        assert f"\n{line}\n" in text, line
    assert state(croft, name) == "configured"
    assert os.stat(config / f"{name}.machine").st_mode & 0o777 == 0o644


def test_create_with_nothing_else_boots_the_tree_of_its_name(croft, config, machine):
    name = machine("plain")
    croft("create", "-q", name).check()
    assert (config / f"{name}.machine").read_text().splitlines()[2:] == [
        "[Machine]", f"Directory=/var/lib/machines/{name}", "", "[Exec]", "Boot=yes"]


def test_create_with_a_command_runs_it(croft, config, declared):
    assert "Parameters=sleep 600" in (config / f"{declared}.machine").read_text()
    assert croft("start", declared).check().stdout == f"{declared}\n"
    assert shown(croft, declared)["command"] == ["sleep", "600"]


def test_dry_run_changes_nothing(croft, config):
    text = croft("create", "--dry-run", "nothing", "--memory=1G").check().stdout
    assert "MemoryMax=1G" in text and list(config.iterdir()) == []


@pytest.mark.parametrize("words, said", [
    (["two_words"], "'two_words'"),
    (["../x"], "'../x'"),
    ([""], "name"),
    (["x", "--memory=lots"], "--memory: 'lots'"),
    (["x", "--rm"], "--rm"),
    (["x", "--memry=1G"], "did you mean --memory"),
    (["x", "--name=y"], "--name"),
    (["x", "--app", "--boot"], "not both"),
    (["x", "--from=surely-no-such-tree"], "surely-no-such-tree"),
    (["x", "--directory=/"], "/"),
])
def test_create_refuses(croft, config, words, said):
    ran = croft("create", "-q", *words)
    assert ran.status != 0 and said in ran.stderr, ran
    assert list(config.iterdir()) == []


def test_a_name_is_declared_once(croft, config, declared):
    before = (config / f"{declared}.machine").read_text()
    ran = croft("create", declared)
    assert ran.status != 0 and f"{config}/{declared}.machine" in ran.stderr
    assert (config / f"{declared}.machine").read_text() == before


def test_of_many_creates_at_once_one_wins(croft, config, machine):
    name = machine("raced")
    racers = [croft.start("create", "-q", name, f"--hostname=h{i}") for i in range(8)]
    ended = [(racer.communicate(timeout=60), racer.returncode) for racer in racers]
    assert sorted(status == 0 for _, status in ended) == [False] * 7 + [True]
    assert all(b"declared already" in err for (_, err), status in ended if status)
    assert [path.name for path in config.iterdir()] == [f"{name}.machine"]
    croft("verify", name)
    assert croft("cat", name).check().stdout.count("Hostname=h") == 1


def test_a_full_disk_leaves_nothing_half(croft, config, machine):
    """A machine file that cannot be written is not there; one that cannot be replaced stays as it was."""
    name, other = machine("full"), machine("other")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", config], check=True)
    croft("create", "-q", name, "--hostname=before").check()
    before = (config / f"{name}.machine").read_text()
    with open(config / "filler", "wb", buffering=0) as filler:
        with pytest.raises(OSError):
            while True:
                filler.write(b"x" * 4096)
    ran = croft("create", "-q", other, "--hostname=h")
    assert ran.status != 0 and "No space left" in ran.stderr, ran
    ran = croft("set", "-q", name, "hostname=after")
    assert ran.status != 0 and "No space left" in ran.stderr, ran
    assert (config / f"{name}.machine").read_text() == before
    assert shown(croft, name)["mistake"] == ""
    assert {path.name for path in config.iterdir()} - {f"{name}.machine.d"} == {f"{name}.machine", "filler"}
    (config / "filler").unlink()
    croft("set", "-q", name, "hostname=after").check()
    assert "Hostname=after" in croft("cat", name).check().stdout


def test_a_read_only_directory_is_told(croft, config, declared):
    subprocess.run(["mount", "--bind", config, config], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", config], check=True)
    for words in (["create", "another"], ["set", declared, "hostname=x"], ["rm", "--config", declared],
                  ["rename", declared, "another"], ["clone-config", declared, "another"]):
        ran = croft(*words)
        assert ran.status != 0 and "Read-only file system" in ran.stderr, (words, ran)
    assert state(croft, declared) == "installed"
    croft("start", declared).check()


# ---------------------------------------------------------------- create --from


def test_from_copies_the_tree_with_all_that_a_tree_has(croft, config, scratch, machine, copy_tree):
    source, target, name = copy_tree("app"), scratch / "copied", machine("copied")
    (source / "hard").write_text("x")
    os.link(source / "hard", source / "link")
    os.chown(source / "hard", 1234, 4321)
    os.chmod(source / "hard", 0o4755)
    os.symlink("/nowhere", source / "dangling")
    os.mkfifo(source / "fifo", 0o640)
    os.mknod(source / "null", 0o20666, os.makedev(1, 3))
    os.setxattr(source / "hard", "user.note", b"kept")
    with open(source / "holes", "wb") as sparse:
        sparse.truncate(1 << 24)
    croft("create", "-q", name, f"--from={source}", f"--directory={target}", "--", "/bin/true").check()
    look = "find . -printf '%p %y %m %U %G %s %l %n %T@\\n' | sort"
    trees = [subprocess.run(look, shell=True, cwd=tree, check=True, capture_output=True, text=True).stdout for tree in (source, target)]
    assert trees[0] == trees[1]
    assert os.stat(target / "hard").st_ino == os.stat(target / "link").st_ino
    assert os.getxattr(target / "hard", "user.note") == b"kept"
    assert os.stat(target / "holes").st_blocks == 0
    assert os.stat(target / "null").st_rdev == os.makedev(1, 3)
    assert sorted(path.name for path in config.iterdir()) == [f"{name}.machine"], "no mark is left"
    croft("start", name).check()


def test_from_a_tree_that_is_written_to_is_refused(croft, config, scratch, machine, declared):
    croft("start", declared).check()
    tree = shown(croft, declared)["tree"]
    ran = croft("create", "-q", "copy", f"--from={tree}", f"--directory={scratch}/copy")
    assert ran.status != 0 and declared in ran.stderr
    assert not (scratch / "copy").exists() and not (config / "copy.machine").exists()


@pytest.mark.in_process("it kills the process that copies, which is a job of croftd's")
def test_an_interrupted_copy_can_only_be_removed(croft, config, scratch, machine, copy_tree):
    """Killed in the middle: the machine is incomplete, refuses to start, and is removed with what was copied."""
    source, target, name = copy_tree("app"), scratch / "copied", machine("half")
    for i in range(2000):
        (source / f"file{i}").write_text("x" * 4096)
    child = croft.start("create", "-q", name, f"--from={source}", f"--directory={target}")
    partial = scratch / ".#copied.croft-copy"
    assert until(lambda: partial.exists() or child.poll() is not None)
    child.send_signal(signal.SIGSTOP)
    assert child.poll() is None and not target.exists(), "the copy was over before it could be stopped"
    # While it goes on: nobody takes it away.
    assert state(croft, name) == "incomplete"
    ran = croft("rm", "--config", name)
    assert ran.status != 0 and "just copying" in ran.stderr
    child.kill()
    child.communicate()
    assert state(croft, name) == "incomplete" and partial.exists()
    for words in (["start", name], ["start", "--ready-only", name], ["rename", name, "other"]):
        ran = croft(*words)
        assert ran.status != 0 and "incomplete" in ran.stderr and f"croft rm --config {name}" in ran.stderr, ran
    assert croft("verify", name).status == 1
    croft("rm", "-q", "--config", name).check()
    assert not partial.exists() and not target.exists() and list(config.iterdir()) == []


def test_a_copy_that_fails_leaves_nothing(croft, config, scratch, machine, copy_tree):
    source, small, name = copy_tree("app"), scratch / "small", machine("failed")
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
    ran = croft("create", "-q", name, f"--from={source}", f"--directory={small}/tree")
    assert ran.status != 0 and "No space left" in ran.stderr
    assert list(small.iterdir()) == [] and list(config.iterdir()) == []
    assert croft("show", name).status == 3


# ---------------------------------------------------------------- set, unset, cat, diff


def test_set_is_kept_in_a_file_of_its_own(croft, config, declared):
    before = (config / f"{declared}.machine").read_text()
    ran = croft("set", declared, "hostname=box", "--umask=0077", "Exec.Environment=A=1", "Exec.Environment=B=2 3", "Unit.After=a.service",
                "Resources.CPUWeight=50").check()
    assert ran.stdout.splitlines() == [
        "Exec.Hostname=box: from the next start on", "Exec.Environment=A=1 \"B=2 3\": from the next start on",
        "Unit.After=a.service: from the next start on", "Resources.CPUWeight=50: from the next start on",
        "Exec.UMask=0077: from the next start on"]
    assert (config / f"{declared}.machine").read_text() == before
    said = croft("cat", declared).check().stdout
    assert said.startswith(f"# {config}/{declared}.machine\n{before}\n# {config}/{declared}.machine.d/50-set.conf\n")
    # Once more: the last word counts, and a list is replaced as a whole.
    croft("set", "-q", declared, "Hostname=other", "Environment=C=3").check()
    text = (config / f"{declared}.machine.d/50-set.conf").read_text()
    assert text.count("Hostname=") == 1 and "B=2" not in text and "Environment=\nEnvironment=C=3" in text


def test_unset_takes_it_back_and_overrules_the_file(croft, config, declared):
    drop_in = config / f"{declared}.machine.d/50-set.conf"
    croft("set", "-q", declared, "hostname=box").check()
    croft("unset", declared, "hostname").check()
    assert not drop_in.exists() and not drop_in.parent.exists()
    croft("unset", "-q", declared, "Exec.Parameters").check()
    assert drop_in.read_text().endswith("[Exec]\nParameters=\n")
    croft("unset", "-q", declared, "Unit.After").check()


@pytest.mark.parametrize("words, said", [
    (["memory"], "no KEY=VALUE"),
    (["memory=lots"], "'lots'"),
    (["memry=1G"], "did you mean --memory"),
    (["Resources.MemoryMx=1G"], "MemoryMax"),
    (["Nothing.X=1"], "[Nothing]"),
    (["Service.ExecStart=/bin/sh"], "croft's own"),
    (["unit=After=x"], "Unit.KEY"),
    (["rm=yes"], "cannot hold"),
    (["hostname=a b"], "'a b'"),
    (["Machine.Directory=relative"], "'relative'"),
    (["Image=x"], "Image="),
])
def test_set_refuses(croft, config, declared, words, said):
    ran = croft("set", declared, *words)
    assert ran.status != 0 and said in ran.stderr, ran
    assert not (config / f"{declared}.machine.d").exists()


def test_what_only_a_running_machine_shows(croft, config, declared):
    """set tells what waits for a restart, and diff shows it."""
    croft("start", declared).check()
    same = croft("diff", declared)
    assert (same.status, same.stdout) == (0, "")
    ran = croft("set", declared, "hostname=later").check()
    assert ran.stdout == "Exec.Hostname=later: from the next start on; the machine that runs keeps what it has\n"
    ran = croft("diff", declared)
    assert ran.status == 1 and ran.stdout == (
        f"--- {declared} (running)\n+++ {declared} ({config}/{declared}.machine)\n[Exec]\n+Hostname=later\n")
    assert json.loads(croft("diff", "--json", declared).stdout) == [
        {"name": "hostname", "section": "Exec", "key": "Hostname", "left": [], "right": ["later"]}]
    croft("stop", declared).check()
    ran = croft("diff", declared)
    assert ran.status not in (0, 1) and "not running" in ran.stderr
    croft("start", declared).check()
    assert croft("diff", declared).status == 0
    assert croft("exec", declared, "hostname").check().stdout == "later\n"


def test_diff_of_two(croft, config, declared, machine):
    other = machine("other")
    croft("clone-config", "-q", declared, other, "--directory=/srv/other").check()
    croft("set", "-q", other, "hostname=box").check()
    ran = croft("diff", declared, other)
    assert ran.status == 1 and "+Hostname=box" in ran.stdout and "+Directory=/srv/other" in ran.stdout


def test_many_sets_at_once_are_all_kept(croft, config, declared):
    setters = [croft.start("set", "-q", declared, f"Machine.Annotation=k=v{i}" if i == 0 else f"Unit.After=u{i}.service",
                           f"Service.X{i}=1") for i in range(8)]
    assert [setter.wait(timeout=60) for setter in setters] == [0] * 8
    text = (config / f"{declared}.machine.d/50-set.conf").read_text()
    assert [i for i in range(8) if f"X{i}=1\n" not in text] == []


# ---------------------------------------------------------------- edit


def edit(croft, name, script, **more):
    return croft("edit", name, env={"EDITOR": f"sh -c '{script}' editor", "VISUAL": ""}, **more)


def test_edit_replaces_the_file_when_it_is_right(croft, config, declared):
    ran = edit(croft, declared, 'printf "[Exec]\\nHostname=edited\\n" >>"$1"').check()
    assert "is changed" in ran.stderr
    assert "Hostname=edited" in (config / f"{declared}.machine").read_text()
    assert "unchanged" in edit(croft, declared, "true").check().stderr


@pytest.mark.parametrize("script, said", [
    ('printf "[Exec]\\nHostnam=x\\n" >>"$1"', "Hostname"),
    ("exit 3", "the editor"),
])
def test_edit_keeps_the_file_when_it_is_wrong(croft, config, declared, script, said):
    before = (config / f"{declared}.machine").read_text()
    ran = edit(croft, declared, script)
    assert ran.status != 0 and said in ran.stderr, ran
    assert f"{config}/{declared}.machine:" in ran.stderr or "editor" in said
    assert (config / f"{declared}.machine").read_text() == before
    assert [path.name for path in config.iterdir()] == [f"{declared}.machine"]


def test_edit_offers_to_edit_again(croft, config, declared, terminal, scratch):
    """On a terminal a mistake is not the end of what was written."""
    script = scratch / "editor"
    script.write_text('#!/bin/sh\nif grep -q Hostnam=x "$1"; then sed -i s/Hostnam=x/Hostname=x/ "$1"; '
                      'else printf "[Exec]\\nHostnam=x\\n" >>"$1"; fi\n')
    script.chmod(0o755)
    on = terminal("edit", declared, env={"EDITOR": str(script), "VISUAL": ""})
    on.expect(r"edit it again\? \[Y/n\]")
    on.send("\r")
    on.expect("is changed")
    assert "Hostname=x" in (config / f"{declared}.machine").read_text()


@pytest.mark.in_process("the other one writes the file by himself")
def test_edit_does_not_overwrite_what_another_has_written(croft, config, declared):
    path = config / f"{declared}.machine"
    ran = edit(croft, declared, f'printf "[Exec]\\nHostname=mine\\n" >>"$1"; printf "[Exec]\\nHostname=other\\n" >>{path}')
    assert ran.status != 0 and "changed by somebody else" in ran.stderr
    assert "Hostname=other" in path.read_text() and "mine" not in path.read_text()


# ---------------------------------------------------------------- verify


def test_verify_finds_every_mistake_with_file_and_line(croft, config, declared):
    path = config / "wrong.machine"
    path.write_text("[Machine]\nDirectory=relative\nMemory=1\n[Nothing]\nA=b\n[Resources]\nMemoryMax=lots\nnonsense\n")
    drop_in = config / "wrong.machine.d"
    drop_in.mkdir()
    (drop_in / "a.conf").write_text("[Exec]\nHostname=a b\n")
    ran = croft("verify", "wrong")
    assert ran.status == 1
    found = [line.removeprefix("croft: ").split(": ")[0] for line in ran.stderr.splitlines()]
    assert sorted(found) == sorted([f"{path}:{n}" for n in (2, 3, 4, 7, 8)] + [f"{drop_in}/a.conf:2"])
    # One that is wrong says nothing about the others.
    assert croft("verify", declared).check().stderr == ""
    everything = json.loads(croft("verify", "--json").stdout)
    assert {one["name"]: bool(one["mistakes"]) for one in everything} == {"wrong": True, declared: False}
    assert croft("verify").status == 1


def test_verify_asks_what_a_start_would_refuse(croft, config, scratch):
    path = config / "absent.machine"
    path.write_text(f"[Machine]\nDirectory={scratch}/nowhere\n")
    ran = croft("verify", "absent")
    assert ran.status == 1 and f"{path}: the tree '{scratch}/nowhere' is not there" in ran.stderr
    (scratch / "nowhere").mkdir()
    ran = croft("verify", "absent")
    assert ran.status == 1 and "a start would be refused" in ran.stderr


def test_verify_takes_files_from_anywhere(croft, config, scratch, tree):
    (scratch / "new.machine").write_text(f"[Machine]\nDirectory={tree('app')}\n[Exec]\nParameters=true\n")
    croft("verify", scratch / "new.machine").check()
    croft("verify", "./new.machine", cwd=scratch).check()
    (scratch / "new.machine").write_text("[Exec]\nX\n")
    assert "new.machine:2: " in croft("verify", scratch / "new.machine").stderr
    assert croft("verify", scratch / "absent.machine").status == 3
    assert croft("verify", scratch).status != 0


def test_verify_sees_files_that_do_nothing(croft, config):
    (config / "bad_name.machine").write_text("")
    (config / "gone.machine.d").mkdir()
    ran = croft("verify")
    assert ran.status == 1 and "bad_name" in ran.stderr and "gone.machine.d" in ran.stderr


# ---------------------------------------------------------------- rename, clone-config, rm


def test_rename_takes_everything_along(croft, config, declared, machine):
    new = machine("renamed")
    croft("set", "-q", declared, "hostname=box").check()
    tree = shown(croft, declared)["tree"]
    croft("rename", "-q", declared, new).check()
    assert sorted(path.name for path in config.iterdir()) == [f"{new}.machine", f"{new}.machine.d"]
    assert shown(croft, new)["tree"] == tree and croft("show", declared).status == 3
    croft("start", new).check()
    assert croft("exec", new, "hostname").check().stdout == "box\n"
    ran = croft("rename", new, declared)
    assert ran.status != 0 and "is running" in ran.stderr


def test_rename_keeps_a_tree_that_only_the_name_had_given(croft, config, machine):
    (config / "old.machine").write_text("[Exec]\nBoot=yes\n")
    new = machine("renamed")
    croft("rename", "-q", "old", new).check()
    assert shown(croft, new)["tree"] == "/var/lib/machines/old"


def test_rename_and_clone_take_no_name_that_is_there(croft, config, declared, machine):
    other = machine("other")
    croft("create", "-q", other).check()
    for verb in ("rename", "clone-config"):
        for target in (other, declared, "no_name", ""):
            assert croft(verb, "-q", declared, target).status != 0, (verb, target)
    assert sorted(path.name for path in config.iterdir()) == sorted([f"{declared}.machine", f"{other}.machine"])


def test_clone_says_what_should_not_be_shared(croft, config, declared, machine):
    new = machine("clone")
    croft("set", "-q", declared, "uuid=7f5a3f0c1b2d4e6f8091a2b3c4d5e6f7").check()
    ran = croft("clone-config", declared, new).check()
    assert "same" not in ran.stdout and "both have the tree" in ran.stderr and "machine id" in ran.stderr
    assert croft("diff", declared, new).status == 0


def test_rm_config_removes_what_declares_it(croft, config, declared):
    croft("set", "-q", declared, "hostname=box").check()
    tree = shown(croft, declared)["tree"]
    ran = croft("rm", declared)
    assert ran.status != 0 and f"croft rm --config {declared}" in ran.stderr
    croft("rm", "-q", "--config", declared).check()
    assert list(config.iterdir()) == [] and os.path.isdir(tree)


def test_rm_tree_removes_its_tree_and_no_other(croft, config, declared, machine, scratch):
    tree, other = shown(croft, declared)["tree"], machine("other")
    assert croft("rm", "--tree", declared).status != 0, "only with --config"
    croft("clone-config", "-q", declared, other).check()
    ran = croft("rm", "--config", "--tree", declared)
    assert ran.status != 0 and other in ran.stderr and os.path.isdir(tree)
    croft("rm", "-q", "--config", other).check()
    croft("start", declared).check()
    ran = croft("rm", "--config", "--tree", declared)
    assert ran.status != 0 and "is running" in ran.stderr and os.path.isdir(tree)
    croft("rm", "-q", "--force", "--config", "--tree", declared).check()
    assert not os.path.exists(tree) and list(config.iterdir()) == []
    (config / "root.machine").write_text("[Machine]\nDirectory=/usr\n")
    ran = croft("rm", "--config", "--tree", "root")
    assert ran.status != 0 and "not removed" in ran.stderr and os.path.isdir("/usr/bin")


# ---------------------------------------------------------------- a user's own machines


@pytest.mark.in_process("it is about machines that are not the system's")
def test_a_user_declares_machines_of_his_own(croft, scratch, copy_tree, monkeypatch):
    """Without root: files in his own configuration, machines in his own name space."""
    nobody, home, source = 65534, scratch / "home", copy_tree("app")
    for path in (home, home / "run"):
        path.mkdir(mode=0o700)
        os.chown(path, nobody, nobody)
    for name in ("CROFT_CONFIG_DIR", "CROFT_RUN_DIR", "CROFT_STATE_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    who = {"user": nobody, "group": nobody, "extra_groups": [], "cwd": home,
           "env": {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}}
    ran = croft("create", "-q", "mine", f"--from={source}", f"--directory={home}/tree", **who)
    assert ran.status == 7 and "'/etc/shadow': reading it: Permission denied" in ran.stderr and not (home / "tree").exists(), ran
    subprocess.run(["chown", "-R", f"{nobody}:{nobody}", source], check=True)
    ran = croft("create", "-q", "mine", f"--from={source}", f"--directory={home}/tree", "--", "sleep", "600", **who).check()
    assert ran.stdout == f"{home}/.config/croft/machines/mine.machine\n"
    assert croft("list", "-qa", **who).check().stdout == "mine\n" and "mine" not in croft("list", "-qa").stdout
    croft("start", "mine", **who).check()
    assert croft("exec", "mine", "id", "-u", **who).check().stdout == "0\n"
    croft("set", "-q", "mine", "hostname=box", **who).check()
    assert croft("diff", "mine", **who).status == 1
    croft("stop", "mine", **who).check()
    croft("rm", "-q", "--config", "--tree", "mine", **who).check()
    assert not (home / "tree").exists()


# ---------------------------------------------------------------- events


def test_events_tell_a_life(croft, config, declared):
    croft("start", declared).check()
    croft("pause", declared).check()
    croft("resume", declared).check()
    croft("stop", declared).check()

    def told():
        return [json.loads(line) for line in croft("events", "--json", declared).check().stdout.splitlines()]

    assert until(lambda: told()[-1]["event"] == "exited"), told()
    events = told()
    assert [event["event"] for event in events] == ["config", "started", "frozen", "thawed", "stopping", "exited"]
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    assert events[1]["leader"] > 1 and "SIGKILL" in events[-1]["detail"]
    lines = croft("events", declared).check().stdout.splitlines()
    assert len(lines) == len(events) and f"  {declared}  started  leader " in lines[1]
    assert croft("events", "no-such-machine").check().stdout == ""


def test_events_follow(croft, config, declared):
    child = croft.start("events", "-f", "--json", declared)
    assert json.loads(child.stdout.readline())["event"] == "config"
    croft("run", "-q", f"--name={declared}", "--ephemeral", shown(croft, declared)["tree"], "sh", "-c", "exit 3")
    assert json.loads(child.stdout.readline())["event"] == "started"
    ended = json.loads(child.stdout.readline())
    assert (ended["event"], ended["detail"]) == ("exited", "exited with status 3")
    child.kill()
    child.communicate()


def test_the_file_of_events_stays_small(croft, config, declared):
    path = os.environ["CROFT_RUN_DIR"] + "/events"
    with open(path, "a") as file:
        file.write("half a line, after a crash\n" * 45000)
    croft("set", "-q", declared, "hostname=a").check()
    assert os.path.getsize(path) < 1 << 16 and os.path.exists(path + ".1")
    events = [json.loads(line) for line in croft("events", "--json", declared).check().stdout.splitlines()]
    assert [event["detail"] for event in events] == ["created", "Exec.Hostname=a"]
