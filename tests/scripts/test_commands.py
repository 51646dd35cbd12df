"""The files behind the two commands agree with each other."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]
CONSTRAINTS = (CHECKOUT / "constraints.txt").read_text()

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")


def pins() -> list[Requirement]:
    return [Requirement(line) for line in CONSTRAINTS.splitlines() if line and not line.startswith("#")]


def test_every_pin_is_exact_and_portable():
    assert "://" not in CONSTRAINTS
    for pin in pins():
        (specifier,) = pin.specifier
        assert specifier.operator == "==", pin
        assert "+" not in specifier.version, f"{pin}: a local label exists on one index only"


def test_no_package_is_pinned_twice_for_one_python():
    for version in ("3.10", "3.11", "3.13"):
        active = [pin.name for pin in pins() if pin.marker is None or pin.marker.evaluate({"python_version": version})]
        assert len(active) == len(set(active))


def test_everything_asked_for_is_pinned():
    pinned = {canonicalize_name(pin.name) for pin in pins()}
    asked = [Requirement(line) for line in (CHECKOUT / "requirements.txt").read_text().split()]
    project = (CHECKOUT / "pyproject.toml").read_text()
    for extra in ("test", "lint"):
        listed = re.search(rf"^{extra} = \[(.*)\]$", project, re.MULTILINE)
        assert listed is not None
        asked += [Requirement(text) for text in re.findall(r'"([^"]+)"', listed[1])]
    assert {canonicalize_name(r.name) for r in asked} <= pinned


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the tested set is that of Python 3.11 and newer")
def test_pins_satisfy_the_lower_bounds():
    version_of = {
        pin.name: next(iter(pin.specifier)).version for pin in pins() if pin.marker is None or pin.marker.evaluate()
    }
    for line in (CHECKOUT / "requirements.txt").read_text().split():
        requirement = Requirement(line)
        assert requirement.specifier.contains(version_of[requirement.name])


def make(*arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout


@needs_make
def test_make_alone_lists_the_commands():
    listed = re.findall(r"^  make (\w+)", make(), re.MULTILINE)
    assert listed == ["help", "setup", "demo", "test", "parity", "lint", "bench", "train", "fit"]


@needs_make
@pytest.mark.parametrize("target", ["setup", "demo", "test", "lint", "bench"])
def test_every_command_sets_up_first(target):
    first, *rest = make("--dry-run", target).splitlines()
    assert first.endswith(f"scripts/setup_environment.py --for {target}")
    assert all(".venv/bin/" in line for line in rest)


def test_ci_is_a_valid_script():
    script = CHECKOUT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash on this machine")
    subprocess.run([bash, "-n", str(script)], check=True)
