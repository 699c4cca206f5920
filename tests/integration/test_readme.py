"""The README's tour, typed as a newcomer would: each line that needs no person at a terminal works, and prints what is shown."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What a person does in person, and what shows no end by itself.
BY_HAND = re.compile(r"croft run -it |croft shell |-f\b")


def blocks(heading):
    """The console blocks below a heading: lists of (command, lines shown below it)."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## )", (ROOT / "README.md").read_text(), re.M | re.S)[1]
    for block in re.findall(r"^```console\n(.*?)^```", section, re.M | re.S):
        commands = []
        for line in block.splitlines():
            if line.startswith("# "):
                commands.append((re.sub(r"\s{2,}# .*", "", line[2:]), []))
            else:
                commands[-1][1].append(line)
        yield commands


def like(shown):
    """A pattern for what is shown: numbers, with the unit of a time, and spaces may be others."""
    parts = re.split(r"(\d+(?:ms|s|min)?\b|\d+|\s+)", shown)
    number = r"\d+(?:ms|s|min)?"
    return "".join(number if part[:1].isdigit() else r"\s+" if part.isspace() else re.escape(part) for part in parts)


@pytest.fixture
def type_in(croft, scratch, copy_tree):
    places = {"/srv/app": copy_tree("app"), "/srv/debian": copy_tree("bookworm"), "/srv/data": scratch / "data"}
    places["/srv/data"].mkdir()
    (scratch / "site.conf").write_text("site\n")

    def type_in(command):
        for shown, path in places.items():
            command = re.sub(rf"{shown}(?![-\w])", str(path), command)
        environment = {**os.environ, "PATH": f"{croft.path.parent}:{os.environ['PATH']}"}
        ran = subprocess.run(["bash", "-c", command], cwd=scratch, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=240)
        output = ran.stdout
        for shown, path in places.items():
            output = output.replace(str(path), shown)
        return ran.returncode, output.splitlines()

    yield type_in
    croft("rm", "-qf", "web")


@pytest.mark.in_process("the words are a shell's")
def test_the_tour(type_in):
    typed = 0
    for block in blocks("A tour"):
        for command, shown in block:
            if BY_HAND.search(command):
                continue
            status, output = type_in(command)
            typed += 1
            fails = any("No such file" in line for line in shown)
            assert (status != 0) == fails, (command, status, output)
            for line in shown:
                assert any(re.search(like(line), said) for said in output), (command, line, output)
    assert typed >= 13
