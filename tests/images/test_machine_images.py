"""Machines whose root is an image of the store: throwaway and kept, cloned, taken back, made anew."""

import json
import os

import pytest
from harness.images import HandMade, files_layer, tree_layer
from harness.machines import shown, state, until

pytestmark = [pytest.mark.in_process("the store is looked into from here"),
              pytest.mark.skipif(os.geteuid() != 0, reason="layers with whiteouts are made by root")]


@pytest.fixture
def store(scratch, monkeypatch, tree):
    """A store of the test's own with the image "demo": a tree, and a layer that adds, replaces and removes."""
    state_directory = scratch / "state"
    monkeypatch.setenv("CROFT_STATE_DIR", str(state_directory))
    made = HandMade(state_directory)

    def base(target):
        tree_layer(tree("app"))(target)
        (target / "etc/removed").write_text("below")
        (target / "etc/replaced").write_text("below")
    made.base = made.layer(base)
    made.top = made.layer(files_layer({"etc/replaced": "above", "etc/added": "above", "srv/data/file": "data"}, ["etc/removed"]))
    made.image("demo", [made.base, made.top], Env=["GREETING=hello", "bad name=x"], WorkingDir="/srv",
               Cmd=["/bin/sh", "-c", "echo $GREETING from $PWD"])
    return made


@pytest.fixture
def declared(croft, config, store, machine):
    """A machine of that image, which runs a program that waits."""
    name = machine()
    croft("create", name, "--image=demo", "--", "/bin/sleep", "1000").check()
    yield name
    croft("stop", "--now", name)
    croft("rm", "--config", "--tree", "--quiet", name)


def inside(croft, name, line):
    """Runs a shell's line in the machine's own root, and returns what it says."""
    return croft("run", name, "/bin/sh", "-c", line).check().stdout


# ---------------------------------------------------------------- run


def test_layers_lie_over_each_other(croft, store):
    ran = croft("run", "demo", "/bin/sh", "-c", "cat /etc/replaced /etc/added; ls /etc/removed 2>&1 || echo gone; stat -c %u /etc").check()
    assert ran.stdout.startswith("aboveabove") and "gone" in ran.stdout and ran.stdout.endswith("0\n"), ran


def test_what_the_image_says_of_its_process_is_a_default(croft, store):
    assert croft("run", "demo").check().stdout == "hello from /srv\n"
    ran = croft("run", "--env=GREETING=bye", "--workdir=/tmp", "demo").check()
    assert ran.stdout == "bye from /tmp\n"


def test_an_entry_point_stands_before_the_command(croft, store):
    store.image("echo:1", [store.base], Entrypoint=["/bin/echo", "entry"], Cmd=["default"], User="1:1")
    assert croft("run", "echo:1").check().stdout == "entry default\n"
    assert croft("run", "echo:1", "given").check().stdout == "entry given\n"
    assert croft("run", "--user=0", "echo:1").status == 0


def test_nothing_of_a_throwaway_run_stays(croft, store):
    before = sorted(os.listdir(store.path / "layers"))
    croft("run", "demo", "/bin/sh", "-c", "echo x >/etc/added; rm /etc/replaced; mkdir /new").check()
    assert croft("run", "demo", "/bin/sh", "-c", "cat /etc/added; ls -d /new || true").check().stdout == "above"
    assert sorted(os.listdir(store.path / "layers")) == before
    assert os.listdir(store.path / "uses") == []


def test_an_image_may_have_very_many_layers(croft, store):
    layers = [store.base, *(store.layer(files_layer({f"etc/layer-{n}": str(n), "etc/last": str(n)})) for n in range(110))]
    store.image("tall", layers)
    ran = croft("run", "tall", "/bin/sh", "-c", "ls /etc | grep -c layer-; cat /etc/last")
    if "6.5" in ran.stderr:
        pytest.skip("this kernel takes few layers")
    assert ran.check().stdout == "110\n109"


def test_read_only_has_no_upper(croft, store):
    ran = croft("run", "--read-only", "demo", "/bin/sh", "-c", "cat /etc/added; touch /etc/x")
    assert ran.status != 0 and ran.stdout == "above" and "ead-only" in ran.stderr, ran
    assert os.listdir(store.path / "uses") == []


def test_many_may_run_on_one_image(croft, store, machine):
    names = [machine() for _ in range(3)]
    for name in names:
        croft("run", "-d", f"--name={name}", "demo", "/bin/sleep", "1000").check()
    assert [state(croft, name) for name in names] == ["running"] * 3
    assert sorted(os.listdir(store.path / "uses")) == sorted(names)
    assert shown(croft, names[0])["root"].startswith("image demo (")


