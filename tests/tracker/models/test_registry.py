"""Which trackers there are, and what is told of them without loading one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest

import point_tracking as pt
from point_tracking.tracker.errors import OptionError, UnknownTrackerError
from point_tracking.tracker.models import registry
from point_tracking.tracker.models.registry import (
    DEFAULT_TRACKER,
    TrackerInfo,
    check_new_name,
    check_tracker_options,
    shipped_trackers,
    tracker_info,
)


def test_the_default_comes_first_and_every_name_once():
    names = pt.list_trackers()
    assert names[0] == DEFAULT_TRACKER
    assert len(names) == len(set(names))
    assert set(shipped_trackers()) <= set(names)


@pytest.mark.parametrize("name", shipped_trackers())
def test_what_is_told_of_a_tracker_holds_together(name: str):
    info = tracker_info(name)
    assert info.name == name
    assert (info.weights_license is None) == (info.weights_from == "needs none")
    if info.files:
        assert info.size_mb == sum(file.size_mb for file in info.files)
        assert all(file.commercial_use for file in info.files) or not info.commercial_use
        terms = [file.license or "weights without a stated licence" for file in info.files]
        assert all(term in info.terms for term in terms)
        assert all(file.filename in info.weights_from for file in info.files)
        assert "accept_license" in [spec.name for spec in fields(registry._import(info.options or ""))]
    else:
        assert info.size_mb is None
        assert "no-download" in info.tags
    assert ("NON-COMMERCIAL" in info.terms) == (info.commercial_use is False)
    assert callable(registry._import(info.loader))


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
