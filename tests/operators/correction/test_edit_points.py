"""Hiding and removing tracks of selected points, as the App and as Python call it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionContext

import point_tracking as pt

URI = "@fo-video/point-tracking/"
NAMES = ("hide_points", "remove_tracks", "keep_tracks", "undo_correction", "correct_open_sample")
Opened = Callable[..., dict[str, Any]]


def _form(name: str, context: dict[str, Any], **params: Any) -> dict[str, Any]:
    """The fields of a form, by name."""
    request = {"dataset_name": context["dataset"].name, "params": params}
    request |= {key: context[key] for key in ("current_sample", "selected_labels") if key in context}
    ctx = ExecutionContext(request_params=request)
    return foo.get_operator(URI + name).resolve_input(ctx).type.properties


def _told(name: str, context: dict[str, Any], **params: Any) -> str:
    return _form(name, context, **params)["preview"].view.label


def _refused(name: str, context: dict[str, Any], **params: Any) -> str:
    form = _form(name, context, **params)
    (error,) = [prop.error_message for prop in form.values() if prop.invalid]
    return error


def _visible(dataset: fo.Dataset) -> np.ndarray:
    return pt.read_tracks(dataset.first(), "tracks").visible


def test_the_operators_are_registered_with_their_risk_named() -> None:
    for name in NAMES:
        config = foo.get_operator(URI + name).config
        assert config.risk_level.value == "medium"
        assert (Path(__file__).parents[3] / config.icon.lstrip("/")).is_file()
        assert config.unlisted == (name == "correct_open_sample")


def test_hiding_says_in_numbers_what_it_will_do_and_does_it(dataset: fo.Dataset, opened: Opened) -> None:
    context = opened((5, 2), (5, 4))
    told = _told("hide_points", context)
    assert told == "From frame 5 on, 16 points of 2 tracks in 8 frames will be hidden: tracks 2, 4"
    assert _told("hide_points", context, action="hide_all").startswith("24 points of 2 tracks in 12 frames")
    foo.execute_operator(URI + "hide_points", context, params={})
    visible = _visible(dataset)
    assert visible[:4, [1, 3]].all()
    assert not visible[4:, [1, 3]].any()
    assert visible[:, [0, 2, 4]].all()


def test_tracks_are_removed_or_all_others_and_that_is_taken_back(dataset: fo.Dataset, opened: Opened) -> None:
    before = _visible(dataset)
    assert _told("remove_tracks", opened((1, 3))).startswith("12 points of 1 track in 12 frames will be deleted")
    foo.execute_operator(URI + "remove_tracks", opened((1, 3)), params={})
    assert _visible(dataset).any(axis=0).tolist() == [True, True, False] + [True] * 6
    told = _told("keep_tracks", opened((1, 2), (3, 9)))
    assert told == "72 points of 6 tracks in 12 frames will be deleted: all but tracks 2, 9"
    foo.execute_operator(URI + "keep_tracks", opened((1, 2), (3, 9)), params={})
    assert np.flatnonzero(_visible(dataset).any(axis=0)).tolist() == [1, 8]
    assert _told("undo_correction", opened()) == "12 frames of tracks will be as they were before"
    foo.execute_operator(URI + "undo_correction", opened(), params={})
    assert np.flatnonzero(_visible(dataset).any(axis=0)).tolist() == [0, 1, 3, 4, 5, 6, 7, 8]
    assert "no correction of this video" in _refused("undo_correction", opened())
    assert before.all()


@pytest.mark.parametrize("action", ["hide", "hide_all", "remove", "keep", "undo"])
def test_the_form_of_the_toolbar_offers_all_of_it(dataset: fo.Dataset, opened: Opened, action: str) -> None:
    pt.hide_tracks(dataset.first(), "tracks", [9])
    form = _form("correct_open_sample", opened((5, 2)), action=action)
    assert [choice.value for choice in form["action"].view.choices] == ["hide", "hide_all", "remove", "keep", "undo"]
    assert "preview" in form
    foo.execute_operator(URI + "correct_open_sample", opened((5, 2)), params={"action": action})
    shown = np.flatnonzero(_visible(dataset).any(axis=0) & ~(_visible(dataset)[5] == 0)).tolist()
    expected = {"keep": [1], "undo": list(range(9))}
    assert shown == expected.get(action, [0, 2, 3, 4, 5, 6, 7])


def test_where_nothing_fits_is_selected_the_form_says_so_in_words(dataset: fo.Dataset, opened: Opened) -> None:
    assert "No points are selected. Open a video and click" in _refused("hide_points", opened())
    stale = opened((5, 2))
    pt.remove_tracks(dataset.first(), "tracks", [2])
    assert "not stored any more" in _refused("hide_points", stale)
    sample = dataset.first()
    sample.frames[1]["drawn"] = fo.Keypoints(keypoints=[fo.Keypoint(index=1, points=[(0.5, 0.5)])])
    sample.save()
    assert "in drawn, where there are no tracks" in _refused("remove_tracks", opened((1, 1), field="drawn"))
    both = opened((1, 1))
    both["selected_labels"] += opened((1, 1), field="drawn")["selected_labels"]
    assert "several fields" in _refused("remove_tracks", both)
    assert "No video is open" in _refused("undo_correction", {"dataset": dataset})


def test_calling_them_does_what_the_functions_do(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    operators = {name: foo.get_operator(URI + name) for name in NAMES}
    assert operators["hide_points"](sample, "tracks", [1], from_frame=10).num_points == 2
    assert operators["remove_tracks"](sample, "tracks", [2]).num_points == 12
    assert operators["undo_correction"](sample, "tracks") == 12
    assert operators["keep_tracks"](sample, "tracks", [1, 2]).num_tracks == 7
