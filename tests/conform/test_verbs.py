"""Each verb of croft-oci: what it does, in which states, its words and its exit statuses."""

import ctypes
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

# ---------------------------------------------------------------- a container's life


def test_from_create_to_delete(oci, bundle, new_id):
    name, where = new_id(), bundle("sleep", "600")
    oci.create(name, where)
    created = oci.state(name)
    assert (created["status"], created["id"], created["bundle"]) == ("created", name, str(where))
    assert oci("start", name).check().stdout == ""
    running = oci.state(name)
    assert running["status"] == "running" and running["pid"] == created["pid"]
    assert os.path.exists(f"/proc/{running['pid']}")
    oci("kill", name, "KILL").check()
    oci.until(name, "stopped")
    assert oci.state(name)["pid"] == 0
    oci("delete", name).check()
    gone = oci("state", name)
    assert gone.status == 1 and "does not exist" in gone.stderr


def test_a_created_container_has_not_run(oci, bundle, new_id, scratch):
    def mount(config):
        config["mounts"].append({"destination": "/mnt", "type": "bind", "source": str(scratch), "options": ["rbind", "rw"]})

    name = new_id()
    oci.create(name, bundle("touch", "/mnt/ran", change=mount))
    time.sleep(0.1)
    assert not (scratch / "ran").exists()
    oci("start", name).check()
    oci.until(name, "stopped")
    assert (scratch / "ran").exists()


def test_the_config_is_read_once(oci, bundle, new_id):
    name, where = new_id(), bundle("sleep", "600")
    oci.create(name, where)
    (where / "config.json").write_text("{")
    oci("start", name).check()
    assert oci.status(name) == "running"


def test_run_returns_the_status_and_deletes(oci, bundle, new_id):
    name = new_id()
    ran = oci("run", name, bundle=bundle("sh", "-c", "echo out; echo err >&2; exit 7"))
    assert (ran.status, ran.stdout, ran.stderr) == (7, "out\n", "err\n")
    assert name not in oci("list", "-q").stdout


def test_run_of_a_killed_process(oci, bundle, new_id):
    def of_host(config):
        config["linux"]["namespaces"] = [one for one in config["linux"]["namespaces"] if one["type"] != "pid"]

    assert oci("run", new_id(), bundle=bundle("sh", "-c", "kill -TERM $$; exit 5", change=of_host)).status == 143
    # The first process of a PID namespace is not ended by what it sends to itself.
    assert oci("run", new_id(), bundle=bundle("sh", "-c", "kill -TERM $$; exit 5")).status == 5
    assert oci("run", new_id(), bundle=bundle("sh", "-c", "sh -c 'kill -KILL $$'; exit $?")).status == 137


def test_run_keep(oci, bundle, new_id):
    name = new_id()
    oci("run", "--keep", name, bundle=bundle("true")).check()
    assert oci.status(name) == "stopped"
    oci("delete", name).check()


def test_run_detached(oci, bundle, new_id, scratch):
    name, pid_file = new_id(), scratch / "pid"
    null = subprocess.DEVNULL
    ran = subprocess.run(oci.words("run", "-d", "--pid-file", pid_file, name, bundle=bundle("sleep", "600")), stdin=null,
                         stdout=null, stderr=null, timeout=30)
    assert ran.returncode == 0
    assert oci.state(name)["pid"] == int(pid_file.read_text())


def test_run_passes_signals_on(oci, bundle, new_id):
    child = oci.start("run", new_id(), bundle=bundle("sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"))
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert child.returncode == 9


def test_stdin_is_the_containers(oci, bundle, new_id):
    assert oci("run", new_id(), bundle=bundle("cat"), stdin="hello").stdout == "hello"


def test_a_relative_bundle(oci, bundle, new_id):
    where = bundle("true")
    oci("run", new_id(), bundle=where.name, cwd=where.parent).check()
    oci("run", new_id(), cwd=where).check()


def test_another_config(oci, bundle, new_id):
    where = bundle("false")
    config = json.loads((where / "config.json").read_text())
    config["process"]["args"] = ["true"]
    (where / "other.json").write_text(json.dumps(config))
    oci("run", "--config", "other.json", new_id(), bundle=where).check()


