"""Which tracker is recommended: one rule, from what is told of each."""

from __future__ import annotations

import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.tracker.models import recommendation
from point_tracking.tracker.models.recommendation import (
    MANY_QUERY_FRAMES,
    has_gpu,
    passes_warning,
    recommended_tracker,
    situation_of,
)
from point_tracking.tracker.models.registry import shipped_trackers, tracker_info
from point_tracking.tracker.models.tracker_info import MANY_FRAMES, ONE_FRAME, TrackerInfo

SITUATIONS = (ONE_FRAME, MANY_FRAMES, None)


def recommended(situation: str | None, **machine: bool) -> str | None:
    given = {"has_gpu": True, "may_download": True, "here": False, **machine}
    here = given.pop("here")
    info = recommended_tracker(map(tracker_info, shipped_trackers()), situation, is_here=lambda _: here, **given)
    return info and info.name


@pytest.mark.parametrize(
    ("num_frames", "fills_frame", "expected"),
    [(1, True, ONE_FRAME), (1, False, None), (2, True, None), (8, False, None), (9, False, MANY_FRAMES),
     (9, True, MANY_FRAMES), (None, True, None)],
)  # fmt: skip
def test_what_is_asked_is_told_by_its_frames(num_frames: int | None, fills_frame: bool, expected: str | None):
    assert situation_of(num_frames, fills_frame=fills_frame) == expected


def test_grids_are_for_alltracker_and_many_frames_for_bootstapir_and_else_nothing_is_said():
    assert [recommended(situation) for situation in SITUATIONS] == ["alltracker", "bootstapir", None]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_nothing_is_recommended_that_cannot_be_had(situation: str | None):
    assert recommended(situation, has_gpu=False) is None
    assert recommended(situation, may_download=False) is None
    assert recommended(situation, may_download=False, here=True) == recommended(situation)


@given(
    situation=st.sampled_from([ONE_FRAME, MANY_FRAMES]),
    commercial_use=st.sampled_from([True, False, None]),
    needs_gpu=st.booleans(),
    gpu=st.booleans(),
)
def test_what_forbids_commercial_use_or_says_nothing_of_it_is_never_recommended(
    situation: str, commercial_use: bool | None, needs_gpu: bool, gpu: bool
):
    info = TrackerInfo(
        "odd", "", "MIT", "MIT", commercial_use, "", "", needs_gpu=needs_gpu, recommended_for=(situation,)
    )
    found = recommended_tracker([info], situation, has_gpu=gpu, may_download=False, is_here=lambda _: True)
    assert (found is info) == (commercial_use is True and (gpu or not needs_gpu))


def test_many_passes_are_worth_a_warning_that_names_a_way_around():
    assert passes_warning("alltracker", MANY_QUERY_FRAMES) is None
    warning = passes_warning("alltracker", MANY_QUERY_FRAMES + 1) or ""
    assert warning.startswith("The points lie in 9 frames, and alltracker goes through the video once for each")
    (other,) = (name for name in pt.list_trackers() if MANY_FRAMES in tracker_info(name).recommended_for)
    assert f"{other} takes the points of all frames in one pass" in warning
    assert not tracker_info(other).pass_per_query_frame


def test_a_gpu_is_looked_for_without_loading_torch(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True)))
    assert has_gpu(), "torch is asked where it is loaded"
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(recommendation.shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    for version, expected in (("2.13.0+cpu", False), ("2.13.0", True)):
        monkeypatch.setattr(metadata, "version", lambda _, version=version: version)
        assert has_gpu() is expected
    assert "torch" not in sys.modules

    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    assert not has_gpu()
