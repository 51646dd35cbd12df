"""What all tests share: a FiftyOne of their own, one thread each, where real clips are found, and what takes time."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import database
import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent
PLUGIN_LINK = Path("@fo-video", "point-tracking")

# before fiftyone is imported anywhere: neither the user's database nor plugins are touched
_HOME = Path(tempfile.mkdtemp(prefix="point-tracking-tests-"))
# registered first, so it runs last: after the database has stopped
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
for _name, _folder in {
    "FIFTYONE_DATABASE_DIR": "database",
    "FIFTYONE_PLUGINS_DIR": "plugins",
    "FIFTYONE_MODEL_ZOO_DIR": "model-zoo",
    "FIFTYONE_DATASET_ZOO_DIR": "dataset-zoo",
    "FIFTYONE_DEFAULT_DATASET_DIR": "datasets",
}.items():
    (_HOME / _folder).mkdir()
    os.environ[_name] = str(_HOME / _folder)
_uri = database.start(_HOME / "database")
if _uri is not None:
    os.environ["FIFTYONE_DATABASE_URI"] = _uri
os.environ["XDG_CACHE_HOME"] = str(_HOME / "cache")  # what runs measure of this machine, weights
os.environ["FIFTYONE_DATABASE_NAME"] = _HOME.name.replace(".", "-")
os.environ["FIFTYONE_CONFIG_PATH"] = str(_HOME / "config.json")
os.environ["FIFTYONE_APP_CONFIG_PATH"] = str(_HOME / "app_config.json")
os.environ["FIFTYONE_DATABASE_VALIDATION"] = "false"
os.environ["FIFTYONE_DO_NOT_TRACK"] = "true"
os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
(_HOME / "plugins" / PLUGIN_LINK.parent).mkdir()
(_HOME / "plugins" / PLUGIN_LINK).symlink_to(REPOSITORY, target_is_directory=True)
# several workers share the machine; before numpy, torch and OpenCV count its cores
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# folder -> seconds of its tests
_seconds: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    folder = Path(report.location[0]).parent
    _seconds[folder.as_posix()] += report.duration


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints where the time goes; with several workers, the sum of what each of them took."""
    if len(_seconds) > 1:
        terminalreporter.section("seconds per folder")
        for folder, seconds in _seconds.most_common():
            terminalreporter.write_line(f"{seconds:8.1f}  {folder}")
        terminalreporter.write_line(f"{_seconds.total():8.1f}  all together")


# machines that run tests are shared: how long an example takes says nothing about the code
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what runs only where it is asked for: by a mark expression that names it, or one by one."""
    if "parity" in str(config.getoption("markexpr")) or any("::" in argument for argument in config.args):
        return
    left_out = [item for item in items if item.get_closest_marker("parity") is not None]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.get_closest_marker("parity") is None]


def _folder_from(variable: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} is not set: no real clips to test on")
    return Path(folder)


@pytest.fixture(scope="session")
def video_dir() -> Path:
    """Folder of real input videos; skips where there is none."""
    return _folder_from("POINT_TRACKING_VIDEO_DIR")


@pytest.fixture(scope="session")
def eval_dir() -> Path:
    """Folder of real clips with known tracks; skips where there is none."""
    return _folder_from("POINT_TRACKING_EVAL_DIR")