# ---------------------------------------------------------------- words and states


def test_an_id_is_taken_once(oci, sleeper, bundle):
    ran = oci("create", sleeper, bundle=bundle("true"))
    assert ran.status == 1 and "container with given ID already exists" in ran.stderr
    assert oci.status(sleeper) == "running"


@pytest.mark.parametrize("wrong", ["", ".", "..", "a/b", "a b", "ä", "x" * 2000])
def test_ids(oci, bundle, wrong):
    ran = oci("create", wrong, bundle=bundle("true"))
    assert ran.status == 1 and "invalid container ID format" in ran.stderr
    assert oci("state", wrong).status == 1


@pytest.mark.parametrize("verb", ["start", "state", "kill", "delete", "exec", "ps", "pause", "resume", "update", "events"])
def test_unknown_containers(oci, verb):
    ran = oci(verb, "no-such-container", *(["true"] if verb == "exec" else []))
    assert ran.status == (255 if verb == "exec" else 1) and "does not exist" in ran.stderr


def test_forced_delete_of_what_is_not_there(oci):
    assert oci("delete", "--force", "no-such-container").status == 0


def test_start_twice(oci, sleeper):
    ran = oci("start", sleeper)
    assert ran.status == 1 and "cannot start an already running container" in ran.stderr


def test_start_of_a_stopped_one(oci, bundle, new_id):
    name = new_id()
    oci("run", "--keep", name, bundle=bundle("true")).check()
    ran = oci("start", name)
    assert ran.status == 1 and "stopped" in ran.stderr


def test_start_when_its_process_was_killed(oci, bundle, new_id):
    name = new_id()
    oci.create(name, bundle("sleep", "600"))
    os.kill(oci.state(name)["pid"], signal.SIGKILL)
    oci.until(name, "stopped")
    assert oci("start", name).status == 1


def test_delete_wants_a_stopped_one(oci, sleeper):
    ran = oci("delete", sleeper)
    assert ran.status == 1 and "not stopped" in ran.stderr
    assert oci.status(sleeper) == "running"
    oci("delete", "--force", sleeper).check()


def test_forced_delete_of_a_created_one(oci, bundle, new_id):
    name = new_id()
    oci.create(name, bundle("sleep", "600"))
    pid = oci.state(name)["pid"]
    oci("delete", "--force", name).check()
    assert not os.path.exists(f"/proc/{pid}/exe")


@pytest.mark.parametrize("word", ["KILL", "SIGKILL", "sigkill", "9"])
def test_signals_by_name_and_number(oci, sleeper, word):
    oci("kill", sleeper, word).check()
    oci.until(sleeper, "stopped")


def test_signals_that_are_none(oci, sleeper):
    for word in ("NOSUCH", "0x9", "999", "-9"):
        assert oci("kill", sleeper, word).status == 1
    assert oci.status(sleeper) == "running"


def test_the_default_signal_is_term(oci, bundle, new_id):
    name = new_id()
    oci.create(name, bundle("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"))
    oci("start", name).check()
    end = time.monotonic() + 10
    while oci.status(name) != "stopped" and time.monotonic() < end:  # the trap may come later than the first signal
        oci("kill", name)
        time.sleep(0.05)
    assert oci.status(name) == "stopped"


def test_kill_of_a_stopped_one(oci, bundle, new_id):
    name = new_id()
    oci("run", "--keep", name, bundle=bundle("true")).check()
    ran = oci("kill", name, "TERM")
    assert ran.status == 1 and "container not running" in ran.stderr


def test_kill_all(oci, bundle, new_id):
    name = new_id()
    oci.create(name, bundle("sh", "-c", "sleep 600 & sleep 600"))
    oci("start", name).check()
    oci("kill", "--all", name, "KILL").check()
    oci.until(name, "stopped")


TRAP = "trap 'echo got >>/proc/1/fd/1; exit' USR1; echo up >>/proc/1/fd/1; while :; do sleep 0.05; done"


