"""What croft says about itself: help, explain, version, completion and manual come from the same tables."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERBS = ("run boot start plan create edit set unset cat diff rename clone-config clone snapshot restore rebuild verify list show "
         "events logs wait exec shell attach cp bind unbind stop poweroff reboot kill pause resume rm doctor explain help version").split()
VERBS += [f"image {verb}" for verb in ("copy inspect list-tags delete sync login logout import bootstrap pull push export commit list tag "
                                       "rename rm prune df history mount umount verify").split()]
GENERATED = {"bash": "completions/croft.bash", "zsh": "completions/_croft", "fish": "completions/croft.fish"}


@pytest.fixture(scope="module")
def fields(croft):
    return json.loads(croft("explain", "--json").check().stdout)


def test_version(croft):
    by_option, by_verb = croft("--version").check(), croft("version").check()
    assert re.fullmatch(r"croft \d+\.\d+\.\d+\n", by_option.stdout)
    assert by_verb.stdout == by_option.stdout


def test_help_lists_every_verb_once(croft):
    text = croft("help").check().stdout
    assert sorted(re.findall(r"^  ((?:image )?[a-z-]+)  ", text, re.M)) == sorted(VERBS)
    assert croft("--help").stdout == text and croft().stdout == text
    assert not re.search(r"^  _", text, re.M), "hidden verbs are hidden"


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_and_an_example(croft, verb):
    by_help = croft("help", *verb.split()).check().stdout
    assert croft(*verb.split(), "--help").check().stdout == by_help
    assert by_help.startswith(f"croft {verb}")
    assert f"  croft {verb}" in by_help.split("\nExample:\n")[1]
    assert max(map(len, by_help.splitlines())) <= 100, "too wide for a terminal"


def test_help_wraps_to_eighty_columns_outside_a_terminal(croft):
    prose = croft("help", "run").stdout.split("\nExample:")[0]
    assert max(map(len, prose.splitlines())) <= 80


def test_aliases_are_the_verb(croft):
    for alias, verb in {"ls": "list", "ps": "list", "inspect": "show", "unpause": "resume", "image tags": "image list-tags"}.items():
        assert croft("help", *alias.split()).check().stdout == croft("help", *verb.split()).stdout


def test_a_noun_tells_its_verbs(croft):
    text = croft("image", "--help").check().stdout
    assert re.search(r"^  image copy  ", text, re.M) and croft("help", "image").check().stdout == text
    for words, told in ((["image"], "croft image --help"), (["image", "copi"], "did you mean 'image copy'"), (["image", "--quiet"], "options behind that")):
        ran = croft(*words)
        assert ran.status == 2 and told in ran.stderr, ran


def test_every_option_of_the_field_table_is_in_help(croft, fields):
    text = croft("help", "run").stdout + croft("help", "boot").stdout
    missing = [f["option"] for f in fields if f["option"] and f["option"] not in text]
    assert missing == []


def test_explain_knows_each_field_by_all_its_names(croft, fields):
    assert len(fields) > 80
    for field in fields:
        assert field["help"] and field["doc"], f"{field['name']} is not explained"
    for name in ("memory", "--memory", "-m", "MemoryMax", "Resources.MemoryMax"):
        text = croft("explain", name).check().stdout
        assert text.startswith("memory: ") and "[Resources] MemoryMax=" in text and "--memory=512M" in text


def test_explain_lists_every_field(croft, fields):
    text = croft("explain").check().stdout
    assert [f["name"] for f in fields if not re.search(rf"^  {f['name']}\s", text, re.M)] == []


def test_explain_tells_options_of_verbs_too(croft):
    assert "croft run --detach: " in croft("explain", "--detach").check().stdout


def test_examples_of_fields_parse(croft, fields, tmp_path):
    """Each example of an option is a word that croft itself takes (a value that is wrong would be named)."""
    wrong = []
    for field in fields:
        if not field["option"] or not field["example"].startswith("-"):
            continue
        verb = "run" if field["option"] in croft("help", "run").stdout else "boot"
        said = croft("plan", verb, *field["example"].split(), str(tmp_path / "no-tree")).stderr
        if field["option"] in said and "No such file" not in said:
            wrong.append((field["example"], said))
    assert wrong == []


@pytest.mark.parametrize("shell", GENERATED)
def test_committed_completion_is_what_croft_prints(croft, shell):
    assert (ROOT / GENERATED[shell]).read_text() == croft("_complete", shell).check().stdout, (
        f"croft _complete {shell} > {GENERATED[shell]}")


def test_committed_manual_is_what_croft_prints(croft):
    assert (ROOT / "man/croft.1").read_text() == croft("_man").check().stdout, "croft _man > man/croft.1"


@pytest.mark.parametrize("shell", GENERATED)
def test_completion_is_valid_shell(shell):
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([program, "-n", ROOT / GENERATED[shell]], check=True)


def test_manual_has_no_troff_mistakes(tmp_path):
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    ran = subprocess.run(["groff", "-man", "-Tutf8", "-wall", "-Wbreak", ROOT / "man/croft.1"], capture_output=True, text=True)
    assert ran.returncode == 0 and ran.stderr == ""
    assert "EXIT STATUS" in re.sub(".\b", "", ran.stdout)


def bash_completes(line, croft, tmp_path):
    """The words that bash offers at the end of a command line."""
    (tmp_path / "croft").symlink_to(croft.path)
    script = f"""
        PATH={tmp_path}:$PATH
        . {ROOT / GENERATED["bash"]}
        compopt() {{ :; }}
        COMP_WORDS=({line}); [[ {line!r} == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _croft
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ran = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout.split()


@pytest.mark.parametrize("line, offered", [
    ("croft bo", ["boot"]),
    ("croft run --priv", ["--private-users-ownership=", "--private-network", "--private-users"]),
    ("croft run --volatile = o", ["overlay"]),
    ("croft kill --whom ", ["leader", "all"]),
    ("croft plan b", ["boot"]),
    ("croft explain memory-h", ["memory-high"]),
    ("croft help lo", ["logs"]),
    ("croft ima", ["image"]),
    ("croft image list-", ["list-tags"]),
    ("croft image copy --digest", ["--digestfile="]),
    ("croft image copy --multi-arch = in", ["index-only"]),
])
def test_bash_offers(croft, tmp_path, line, offered):
    assert sorted(bash_completes(line, croft, tmp_path)) == sorted(offered)


def test_bash_leaves_the_payload_alone(croft, tmp_path):
    assert bash_completes("croft run /x ls --priv", croft, tmp_path) == []


@pytest.mark.parametrize("line, offered", [
    ("croft bo", "boot"),
    ("croft run --volatile=o", "--volatile=overlay"),
    ("croft plan b", "boot"),
    ("croft plan boot --eph", "--ephemeral"),
    ("croft ima", "image"),
    ("croft image list-", "list-tags"),
    ("croft image copy --digest", "--digestfile"),
])
def test_fish_offers(line, offered):
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    ran = subprocess.run(["fish", "--no-config", "-c", f"source {ROOT / GENERATED['fish']}; complete -C '{line}'"],
                         capture_output=True, text=True)
    assert ran.stderr == "" and offered in ran.stdout.split()


def command_lines(text):
    """Every `croft VERB …` in code of a page, without its comment."""
    for line in text.splitlines():
        for command in re.findall(r"(?:^|[ `$#])(croft [a-z][^`|]*)", line.split("  #")[0]):
            yield command.split("$(")[0].split(" #")[0].split("&&")[0].split(";")[0].strip()


PAGES = ["README.md", "docs/architecture.md", "docs/cli.md", "docs/disk-images.md", "docs/images.md", "docs/registries.md"]


@pytest.mark.parametrize("page", PAGES + VERBS)
def test_commands_that_are_shown_exist(croft, page):
    """A page that shows a verb or an option which croft does not have is worse than none."""
    if page in PAGES:
        parts = re.findall(r"```(?:sh|console)?\n(.*?)```|`(croft [^`]+)`", (ROOT / page).read_text(), re.S)
        text = "\n".join(block or inline for block, inline in parts)
    else:
        text = croft("help", *page.split()).stdout.split("\nExample:\n")[1].split("\nOptions:\n")[0]
    shown = list(command_lines(text))
    assert shown, "no command found"
    for command in shown:
        verb, *words = command.split()[1:]
        if verb == "image":
            verb = f"image {words.pop(0)}"
        if verb.startswith("_") or verb in ("VERB", "SHELL"):
            continue
        known = croft("help", *verb.split())
        assert known.status == 0, command
        if verb == "explain":
            assert words[:1] in ([], ["FIELD"], ["OPTION"]) or croft("explain", words[0]).status == 0, command
            continue
        # Behind the tree, or the machine of exec, options are the payload's.
        for word in words:
            if not word.startswith("-"):
                if verb in ("run", "boot", "exec"):
                    break
                continue
            name = word.split("=")[0]
            listed = known.stdout + (croft("help", words[0]).stdout if verb == "plan" and words else "")
            for option in [name] if name.startswith("--") else [f"-{letter}," for letter in name[1:]]:
                assert option in listed, f"{command}: {option}"
