"""What is installed, and what the packages say of it: one list for all, and a template that does what the planner plans."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CROFT_BUILD", ROOT / "build"))
SPEC = ROOT / "packaging/rpm/croft.spec"
# What the file of a machine decides: croft-generator writes it beside the template.
DECIDED = {"RequiresMountsFor", "KillSignal", "TimeoutStopSec", "Slice"}


@pytest.fixture(scope="module")
def installed():
    """file in the checkout or the build -> where `meson install` puts it"""
    shown = subprocess.run(["meson", "introspect", "--installed", BUILD], stdout=subprocess.PIPE, check=True)
    return {pathlib.Path(source): target for source, target in json.loads(shown.stdout).items()}


def settings_of(text):
    section, out = "", []
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            out.append((section, *line.split("=", 1)))
    return out


def test_the_template_is_what_the_planner_plans():
    """Both ways: a setting of the one alone would make declared machines differ from others."""
    text = (ROOT / "units/croft@.service.in").read_text().replace("@LIBEXECDIR@", "/usr/libexec/croft").replace("%i", "web")
    template = [each for each in settings_of(text) if each[0] != "Install"]
    plan = json.loads((ROOT / "tests/unit/plan/golden/boot-in-unit.json").read_text())["unit"]
    planned = [("Unit", *each) for each in plan["unit"]] + [("Service", *each) for each in plan["service"]]
    assert {each for each in template if each[1] not in DECIDED} == {each for each in planned if each[1] not in DECIDED}


def test_units_say_what_systemd_understands(installed, scratch):
    units = [source for source, target in installed.items() if "/systemd/system/" in target]
    assert {"croft.target", "croft@.service"} <= {unit.name for unit in units}
    for unit in units:
        # The programs are not installed here; those of the build stand in for them.
        text = unit.read_text()
        for source, target in installed.items():
            text = re.sub(re.escape(target) + r"(?=\s)", str(source), text)
        (scratch / unit.name.replace("@.", "@web.")).write_text(text)
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", *scratch.iterdir()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         env={**os.environ, "SYSTEMD_UNIT_PATH": f"{scratch}:"})
    assert [line for line in ran.stdout.splitlines() if "croft" in line] == []
    assert ran.returncode == 0, ran.stdout


def test_directories_are_made_with_their_owners(scratch):
    subprocess.run(["systemd-tmpfiles", "--create", f"--root={scratch}", ROOT / "units/croft.conf"], check=True)
    modes = {path: oct((scratch / path).stat().st_mode & 0o7777) for path in ("run/croft", "etc/croft/machines", "var/lib/machines")}
    assert modes == {"run/croft": "0o755", "etc/croft/machines": "0o755", "var/lib/machines": "0o700"}


def expanded_spec():
    """The list of files in the RPM, as paths below /usr/local."""
    places = {"_bindir": "/bin", "_libexecdir": "/libexec", "_unitdir": "/lib/systemd/system", "_userunitdir": "/lib/systemd/user", "_tmpfilesdir": "/lib/tmpfiles.d",
              "_systemdgeneratordir": "/lib/systemd/system-generators", "_datadir": "/share", "_docdir": "/share/doc", "_mandir": "/share/man",
              "name": "croft"}
    lines = SPEC.read_text().split("\n%files\n")[1].split("\n%changelog")[0].splitlines()
    for line in lines:
        if line and not line.startswith(("%license", "%dir")):
            yield "/usr/local" + re.sub(r"%\{(\w+)\}", lambda found: places[found[1]], line.removeprefix("%doc ")).removesuffix("*")


def test_the_rpm_lists_all_that_is_installed(installed):
    listed = set(expanded_spec())
    unlisted = [target for target in installed.values() if not any(target == each or target.startswith(each + "/") for each in listed)]
    gone = [each for each in listed if not any(target == each or target.startswith(each + "/") for target in installed.values())]
    assert (unlisted, gone) == ([], [])


def test_packages_have_the_version_of_the_program(croft):
    version = croft("--version").check().stdout.split()[1]
    for file, said in {"rpm/croft.spec": f"\nVersion: {version}\n", "arch/PKGBUILD": f"\npkgver={version}\n"}.items():
        assert said in re.sub(" +", " ", (ROOT / "packaging" / file).read_text()), file
    assert (ROOT / "packaging/debian/changelog").read_text().startswith(f"croft ({version}-")


@pytest.mark.parametrize("script", ["packaging/debian/croft.postinst", "packaging/debian/croft.prerm", "packaging/debian/croft.postrm", "packaging/arch/croft.install", "packaging/arch/PKGBUILD"])
def test_scripts_of_packages_are_shell(script):
    shell = "bash" if "arch" in script else shutil.which("dash") or "sh"
    ran = subprocess.run([shell, "-n", ROOT / script], stderr=subprocess.PIPE, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_host_of_systemd_without_croft_systemd_says_what_is_missing(croft, tree, scratch):
    environment = {"CROFT_SUPERVISOR": "systemd", "CROFT_HELPER_DIR": str(scratch)}
    ran = croft("run", "--read-only", tree("app"), "true", env=environment)
    assert ran.status == 125 and f"'{scratch}/croft-systemd'" in ran.stderr and "is not installed" in ran.stderr, ran
    assert "CROFT_SUPERVISOR=direct" in ran.stderr
    # What needs no systemd goes on.
    croft("list", env=environment).check()
