"""Wrong command lines: each gets one sentence on standard error that names the object, and the right exit status."""

import pytest

# (words, exit status, the sentence)
WRONG = [
    ("bot", 2, "croft: 'bot' is no verb of croft (did you mean 'boot'?); `croft help` lists them"),
    ("--foo list", 2, "croft: '--foo' is no option of croft itself (--help, --version, --debug, --system); options of a verb stand "
                      "behind it: croft run --name=web …"),
    ("help bot", 3, "croft: 'bot' is no verb of croft; `croft help` lists them"),
    ("explain memroy", 3, "croft: no setting is called 'memroy' (did you mean 'memory'?); `croft explain` lists them"),
    ("list --jsno", 2, "croft: unknown option --jsno (did you mean --json?); `croft help list` lists the options"),
    ("run --memry=5 /x", 125, "croft: unknown option --memry (did you mean --memory?); `croft help run` lists the options"),
    ("run --memory=12X /x", 125, "croft: --memory: '12X' is no size (512M, 2G, infinity, …)"),
    ("run -m 12X /x", 125, "croft: -m: '12X' is no size (512M, 2G, infinity, …)"),
    ("boot --init /x", 125, "croft: --init is an option of 'croft run' only"),
    ("run --name", 125, "croft: --name needs a value (NAME)"),
    ("run", 125, "croft: run needs a tree: a directory, or a name in /var/lib/machines (croft run [OPTIONS] TREE [COMMAND "
                 "[ARGUMENT…]])"),
    ("run no-such-tree-here true", 125, "croft: there is no tree 'no-such-tree-here' in /var/lib/machines; a path has a slash "
                                        "in it"),
    ("boot --ready-timeout=soon /x", 125, "croft: --ready-timeout: 'soon' is no time (10s, 2min, infinity)"),
    ("run --settings=maybe /x", 125, "croft: --settings: 'maybe' is none of yes, override, trusted, no"),
    ("plan", 2, "croft: plan needs the command whose plan it shall show: croft plan run TREE …, or croft plan boot TREE …"),
    ("plan list", 2, "croft: plan needs the command whose plan it shall show: croft plan run TREE …, or croft plan boot TREE …"),
    ("stop", 2, "croft: stop needs the name of a machine (croft stop [OPTIONS] NAME…)"),
    ("stop --all web", 2, "croft: stop takes --all or names, not both"),
    ("stop --timeout=x web", 2, "croft: --timeout: 'x' is no time (10s, 2min, infinity)"),
    ("rm --all web", 2, "croft: rm takes --all or names, not both"),
    ("logs a b", 2, "croft: logs: 'b' is too much (croft logs [OPTIONS] NAME)"),
    ("logs -n many a", 2, "croft: --lines: 'many' is no number (10)"),
    ("exec web", 125, "croft: what shall be run in 'web'? (croft exec NAME COMMAND…; `croft shell NAME` logs in)"),
    ("exec -t web true", 125, "croft: --tty needs a terminal, but standard input is none"),
    ("exec -td web true", 125, "croft: --tty and --detach exclude each other: nobody would be at the terminal"),
    ("exec -e =x web true", 125, "croft: --env: '=x' is no NAME=VALUE"),
    ("shell web", 125, "croft: croft shell needs a terminal, but standard input is none"),
    ("cp a", 2, "croft: cp needs more (croft cp SOURCE TARGET)"),
    ("cp a b", 2, "croft: one side must be inside a machine, written NAME:PATH (croft cp web:/etc/hosts .)"),
    ("cp web:/a web:/b", 2, "croft: both sides are inside a machine; copy through a path here"),
    ("cp web:a b", 2, "croft: 'web:a': a path inside is absolute"),
    ("bind web /tmp tmp", 2, "croft: 'tmp': a path inside is absolute"),
    ("kill --whom=some web", 2, "croft: --whom: 'some' is neither leader nor all"),
    ("_complete csh", 2, "croft: no completion for 'csh' (bash, zsh, fish)"),
]


@pytest.mark.parametrize("words, status, sentence", WRONG, ids=[words for words, *_ in WRONG])
def test_sentence_and_status(croft, words, status, sentence):
    ran = croft(*words.split())
    assert (ran.stderr, ran.status, ran.stdout) == (sentence + "\n", status, "")


@pytest.mark.parametrize("verb", ["show", "stop", "logs", "wait", "pause", "resume", "poweroff", "reboot", "kill", "rm"])
def test_a_machine_that_does_not_exist(croft, verb):
    ran = croft(verb, "no-such-machine")
    assert ran.status == (125 if verb == "wait" else 3)
    assert "no-such-machine" in ran.stderr and len(ran.stderr.splitlines()) == 1


def test_forced_removal_of_what_is_not_there_is_fine(croft):
    assert croft("rm", "--force", "no-such-machine").status == 0


def test_every_failure_of_several_names_is_told(croft):
    ran = croft("stop", "no-such-a", "no-such-b")
    assert ran.status == 3 and "no-such-a" in ran.stderr and "no-such-b" in ran.stderr


def test_a_directory_here_is_no_name(croft, tmp_path):
    (tmp_path / "debian-here").mkdir()
    ran = croft("run", "debian-here", "true", cwd=tmp_path)
    assert ran.stderr == ("croft: there is no tree 'debian-here' in /var/lib/machines; for the one in this directory write "
                          "'./debian-here'\n")


def test_closed_standard_streams_do_no_harm(croft):
    """A caller may close them; no file that croft opens may then stand in for one."""
    import subprocess
    ran = subprocess.run(["sh", "-c", f"exec {croft.path} list --json >&- 2>&- <&-"], timeout=30)
    assert ran.returncode in (0, 1)


def test_a_reader_that_goes_away_is_no_error(croft):
    import subprocess
    ran = subprocess.run(["bash", "-c", f"{croft.path} explain --json | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}"],
                         capture_output=True, text=True, timeout=30)
    assert ran.stdout.strip() in ("0", "141") and ran.stderr == ""