def test_kill_all_without_a_control_group(oci, bundle, new_id):
    """The PID namespace tells whose processes they are; one that is shared tells nothing."""
    name = new_id()
    child = oci.start("run", name, bundle=bundle("sh", "-c", f'sh -c "{TRAP}" & {TRAP}'), flags=["--cgroup-manager", "disabled"])
    assert [child.stdout.readline() for _ in range(2)] == [b"up\n"] * 2
    oci("kill", "--all", name, "USR1").check()
    assert child.stdout.readline() == b"got\n"
    child.communicate(timeout=30)
    assert oci("state", name).status == 1

    def shared(config):
        config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "pid"]

    name = new_id()
    subprocess.run(oci.words("run", "--detach", name, bundle=bundle("sleep", "600", change=shared),
                             flags=["--cgroup-manager", "disabled"]),
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=60)
    ran = oci("kill", "--all", name, "TERM")
    assert ran.status == 1 and "nor a PID namespace of its own" in ran.stderr, ran
    oci("kill", name, "KILL").check()


# ---------------------------------------------------------------- what cannot be executed


def test_a_command_that_is_not_there(oci, bundle, new_id):
    ran = oci("create", new_id(), bundle=bundle("no-such-command"))
    assert ran.status == 1 and "executable file not found in $PATH" in ran.stderr
    assert "no-such-command" in ran.stderr


def test_a_command_that_may_not_be_executed(oci, bundle, new_id):
    ran = oci("create", new_id(), bundle=bundle("/etc/passwd"))
    assert ran.status == 1 and "permission denied" in ran.stderr


def test_a_config_that_is_not_there(oci, new_id, scratch):
    ran = oci("create", new_id(), bundle=scratch)
    assert ran.status == 1 and "config.json" in ran.stderr
    assert oci("create", new_id(), bundle=scratch / "none").status == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ociVersion":"1.0.0"}', '{"ociVersion":"2.0.0","root":{"path":"x"}}'])
def test_a_config_that_is_none(oci, new_id, scratch, text):
    (scratch / "config.json").write_text(text)
    assert oci("create", new_id(), bundle=scratch).status == 1


# ---------------------------------------------------------------- exec, ps, pause, update, events


def test_exec(oci, sleeper):
    ran = oci("exec", sleeper, "sh", "-c", "echo $0 $$; exit 5")
    assert (ran.status, ran.stderr) == (5, "") and ran.stdout.startswith("sh ")
    assert oci("exec", sleeper, "cat", stdin="fed").stdout == "fed"


def test_exec_joins_everything(oci, sleeper):
    pid = oci.state(sleeper)["pid"]
    seen = oci("exec", sleeper, "sh", "-c", "for n in ipc mnt net pid uts; do readlink /proc/self/ns/$n; done").stdout.split()
    assert seen == [os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("ipc", "mnt", "net", "pid", "uts")]
    group = open(f"/proc/{pid}/cgroup").read()
    assert "sleep" in oci("ps", sleeper).check().stdout and sleeper in group


def test_exec_flags(oci, sleeper):
    ran = oci("exec", "--cwd", "/tmp", "-e", "A=b", "--env", "C=d", "-u", "5:6", "-g", "7", sleeper, "sh", "-c",
              "pwd; echo $A$C; id -u; id -g; id -G").check()
    assert ran.stdout == "/tmp\nbd\n5\n6\n6 7\n"


def test_exec_of_a_process_file(oci, sleeper, scratch):
    process = {"args": ["sh", "-c", "echo $WORD; pwd; id -u; exit 4"], "cwd": "/tmp", "env": ["PATH=/usr/bin:/bin", "WORD=hi"],
               "user": {"uid": 9, "gid": 9}, "capabilities": {}}
    (scratch / "p.json").write_text(json.dumps(process))
    ran = oci("exec", "--process", scratch / "p.json", sleeper)
    assert (ran.status, ran.stdout) == (4, "hi\n/tmp\n9\n"), ran.stderr


def test_exec_detached(oci, sleeper, scratch):
    null = subprocess.DEVNULL
    words = oci.words("exec", "--detach", "--pid-file", scratch / "pid", sleeper, "sleep", "500")
    assert subprocess.run(words, stdin=null, stdout=null, stderr=null, timeout=30).returncode == 0
    pid = int((scratch / "pid").read_text())
    assert pid in json.loads(oci("ps", "--format", "json", sleeper).stdout)


