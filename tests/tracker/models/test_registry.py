"""Which trackers there are, and what is told of them without loading one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import point_tracking as pt
from point_tracking.tracker.errors import OptionError, UnknownTrackerError
from point_tracking.tracker.models import registry
from point_tracking.tracker.models.published_weights.store import remember_consent
from point_tracking.tracker.models.registry import (
    DEFAULT_TRACKER,
    check_new_name,
    check_tracker_options,
    shipped_trackers,
    tracker_info,
)
from point_tracking.tracker.models.tracker_info import TrackerInfo


def test_the_default_comes_first_and_every_name_once():
    names = pt.list_trackers()
    assert names[0] == DEFAULT_TRACKER
    assert len(names) == len(set(names))
    assert set(shipped_trackers()) <= set(names)


def test_a_table_says_terms_and_where_weights_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path))
    (here,), (accepted,) = (tracker_info(name).files for name in ("alltracker", "bootstapir"))
    (tmp_path / here.family).mkdir()
    (tmp_path / here.family / here.filename).touch()
    remember_consent(accepted)
    rows = [line.strip("| ").split(" | ") for line in pt.tracker_table().splitlines()]
    assert rows[0] == ["tracker", "good for", "terms", "weights"]
    assert [row[0] for row in rows[2:]] == pt.list_trackers()
    weights = {row[0]: row[3] for row in rows}
    assert weights["optical-flow"] == "none needed"
    assert weights["pt-fused"] == "in the package"
    assert weights["alltracker"] == "file here"
    assert weights["bootstapir"] == "to download (218.9 MB)"
    assert weights["tapir"] == "ask (124.3 MB)"
    terms = {row[0]: row[2] for row in rows}
    assert "commercial use not stated by the authors: ask them" in terms["locotrack-base"]
    permissive = pt.list_trackers(commercial=True)
    assert "alltracker" in permissive
    assert not {"locotrack-base", "locotrack-small", "cotracker2"} & set(permissive)
    ready = pt.list_trackers(commercial=True, ready=True)
    assert "alltracker" in ready
    assert "bootstapir" not in ready
    assert [line.split(" | ")[0].strip("| ") for line in pt.tracker_table(ready=True).splitlines()[2:]] == [
        name for name in pt.list_trackers() if name in ready
    ]


@pytest.mark.parametrize("name", [name for name in shipped_trackers() if not tracker_info(name).files])
def test_trackers_without_a_download_load_under_their_name(name: str):
    tracker = pt.load_tracker(name)
    assert tracker.name == name
    assert set(tracker.options) <= {spec.name for spec in fields(registry._import(tracker_info(name).options or ""))}


@pytest.mark.parametrize("name", ["nobody", "", "PT-SMALL", None, 3])
def test_unknown_names_are_told_with_those_there_are(name):
    with pytest.raises(UnknownTrackerError, match="Supported values are pt-fused"):
        tracker_info(name)


def test_names_of_options_are_checked_before_anything_is_loaded():
    check_tracker_options("optical-flow", ["preset", "resolution"])
    with pytest.raises(OptionError, match=r"'presett'.. Supported values are"):
        pt.load_tracker("optical-flow", presett="fast")


def test_an_error_inside_a_loader_is_not_taken_for_a_wrong_option(monkeypatch: pytest.MonkeyPatch):
    def broken(**options):
        raise TypeError("f() got an unexpected keyword argument 'x'")

    monkeypatch.setattr(registry, "_import", lambda place: broken if place == "loader" else Options)
    info = TrackerInfo("odd", "", "MIT", None, True, "needs none", "loader")
    monkeypatch.setitem(registry._TRACKERS, "odd", info)
    with pytest.raises(TypeError, match="unexpected keyword"):
        pt.load_tracker("odd")


class Options:
    """Nothing to choose."""


@pytest.mark.parametrize("name", ["optical-flow", "pt-mine", "Mine", "a b", "", None])
def test_names_that_new_trackers_must_not_have(name):
    with pytest.raises(OptionError, match="Invalid name"):
        check_new_name(name)


def test_listing_needs_neither_torch_nor_opencv():
    code = (
        "import sys\n"
        "for name in ('torch', 'cv2', 'av', 'fiftyone', 'safetensors', 'huggingface_hub'): sys.modules[name] = None\n"
        "import point_tracking as pt\n"
        "print([pt.tracker_info(name).terms for name in pt.list_trackers()])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
