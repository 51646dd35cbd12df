"""The forms of placing a point and of following tracks again."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import pytest

import point_tracking as pt
from point_tracking.operators.correction.correct_point_form import (
    build_point_form,
    build_retrack_form,
    point_options,
    retrack_options,
)

Opened = Callable[..., dict[str, Any]]


def _ctx(context: dict[str, Any], **params: Any) -> Any:
    return SimpleNamespace(**{**context, "params": params})


def _invalid(inputs: Any) -> list[str]:
    return [prop.error_message for prop in inputs.properties.values() if prop.invalid]


def test_it_begins_where_the_point_is_and_says_what_will_happen(dataset: fo.Dataset, opened: Opened) -> None:
    form = build_point_form(_ctx(opened((7, 2)))).properties
    x, y = pt.read_tracks(dataset.first(), "tracks").xy[6, 1]
    assert (form["x"].default, form["y"].default) == (round(float(x), 1), round(float(y), 1))
    assert form["which"].view.label == "Track 2 (point) in frame 7; the frame is 160 x 96 pixels"
    assert "track 2 will be followed again" in form["consequence"].view.label
    assert "consequence" not in build_point_form(_ctx(opened((7, 2)), retrack=False)).properties


def test_of_several_points_one_is_chosen(opened: Opened) -> None:
    context = opened((7, 2), (3, 5))
    form = build_point_form(_ctx(context)).properties
    assert form["point"].type.values == ["5 in frame 3", "2 in frame 7"]
    _, options = point_options(_ctx(context, point="2 in frame 7", x=1.0, y=2.0))
    assert list(options.corrections) == [[2, 6, 1.0, 2.0]]
    assert (options.retrack, options.tracker) == (True, None)
    _, options = point_options(_ctx(context, retrack=False, tracker="optical-flow"))
    assert (options.retrack, options.tracker) == (False, None)


def test_a_position_outside_and_a_missing_selection_are_told(opened: Opened) -> None:
    assert "outside the 160 x 96 frame" in _invalid(build_point_form(_ctx(opened((7, 2)), x=400.0)))[0]
    assert "No points are selected" in _invalid(build_point_form(_ctx(opened())))[0]
    with pytest.raises(Exception, match="outside the 160 x 96 frame"):
        point_options(_ctx(opened((7, 2)), x=400.0))


def test_following_again_says_how_many_corrections_there_are(dataset: fo.Dataset, opened: Opened) -> None:
    assert "No point of this video was corrected" in _invalid(build_retrack_form(_ctx(opened())))[0]
    pt.correct_tracks(dataset.first(), "tracks", [(1, 2, 5, 5), (1, 4, 5, 5)], retrack=False)
    form = build_retrack_form(_ctx(opened())).properties
    assert form["preview"].view.label.startswith("1 track will be followed again from 2 corrections")
    sample, options = retrack_options(_ctx(opened(), tracker="the same"))
    assert (sample.id, options.tracker, options.label_field) == (dataset.first().id, None, "tracks")