def test_exec_that_cannot_be(oci, sleeper, bundle, new_id):
    ran = oci("exec", sleeper, "no-such-command")
    assert ran.status == 255 and "executable file not found in $PATH" in ran.stderr
    ran = oci("exec", sleeper, "/etc/passwd")
    assert ran.status == 255 and "permission denied" in ran.stderr
    assert oci("exec", sleeper).status == 255
    stopped = new_id()
    oci("run", "--keep", stopped, bundle=bundle("true")).check()
    ran = oci("exec", stopped, "true")
    assert ran.status == 255 and "stopped container" in ran.stderr


def test_pause_and_resume(oci, sleeper):
    assert "container not paused" in oci("resume", sleeper).stderr
    oci("pause", sleeper).check()
    assert oci.status(sleeper) == "paused"
    assert "not running" in oci("pause", sleeper).stderr
    ran = oci("exec", sleeper, "true")
    assert ran.status == 255 and "paused" in ran.stderr
    oci("resume", sleeper).check()
    assert oci.status(sleeper) == "running"
    oci("exec", sleeper, "true").check()


def test_a_paused_one_can_be_deleted(oci, sleeper):
    oci("pause", sleeper).check()
    oci("delete", "--force", sleeper).check()


def test_ps(oci, sleeper):
    pids = json.loads(oci("ps", "-f", "json", sleeper).check().stdout)
    assert pids == [oci.state(sleeper)["pid"]]
    table = oci("ps", sleeper).check().stdout.splitlines()
    assert "PID" in table[0] and str(pids[0]) in table[1] and len(table) == 2
    assert "sleep" in oci("ps", sleeper, "-o", "pid,comm").check().stdout


def test_list(oci, sleeper):
    assert sleeper in oci("list", "--quiet").stdout.split()
    row, = [one for one in json.loads(oci("list", "--format", "json").stdout) if one["id"] == sleeper]
    assert row["status"] == "running" and row["owner"] == "root" and row["created"].endswith("Z")
    head, *rows = oci("list").stdout.splitlines()
    assert head.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    assert any(line.startswith(sleeper) and " running " in line for line in rows)


def test_events(oci, sleeper):
    told = json.loads(oci("events", "--stats", sleeper).check().stdout)
    assert told["type"] == "stats" and told["id"] == sleeper
    assert set(told["data"]) == {"cpu", "memory", "pids", "blkio", "hugetlb", "intel_rdt"}
    child = oci.start("events", "--interval", "50ms", sleeper)
    assert json.loads(child.stdout.readline())["type"] == "stats"
    oci("kill", sleeper, "KILL").check()
    child.communicate(timeout=30)
    assert child.returncode == 0
    assert oci("events", "--interval", "soon", sleeper).status == 1


def test_update_has_no_share_of_a_cache_to_change(oci, sleeper):
    ran = oci("update", "--l3-cache-schema", "L3:0=f", sleeper)
    assert ran.status == 1 and "no resctrl group of its own" in ran.stderr, ran


def test_update_refuses_what_is_none(oci, sleeper, scratch):
    for words in (["--memory", "much"], ["--pids-limit", "x"], ["--resources", scratch / "none"], ["--cpuset-cpus", "a-b"]):
        assert oci("update", *words, sleeper).status == 1, words
    for text in ("{", '{"memory":{"limit":"1"}}', '{"pids":{"limit":1.5}}'):
        assert oci("update", "--resources", "-", sleeper, stdin=text).status == 1, text


# ---------------------------------------------------------------- about itself


def test_version(oci):
    first, second = oci("--version").check().stdout.splitlines()
    assert first.startswith("croft-oci version ") and second == "spec: 1.3.0"


def test_help(oci):
    text = oci("--help").check().stdout
    for verb in ("create", "start", "state", "kill", "delete", "run", "exec", "ps", "list", "pause", "resume", "update", "events",
                 "features", "spec", "checkpoint", "restore"):
        assert f"\n  {verb} " in text
        assert verb in oci(verb, "--help").check().stdout


@pytest.mark.parametrize("words", [["crate"], ["create"], ["create", "a", "b"], ["state", "--fast", "a"], ["kill"],
                                   ["list", "--format", "xml"], ["create", "--bundle"]])
