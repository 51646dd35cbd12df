"""The operator that tells of motion, called as the App and as Python call it."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo

URI = "@fo-video/point-tracking/describe_motion"


def test_the_operator_is_registered_with_its_risk_named() -> None:
    assert foo.operator_exists(URI)
    config = foo.get_operator(URI).config
    assert config.risk_level.value == "medium"
    assert config.allow_delegated_execution
    assert (Path(__file__).parents[3] / config.icon.lstrip("/")).is_file()


def test_executing_it_stores_motion(dataset: fo.Dataset) -> None:
    params = {"label_field": "tracks", "texture": False, "find_similar": True}
    assert foo.execute_operator(URI, {"dataset": dataset}, params=params).error is None
    dataset.reload()
    assert dataset.values("tracks_motion.camera") == ["pan", "pan", "static", "tilt"]
    assert dataset.has_brain_run("tracks_motion_similarity")


def test_a_view_is_a_target_and_no_field_means_a_grid(dataset: fo.Dataset) -> None:
    params = {"label_field": "", "tracker_options": {"resolution": 96}, "grid_size": 5}
    assert foo.execute_operator(URI, {"view": dataset.limit(1)}, params=params).error is None
    dataset.reload()
    assert [value is not None for value in dataset.values("motion.camera")] == [True, False, False, False]


def test_calling_it_returns_the_report(dataset: fo.Dataset) -> None:
    report = foo.get_operator(URI)(dataset.limit(2), label_field="tracks", texture=False)
    assert [outcome.camera for outcome in report.outcomes] == ["pan", "pan"]
