"""The house: who may import whom, how large rooms are, and that the contracts see what breaks them."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

import point_tracking

PACKAGE = "point_tracking"
ROOT = Path(point_tracking.__file__).parent
ROOMS = ("tracker", "store", "workflows", "operators", "panels", "demo")
# rooms whose modules all have tests at the same place
MIRRORED = ("tracker", "store", "workflows", "operators", "demo")
MAX_MODULES = 12  # of a folder, its __init__ among them
MIN_DOCSTRING_LINES = 3


def folders() -> list[Path]:
    """Every folder with code of the rooms that are checked here."""
    return sorted({file.parent for room in ROOMS for file in (ROOT / room).rglob("*.py")})


def test_no_modules_import_each_other_in_a_circle():
    """Imports inside functions and for type checkers count."""
    graph = grimp.build_graph(PACKAGE)
    assert len(graph.modules) > 200
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the modules


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_folders_are_small_packages_that_say_what_lives_there(folder: Path):
    modules = [file.name for file in folder.glob("*.py")]
    assert "__init__.py" in modules
    assert len(modules) <= MAX_MODULES, sorted(modules)
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) >= MIN_DOCSTRING_LINES, "say what lives there, in which order to read it, how to add one more"


# modules without a test of their own, and where theirs are
TESTED_ELSEWHERE = {
    "demo/generated.py": "tests/demo/test_clips.py",
    "tracker/errors.py": "wherever they are raised",
    "tracker/models/alltracker/config.py": "tests/tracker/models/alltracker/test_checkpoint.py",
    "tracker/models/alltracker/published.py": "tests/tracker/models/published_weights/test_store.py",
    "tracker/models/alltracker/update.py": "tests/tracker/models/alltracker/test_network.py",
    "tracker/models/cotracker/weights/published.py": "tests/tracker/models/published_weights/test_store.py",
    "tracker/models/locotrack/config.py": "tests/tracker/models/locotrack/test_parity.py",
    "tracker/models/locotrack/options.py": "tests/tracker/models/shared/independent_points/test_options.py",
    "tracker/models/locotrack/published.py": "tests/tracker/models/published_weights/test_store.py",
    "tracker/models/locotrack/tracker.py": "tests/tracker/models/shared/independent_points/test_tracker.py",
    "tracker/models/pt_small/options.py": "tests/tracker/models/pt_small/test_tracker.py",
    "tracker/models/shared/independent_points/clip_run.py": "test_tracker.py beside it",
    "tracker/models/shared/residual_encoder.py": "tests/tracker/models/alltracker/test_encoder.py",
    "tracker/models/shared/query_matching.py": "tests/tracker/models/test_optical_flow.py",
    "tracker/models/tapir/config.py": "tests/tracker/models/tapir/test_parity.py",
    "tracker/models/tapir/options.py": "tests/tracker/models/shared/independent_points/test_options.py",
    "tracker/models/tapir/published.py": "tests/tracker/models/published_weights/test_store.py",
    "tracker/models/tapir/streaming.py": "tests/tracker/models/tapir/test_session.py",
    "tracker/models/tapir/tracker.py": "tests/tracker/models/shared/independent_points/test_tracker.py",
}


def test_every_module_has_tests_at_the_mirrored_place():
    tests = Path(__file__).parent
    missing = []
    for file in sorted(file for room in MIRRORED for file in (ROOT / room).rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        mirrored = tests / file.relative_to(ROOT).with_name(f"test_{file.stem.strip('_')}.py")
        if file.name != "__init__.py" and name not in TESTED_ELSEWHERE and not mirrored.is_file():
            missing.append(name)
    assert missing == []
    assert all((ROOT / name).is_file() for name in TESTED_ELSEWHERE), "gone: take it off the list"


# -- the contracts of import-linter, on a copy of the package that breaks one of them


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code; the folder that makes it importable is its parent."""
    target = tmp_path_factory.mktemp("house") / PACKAGE
    left_out = {"tests", "benchmarks", "build", "runs", "docs", "assets"}  # of the root; `store/runs` is a room

    def ignored(folder: str, names: list[str]) -> set[str]:
        hidden = {name for name in names if name.startswith(".") or name == "__pycache__"}
        return hidden | (left_out if Path(folder) == ROOT else set())

    shutil.copytree(ROOT, target, ignore=ignored)
    return target


def lint(package: Path) -> tuple[int, str]:
    """Runs the contracts on a copy.

    Returns:
        exit status, and what was printed
    """
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package.parent), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_contracts_hold(copy: Path):
    status, text = lint(copy)
    assert status == 0, text


@pytest.mark.parametrize(
    ("module", "code", "contract"),
    [
        ("store/tracks/stray.py", "from ...workflows.tracking import stages", "storeys"),
        ("tracker/engine/stray.py", "from ...store.tracks import videos", "storeys"),
        ("store/database/stray.py", "def look():\n    from ..tracks import reader", "rooms of store"),
        ("store/attic.py", "", "rooms of store"),
        ("workflows/tracking/stray.py", "from ..evaluation import options", "rooms of workflows"),
        ("workflows/lifecycle/stray.py", "from ..tracking import report", "rooms of workflows"),
        ("workflows/lifecycle/stray.py", "import pymongo", "only store knows MongoDB"),
        ("operators/tracking/stray.py", "from bson import ObjectId", "only store knows MongoDB"),
        ("operators/shared/stray.py", "from ..tracking import track_points", "rooms of operators"),
        ("tracker/video/stray.py", "import fiftyone", "tracker knows no FiftyOne and no database"),
        ("tracker/video/stray.py", "def read():\n    import bson", "tracker knows no FiftyOne and no database"),
        ("tracker/queries/stray.py", "from ..models import base", "rooms of tracker"),
        (
            "tracker/queries/stray.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..engine import run",
            "rooms of tracker",
        ),
        ("tracker/attic.py", "", "rooms of tracker"),
        ("tracker/models/stray_family.py", "", "families of trackers"),
        ("tracker/models/cotracker/network/stray.py", "from ..running import costs", "CoTracker"),
        ("tracker/training/data/stray.py", "from ..fitting import schedule", "training"),
        ("tracker/synthetic_video/scenes/stray.py", "from .. import renderer", "synthetic video"),
        ("tracker/video/stray.py", "from .deeper import stray", "no rooms import each other in a circle"),
    ],
)
def test_a_broken_rule_breaks_its_contract(copy: Path, module: str, code: str, contract: str):
    made = [copy / module]
    made[0].write_text(code + "\n")
    if "deeper" in code:  # a room below that imports what imports it
        deeper = copy / "tracker/video/deeper"
        deeper.mkdir()
        (deeper / "__init__.py").touch()
        (deeper / "stray.py").write_text("from ..stray import anything\n")
    try:
        status, text = lint(copy)
    finally:
        made[0].unlink()
        shutil.rmtree(copy / "tracker/video/deeper", ignore_errors=True)
    assert status == 1, text
    broken = [line for line in text.splitlines() if line.endswith("BROKEN")]
    missing = "not listed" in text or "Missing" in text
    assert any(line.startswith(contract) for line in broken) or (missing and contract in text), text
