"""What a tracking run is told, checked before anything is read or written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import (
    FieldError,
    LimitError,
    OptionError,
    QueryError,
    UnknownTrackerError,
)
from point_tracking.workflows.tracking import options as options_module

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
