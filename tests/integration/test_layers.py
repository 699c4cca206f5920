"""Who may include whom. The table in docs/architecture.md is the law; this reads every include line of src/ against it."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/architecture.md"
SOURCE = ROOT / "src"
ROW = re.compile(r"^\| `(\w+)/` \| (\d+) \| [^|]+ \| ([^|]+) \|$", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
SYSTEM_INCLUDE = re.compile(r"^\s*#\s*include\s+<([^>]+)>", re.M)


def read_table(text):
    """folder -> (layer, set of folders it may include)"""
    table = {}
    for folder, layer, allowed in ROW.findall(text):
        table[folder] = (int(layer), set(re.findall(r"\w+", allowed)) if allowed.strip() != "–" else set())
    return table


def wrong_includes(table, files):
    """Sentences about each include that the table does not allow; `files` is (path relative to src, text)."""
    wrong = []
    for path, text in files:
        folder = path.parts[0]
        for target in INCLUDE.findall(text):
            to = target.split("/")[0]
            if "/" not in target:
                wrong.append(f'{path}: "{target}" is not written as "folder/file.h"')
            elif to != folder and to not in table[folder][1]:
                wrong.append(f'{path}: {folder}/ must not include "{target}"')
    return wrong


def sources():
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in (".h", ".cc", ".c"):
            yield path.relative_to(SOURCE), path.read_text()


@pytest.fixture(scope="module")
def table():
    return read_table(PAGE.read_text())


def test_table_and_folders_agree(table):
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and any(path.rglob("*.*"))}
    assert folders == set(table)


def test_arrows_point_down(table):
    upward = [f"{folder} -> {to}" for folder, (layer, allowed) in table.items() for to in allowed if table[to][0] >= layer]
    assert upward == []


def test_includes_obey_the_table(table):
    assert wrong_includes(table, sources()) == []


def test_the_check_sees_an_upward_include(table):
    bad = [(pathlib.Path("plan/x.cc"), '#include "plan/planner.h"\n#include "kernel/mount.h"\n'),
           (pathlib.Path("base/y.h"), '  #  include "spec/fields.h"\n#include "fd.h"\n')]
    assert wrong_includes(table, bad) == [
        'plan/x.cc: plan/ must not include "kernel/mount.h"',
        'base/y.h: base/ must not include "spec/fields.h"',
        'base/y.h: "fd.h" is not written as "folder/file.h"',
    ]


def test_nothing_heavy_gets_into_the_static_programs():
    """The hot programs are static and small: streams, locales, regexes and std::filesystem would be half of them."""
    heavy = {"iostream", "fstream", "sstream", "ostream", "istream", "iomanip", "locale", "regex", "filesystem"}
    found = [f"{path}: <{name}>" for path, text in sources() for name in SYSTEM_INCLUDE.findall(text) if name in heavy]
    assert found == []


def test_libraries_that_throw_stay_in_one_file():
    users = {str(path) for path, text in sources() if "<nlohmann/" in text or "<boost/" in text}
    assert users == {"format/json_document.cc"}