@pytest.mark.parametrize("word, said", [
    ("no-such-image:1", "there is no tree 'no-such-image:1'"),
    ("sha256:12", "there is no tree 'sha256:12'"),
    ("./no/such", "there is no tree"),
])
def test_what_is_neither_tree_nor_image(croft, store, word, said):
    ran = croft("run", word, "true")
    assert ran.status == 125 and said in ran.stderr, ran


def test_an_incomplete_image_says_what_to_do(croft, store):
    store.image("half", [store.base, "sha256:" + "0" * 64])
    ran = croft("run", "half", "true")
    assert ran.status == 125 and "incomplete" in ran.stderr and "image pull" in ran.stderr, ran


def test_a_store_of_another_version_is_refused(croft, store):
    (store.path / "version").write_text("7\n")
    ran = croft("run", "demo", "true")
    assert ran.status == 125 and "format '7'" in ran.stderr, ran


# ---------------------------------------------------------------- machines of their own


def test_a_declared_machine_keeps_what_it_writes(croft, declared, store):
    assert inside(croft, declared, "echo mine >/etc/added; cat /etc/added") == "mine\n"
    assert inside(croft, declared, "cat /etc/added") == "mine\n"
    assert (store.path / "machines" / declared / "upper/etc/added").read_text() == "mine\n"
    assert os.stat(store.path / "machines" / declared / "upper/etc/added").st_uid == 0, "ids as the image has them"
    assert croft("run", "demo", "cat", "/etc/added").check().stdout == "above"


def test_it_starts_by_its_file(croft, declared):
    croft("start", declared).check()
    assert state(croft, declared) == "running"
    about = shown(croft, declared)["root"]
    assert about.startswith("image demo (") and about.endswith("an overlay over 2 layers and its own files"), about
    croft("stop", "--now", declared).check()


def test_a_new_image_of_the_name_changes_nothing_until_rebuild(croft, declared, store):
    inside(croft, declared, "echo mine >/etc/added; echo kept >/srv/data/file; echo lost >/srv/lost")
    newer = store.layer(files_layer({"etc/added": "newer", "srv/data/other": "new", "etc/removed": "again"}))
    store.image("demo", [store.base, newer])
    assert inside(croft, declared, "cat /etc/added") == "mine\n"
    croft("rebuild", "--keep=/srv/data", declared).check()
    assert inside(croft, declared, "cat /etc/added /etc/removed; ls /srv /srv/data; cat /srv/data/file") == (
        "neweragain/srv:\ndata\n\n/srv/data:\nfile\nkept\n")


def test_what_is_kept_may_lie_in_each_other(croft, declared):
    inside(croft, declared, "mkdir -p /srv/a/b /srv/a-b; echo 1 >/srv/a/b/x; echo 2 >/srv/a-b/x; echo 3 >/srv/a/x")
    croft("rebuild", "--keep=/srv/a", "--keep=/srv/a-b", "--keep=/srv/a/b/", declared).check()
    assert inside(croft, declared, "cat /srv/a/b/x /srv/a-b/x /srv/a/x") == "1\n2\n3\n"


@pytest.mark.parametrize("keep, said", [("relative", "absolute"), ("/../etc", "absolute"), ("/", "absolute"), ("/etc/added", "no directory"),
                                        ("/etc/link/x", "symbolic link")])
def test_rebuild_refuses_paths_that_are_none(croft, declared, keep, said):
    inside(croft, declared, "ln -sfn / /etc/link")
    ran = croft("rebuild", f"--keep={keep}", declared)
    assert ran.status != 0 and said in ran.stderr, ran
    assert inside(croft, declared, "cat /etc/added") == "above", "it is as it was"


def test_clone_shares_and_goes_its_own_way(croft, config, declared, store, machine):
    other = machine()
    inside(croft, declared, "mkdir -p /etc/ssh; echo 0123 >/etc/machine-id; echo key >/etc/ssh/ssh_host_rsa_key; echo both >/etc/both")
    croft("clone", declared, other).check()
    assert inside(croft, other, "cat /etc/both; cat /etc/machine-id; ls /etc/ssh") == "both\n"
    assert inside(croft, declared, "cat /etc/machine-id; ls /etc/ssh") == "0123\nssh_host_rsa_key\n"
    inside(croft, other, "echo other >/etc/both")
    assert inside(croft, declared, "cat /etc/both") == "both\n"
    croft("rm", "--config", "--tree", other).check()
    assert inside(croft, declared, "cat /etc/both") == "both\n"


def test_an_exact_clone_keeps_the_identity(croft, config, declared, machine):
    other = machine()
    inside(croft, declared, "echo 0123 >/etc/machine-id")
    croft("clone", "--exact", declared, other).check()
    assert inside(croft, other, "cat /etc/machine-id") == "0123\n"
    croft("rm", "--config", "--tree", other).check()