def test_wrong_words(oci, words):
    ran = oci(*words)
    assert ran.status == 1 and ran.stderr.startswith("croft-oci: ")


@pytest.mark.parametrize("flags", [["--log-format", "xml"], ["--log-level", "loud"], ["--cgroup-manager", "none"], ["--nosuch"]])
def test_wrong_global_flags(oci, flags):
    assert oci("list", flags=flags).status == 1


def test_checkpoint_is_refused_politely(oci, sleeper):
    ran = oci("checkpoint", "--image-path", "/nowhere", "--leave-running", sleeper)
    assert ran.status == 1 and "not available" in ran.stderr
    assert oci.status(sleeper) == "running"
    assert oci("restore", "--image-path", "/nowhere", "other").status == 1


def test_spec(oci, scratch):
    assert oci("spec", cwd=scratch).check().stdout == ""
    json.loads((scratch / "config.json").read_text())
    again = oci("spec", cwd=scratch)
    assert again.status == 1 and "config.json" in again.stderr
    (scratch / "rootless").mkdir()
    oci("spec", "--rootless", "--bundle", scratch / "rootless").check()
    assert "uidMappings" in (scratch / "rootless/config.json").read_text()


def test_features(oci):
    told = json.loads(oci("features").check().stdout)
    assert told["ociVersionMax"].startswith("1.3") and "createRuntime" in told["hooks"]


@pytest.mark.parametrize("file, words", [("man/croft-oci.1", ["_man"]), ("completions/croft-oci.bash", ["_complete", "bash"]),
                                         ("completions/_croft-oci", ["_complete", "zsh"]),
                                         ("completions/croft-oci.fish", ["_complete", "fish"])])
def test_what_tools_generate_has_written(oci, file, words):
    assert (pathlib.Path(__file__).resolve().parents[2] / file).read_text() == oci(*words).check().stdout, "tools/generate"


# ---------------------------------------------------------------- the log


def test_log_as_json(oci, scratch):
    log = scratch / "log"
    ran = oci("state", "none", flags=["--log", log, "--log-format", "json"])
    line = json.loads(log.read_text())
    assert line["level"] == "error" and "does not exist" in line["msg"] and line["time"].endswith("Z")
    assert "does not exist" in ran.stderr
    oci("state", "none", flags=["--log", log, "--log-format", "json"])
    assert len(log.read_text().splitlines()) == 2


def test_log_as_text(oci, scratch):
    oci("state", "none", flags=["--log", scratch / "log"])
    assert "level=error" in (scratch / "log").read_text()


def without_net_raw():
    """In the child, before croft-oci: root has then every capability but this one."""
    PR_CAPBSET_DROP, CAP_NET_RAW = 24, 13
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0)


def wants_net_raw(config):
    for kind in ("bounding", "effective", "permitted"):
        config["process"]["capabilities"][kind] = ["CAP_KILL", "CAP_NET_RAW"]


def test_a_capability_that_cannot_be_granted_is_a_warning_in_the_log(oci, bundle, new_id, scratch):
    log = scratch / "log"
    ran = oci("run", new_id(), bundle=bundle("grep", "CapEff", "/proc/self/status", change=wants_net_raw),
              flags=["--log", log, "--log-format", "json"], preexec_fn=without_net_raw).check()
    assert ran.stdout.split() == ["CapEff:", f"{1 << 5:016x}"]
    line = json.loads(log.read_text())
    assert line["level"] == "warning" and "CAP_NET_RAW" in line["msg"] and ran.stderr == ""


def test_warnings_do_not_hide_an_error_in_the_log(oci, bundle, new_id, scratch):
    log = scratch / "log"
    log.write_text("of somebody else\n")
    ran = oci("run", new_id(), bundle=bundle("no-such-command", change=wants_net_raw),
              flags=["--log", log, "--log-format", "json"], preexec_fn=without_net_raw)
    assert ran.status == 1 and "CAP_NET_RAW" in ran.stderr and "executable file not found" in ran.stderr
    first, line = log.read_text().splitlines()
    assert first == "of somebody else" and "executable file not found" in json.loads(line)["msg"]
