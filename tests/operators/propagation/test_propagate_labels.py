"""The operator that carries labels, called as the App and as Python call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest

import point_tracking as pt

URI = "@fo-video/point-tracking/propagate_labels"
OPEN_URI = "@fo-video/point-tracking/propagate_open_sample"
FAST = {"tracker": "optical-flow", "points_per_object": 16}


def test_the_operators_are_registered_with_their_risk_named() -> None:
    for uri in (URI, OPEN_URI):
        assert foo.operator_exists(uri)
        config = foo.get_operator(uri).config
        assert config.risk_level.value == "medium"
        assert config.allow_delegated_execution
        assert (Path(__file__).parents[3] / config.icon.lstrip("/")).is_file()


def test_executing_it_fills_the_frames_between_and_lists_the_field_for_annotation(dataset: fo.Dataset) -> None:
    result = foo.execute_operator(URI, {"dataset": dataset}, params={"field": "box", **FAST})
    assert result.error is None
    dataset.reload()
    sample = dataset.first()
    keyframes = [n for n in range(1, 13) if sample.frames[n]["box"].detections[0].keyframe]
    assert keyframes == [1, 6, 12]
    assert "frames.box" in dataset.active_label_schemas
    report: Any = pt.load_report(dataset, "propagate_box")
    assert [outcome.status for outcome in report.outcomes] == ["done", "no prompt"]
    assert (report.total("num_filled"), report.total("num_keyframes")) == (9, 3)


def test_a_field_of_their_own_leaves_the_input_alone(dataset: fo.Dataset) -> None:
    before = dataset.first().frames[1].to_mongo_dict()["box"]
    params = {"field": "box", "output_field": "carried", "annotate": False, **FAST}
    foo.execute_operator(URI, {"view": dataset.limit(1)}, params=params)
    dataset.reload()
    sample = dataset.first()
    assert sample.frames[1].to_mongo_dict()["box"] == before
    assert sample.frames[2]["box"] is None
    assert len(sample.frames[2]["carried"].detections) == 1
    assert not dataset.active_label_schemas


def test_calling_it_returns_the_report(dataset: fo.Dataset) -> None:
    operator = foo.get_operator(URI)
    report = operator(dataset, field="frames.box", frames=(2, 3), **FAST)
    assert (report.num_samples, report.total("num_filled"), report.failures) == (1, 2, [])
    with pytest.raises(Exception, match="no field 'nope'") as error:
        operator(dataset, field="nope")
    assert type(error.value).__name__ == "FieldError"


def test_the_frames_of_the_form_limit_what_is_filled(dataset: fo.Dataset) -> None:
    foo.execute_operator(URI, {"dataset": dataset}, params={"field": "box", "more": {"first_frame": 8, **FAST}})
    dataset.reload()
    filled = [number for number, frame in dataset.first().frames.items() if frame["box"]]
    assert filled == [1, 6, 8, 9, 10, 11, 12]