def test_a_running_machine_can_be_cloned(croft, config, declared, machine):
    other = machine()
    croft("start", declared).check()
    croft("exec", declared, "/bin/sh", "-c", "echo now >/etc/now; rm /etc/replaced").check()
    croft("clone", declared, other).check()
    assert state(croft, declared) == "running"
    assert inside(croft, other, "cat /etc/now; ls /etc/replaced 2>/dev/null || echo gone") == "now\ngone\n"
    croft("exec", declared, "/bin/sh", "-c", "cat /etc/now").check()
    croft("rm", "--config", "--tree", other).check()


def test_clone_takes_no_name_that_is_taken(croft, declared):
    ran = croft("clone", declared, declared)
    assert ran.status != 0 and "declared already" in ran.stderr, ran


def test_snapshots_come_back(croft, declared, store):
    inside(croft, declared, "echo one >/etc/state")
    croft("snapshot", declared, "first").check()
    inside(croft, declared, "echo two >/etc/state; rm /etc/added")
    croft("snapshot", declared, "second").check()
    croft("restore", declared, "first").check()
    assert inside(croft, declared, "cat /etc/state /etc/added") == "one\nabove"
    croft("restore", declared, "second").check()
    assert inside(croft, declared, "cat /etc/state; ls /etc/added 2>/dev/null || echo gone") == "two\ngone\n"
    assert [each["name"] for each in json.loads(croft("snapshot", "--list", "--json", declared).check().stdout)] == ["first", "second"]
    ran = croft("restore", declared, "third")
    assert ran.status != 0 and "there are: first, second" in ran.stderr, ran
    croft("snapshot", "--remove", declared, "first").check()
    assert croft("restore", declared, "first").status != 0
    assert "has a snapshot 'second' already" in croft("snapshot", declared, "second").stderr


def test_what_changed_is_listed(croft, declared):
    inside(croft, declared, "echo x >/etc/added; echo y >/etc/mine; rm /etc/replaced; mkdir -p /opt/deep; touch /opt/deep/er")
    ran = croft("diff", "--files", declared)
    assert ran.status == 1
    lines = ran.stdout.splitlines()
    for expected in ("C /etc/added", "A /etc/mine", "D /etc/replaced", "A /opt/deep", "A /opt/deep/er"):
        assert expected in lines, ran.stdout
    croft("snapshot", declared, "s").check()
    assert croft("diff", "--files", declared).stdout.splitlines() == lines, "what is sealed is still the machine's"


def test_a_running_machine_is_not_changed_under_its_feet(croft, declared):
    croft("snapshot", declared, "before").check()
    croft("start", declared).check()
    for words in (["snapshot", declared, "s"], ["restore", declared, "s"], ["rebuild", declared], ["rm", "--config", "--tree", declared]):
        ran = croft(*words)
        assert ran.status != 0 and "running" in ran.stderr, ran
    assert [each["name"] for each in json.loads(croft("snapshot", "--list", "--json", declared).check().stdout)] == ["before"]


def test_rename_takes_the_root_along(croft, config, declared, machine):
    inside(croft, declared, "echo mine >/etc/mine")
    other = machine()
    croft("rename", declared, other).check()
    assert inside(croft, other, "cat /etc/mine") == "mine\n"
    croft("snapshot", other, "s").check()
    inside(croft, other, "rm /etc/mine")
    croft("rename", other, declared).check()
    croft("restore", declared, "s").check()
    assert inside(croft, declared, "cat /etc/mine") == "mine\n", "its snapshots came along"


def test_rename_leaves_all_as_it_was_where_it_fails(croft, config, declared, store, machine):
    inside(croft, declared, "echo mine >/etc/mine")
    other = machine()
    croft("create", other, "--image=demo", "--", "true").check()
    croft("rm", "--config", other).check()  # its files stay
    ran = croft("rename", declared, other)
    assert ran.status != 0 and "prune --machines" in ran.stderr, ran
    assert [path.name for path in config.iterdir()] == [f"{declared}.machine"]
    assert inside(croft, declared, "cat /etc/mine") == "mine\n"


def test_a_machine_without_its_image(croft, config, machine, store):
    ran = croft("create", machine(), "--image=nothing")
    assert ran.status != 0 and "there is no image 'nothing'" in ran.stderr, ran
    assert list(config.iterdir()) == []


def test_image_and_directory_exclude_each_other(croft, config, machine, store):
    ran = croft("create", machine(), "--image=demo", "--directory=/srv")
    assert ran.status != 0 and "--image" in ran.stderr, ran


def test_removal_returns_at_once_and_takes_all(croft, config, store, machine):
    name = machine()
    croft("create", name, "--image=demo", "--", "true").check()
    inside(croft, name, "for i in 1 2 3 4 5 6 7 8 9; do mkdir -p /srv/$i/$i; done")
    croft("rm", "--config", "--tree", name).check()
    assert not (store.path / "machines" / name).exists()
    assert until(lambda: os.listdir(store.path / "trash") == [])
