"""What a tracking run is told, checked before anything is read or written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import (
    FieldError,
    LimitError,
    OptionError,
    QueryError,
    UnknownTrackerError,
)
from point_tracking.tracker.models.registry import tracker_info
from point_tracking.workflows.tracking import options as options_module
from point_tracking.workflows.tracking.options import TrackOptions, check_track_size

MakeDataset = Callable[..., fo.Dataset]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"grid_size": 0}, OptionError),
        ({"grid_size": -3}, OptionError),
        ({"grid_size": 2.5}, OptionError),
        ({"grid_size": 400}, LimitError),
        ({"frame_index": -1}, OptionError),
        ({"points": [(0, float("nan"), 1)]}, QueryError),
        ({"points": [(0.5, 1, 1)]}, QueryError),
        ({"points": [(0, 1)]}, QueryError),
        ({"points": []}, QueryError),
        ({"points": "nothing_here"}, FieldError),
        ({"points": "filepath"}, FieldError),
        ({"points": [(0, 1, 1)], "mask_field": "filepath"}, OptionError),
        ({"mask_field": "nothing_here"}, FieldError),
        ({"mask_field": "filepath"}, FieldError),
        ({"tracker": "nobody"}, UnknownTrackerError),
        ({"tracker_options": {"no_such_option": 1}}, OptionError),
        ({"label_field": "frames.tracks"}, FieldError),
        ({"label_field": "my tracks"}, FieldError),
        ({"layout": "dots"}, OptionError),
        ({"layout": "frame", "keep_hidden": True}, OptionError),
        ({"overwrite": True, "skip_existing": True}, OptionError),
        ({"sampling": {"fps": -1}}, OptionError),
        ({"sampling": {"speed": 1}}, OptionError),
        ({"run_key": "not a key"}, OptionError),
        *(
            ({name: "no"}, OptionError)
            for name in ("backward", "keep_hidden", "overwrite", "skip_existing", "interpolate", "wait_for_others")
        ),
        ({"progress": "yes"}, OptionError),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    untouched: fo.Dataset, arguments: dict, error: type[Exception]
) -> None:
    dataset = untouched
    with pytest.raises(error) as caught:
        pt.track_dataset(dataset, **arguments)
    assert isinstance(caught.value, pt.PointTrackingError)
    assert len(str(caught.value)) > 20
    assert not dataset.has_frame_field("tracks")
    assert not dataset.has_sample_field("tracks_info")
    assert len(dataset.first().frames) == 0


def test_points_times_frames_has_a_named_limit(
    make_dataset: MakeDataset, clip: Path, drift: DriftTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(clip)
    monkeypatch.setattr(options_module, "MAX_POINTS_X_FRAMES", 100)
    report = pt.track_dataset(dataset, tracker=drift, grid_size=3)
    assert (report.failures[0].kind, "100 per video" in report.failures[0].message) == ("LimitError", True)
    pt.track_dataset(dataset, tracker=drift, grid_size=2)  # fills in the metadata
    with pytest.raises(LimitError, match="100 per video"):
        pt.track_dataset(dataset, tracker=drift, grid_size=3, overwrite=True)


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "spark"},
        {"num_workers": 2},
        {"gpus_per_worker": 1},
        {"path_map": {"/a": "/b"}},
        {"engine": "ray", "num_workers": 0},
        {"engine": "ray", "gpus_per_worker": -1},
        {"engine": "ray", "path_map": "x"},
        {"engine": "ray", "path_map": {"/a": ""}},
        {"engine": "ray", "path_map": {1: "/a"}},
        {"engine": "ray", "tracker": pt.load_tracker("optical-flow")},
    ],
)
def test_bad_options_of_engines_are_refused(untouched: fo.Dataset, options: dict) -> None:
    with pytest.raises(OptionError):
        pt.track_dataset(untouched, **options)
    assert not untouched.has_frame_field("tracks")


def test_points_are_counted_where_that_needs_no_sample() -> None:
    assert TrackOptions(grid_size=5).num_points_known == 25
    assert TrackOptions(grid_size=5, mask_field="person").num_points_known is None
    assert TrackOptions(points=[(0, 1, 1), (0, 2, 2)]).num_points_known == 2
    assert TrackOptions(points="clicks").num_points_known is None
    assert TrackOptions(points={"id": [(0, 1, 1)]}).num_points_known is None


@given(st.integers(1, 10**5), st.integers(1, 10**5))
def test_points_times_frames_are_bounded(num_points: int, num_frames: int) -> None:
    if num_points * num_frames <= options_module.MAX_POINTS_X_FRAMES:
        check_track_size(num_points, num_frames)
    else:
        with pytest.raises(LimitError, match="per video"):
            check_track_size(num_points, num_frames)


def test_workers_get_options_that_make_the_same_options() -> None:
    given = {"grid_size": 3, "sampling": {"every_nth": 2}, "label_field": "a", "skip_existing": True}
    options = TrackOptions(engine="ray", num_workers=2, address="ray://host:1", run_key="mine", **given)
    sent = json.loads(json.dumps(options.for_workers()))
    assert not {"engine", "address", "num_workers", "gpus_per_worker", "path_map", "only_failed_of"} & set(sent)
    again = TrackOptions(**sent)
    for name, value in given.items():
        assert again.recorded(name) == options.recorded(name), name
        assert again.recorded(name) == value


def test_a_run_under_a_taken_key_goes_on_only_where_told() -> None:
    assert TrackOptions(label_field="cars").base_key == "track_cars"
    assert not TrackOptions().may_replace
    assert TrackOptions(overwrite=True).may_replace
    assert TrackOptions(skip_existing=True).may_replace


def test_the_record_holds_the_terms_of_the_weights() -> None:
    record = TrackOptions(tracker="pt-small").to_record()
    assert record["weights"] == {
        "license": tracker_info("pt-small").weights_license,
        "from": tracker_info("pt-small").weights_from,
    }
    assert "weights" not in TrackOptions(tracker=DriftTracker()).to_record()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"points": {"id-7": [(0, 1)]}}, "Points of sample id-7"),
        ({"mask_field": ""}, "empty name"),
        ({"tracker": DriftTracker(), "tracker_options": {"a": 1}}, "loaded already"),
        ({"tracker_options": 3}, "Expected a dict"),
        ({"media_field": ""}, "name of a sample field"),
        ({"num_workers": 2, "gpus_per_worker": 1.0}, "num_workers, gpus_per_worker go with engine='ray'"),
        ({"only_failed_of": "a b"}, "Invalid only failed of"),
    ],
)
def test_the_message_names_what_is_wrong(options: dict[str, Any], text: str) -> None:
    with pytest.raises(pt.PointTrackingError, match=text):
        TrackOptions(**options)
