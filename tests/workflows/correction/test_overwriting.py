"""What becomes of corrections where samples are tracked anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import FieldExistsError
from point_tracking.workflows.tracking.report import TrackReport

MakeDataset = Callable[..., fo.Dataset]


def _again(dataset: fo.Dataset, **options: Any) -> pt.TrackReport:
    given = {"tracker": DriftTracker(), "grid_size": 3, "overwrite": True, "progress": False, **options}
    return pt.track_dataset(dataset, **given)


def _store(dataset: fo.Dataset, *rows: Any) -> None:
    pt.correct_tracks(dataset.first(), "tracks", rows, retrack=False, progress=False)


def _corrected(dataset: fo.Dataset) -> list[tuple[int, int]]:
    found = dataset._frame_collection.find().sort("frame_number", 1)
    frames = [(frame["frame_number"], frame["tracks"]["keypoints"]) for frame in found if frame.get("tracks")]
    return [(number, k["index"]) for number, keypoints in frames for k in keypoints if k.get("corrected") is True]


def test_corrections_stay_and_the_new_tracks_pass_through_them(tracked: fo.Dataset) -> None:
    fresh = pt.read_tracks(tracked.first(), "tracks")
    _store(tracked, (2, 6, 20, 10), (3, 0, 33, 44))
    report = _again(tracked)
    tracks = pt.read_tracks(tracked.first(), "tracks")
    assert tracks.num_points == 9
    np.testing.assert_allclose(tracks.xy[[0, 6, 7], 1], [fresh.xy[0, 1], [20, 10], [21, 10]], atol=1e-4)
    np.testing.assert_allclose(tracks.xy[5, 2], [38, 44], atol=1e-4)
    np.testing.assert_array_equal(tracks.xy[:, 3:], fresh.xy[:, 3:])
    assert _corrected(tracked) == [(1, 3), (7, 2)]
    assert _about_corrections(report)[0] == "2 corrections of 2 tracks stayed"
    assert tracked.first()["tracks_info"].num_keypoints == tracked.count("frames.tracks.keypoints")


def test_they_stay_over_and_over_and_are_discarded_when_told(tracked: fo.Dataset) -> None:
    fresh = pt.read_tracks(tracked.first(), "tracks").xy
    _store(tracked, (2, 6, 20, 10))
    _again(tracked)
    _again(tracked)
    assert _corrected(tracked) == [(7, 2)]
    report = _again(tracked, discard_corrections=True)
    assert _corrected(tracked) == []
    assert _about_corrections(report) == []
    np.testing.assert_array_equal(pt.read_tracks(tracked.first(), "tracks").xy, fresh)


def test_where_other_points_are_asked_for_corrected_tracks_are_added_behind(tracked: fo.Dataset) -> None:
    _store(tracked, (2, 6, 20, 10), (9, 3, 100, 100))
    report = _again(tracked, grid_size=2)
    tracks = pt.read_tracks(tracked.first(), "tracks")
    assert tracks.num_points == 6
    np.testing.assert_allclose(tracks.xy[[0, 6, 11], 4], [[14, 10], [20, 10], [25, 10]], atol=1e-4)
    np.testing.assert_allclose(tracks.xy[3, 5], [100, 100], atol=1e-4)
    assert _corrected(tracked) == [(4, 6), (7, 5)]
    assert "added behind" in _about_corrections(report)[0]
    # they can be corrected and tracked on like any other
    pt.correct_tracks(tracked.first(), "tracks", [], tracker=DriftTracker(), progress=False)
    _again(tracked, grid_size=2)
    assert len(_corrected(tracked)) == 2


@pytest.mark.parametrize("grid_size", [3, 2], ids=["same points", "other points"])
def test_layout_frames_and_hidden_points_may_change_with_the_run(tracked: fo.Dataset, grid_size: int) -> None:
    _store(tracked, (2, 5, 20, 10))
    _again(tracked, grid_size=grid_size, keep_hidden=True, sampling={"every_nth": 4})
    ((number, index),) = _corrected(tracked)
    assert number == 6
    tracks = pt.read_tracks(tracked.first(), "tracks")
    np.testing.assert_allclose(tracks.xy[5, index - 1], [20, 10], atol=1e-4)
    np.testing.assert_allclose(tracks.xy[8, index - 1], [21, 10], atol=1e-4)


def test_corrections_of_objects_stay_too(of_objects: fo.Dataset) -> None:
    _store(of_objects, (2, 6, 20, 10))
    _again(of_objects, points="frames.joints", layout="objects")
    arm, _ = of_objects.first().frames[7]["tracks"].keypoints
    assert arm.corrected == [False, True]
    np.testing.assert_allclose(pt.read_tracks(of_objects.first(), "tracks").xy[7, 1], [21, 10], atol=1e-4)


def test_the_layout_frame_refuses_to_hold_corrections(tracked: fo.Dataset) -> None:
    _store(tracked, (2, 6, 20, 10))
    report = _again(tracked, layout="frame")
    assert "layout" in report.failures[0].message
    assert _corrected(tracked) == [(7, 2)]


def test_single_writes_and_models_do_not_replace_corrected_tracks_unasked(tracked: fo.Dataset) -> None:
    sample = tracked.first()
    _store(tracked, (2, 6, 20, 10))
    tracks = pt.read_tracks(sample, "tracks")
    with pytest.raises(FieldExistsError, match="discard_corrections=True"):
        pt.write_tracks(sample, "tracks", tracks, overwrite=True)
    model = pt.load_model(DriftTracker(), store_in="tracks", overwrite=True)
    tracked.apply_model(model, label_field="unused")
    assert _corrected(tracked) == [(7, 2)]
    pt.write_tracks(sample, "tracks", tracks, overwrite=True, discard_corrections=True)
    assert _corrected(tracked) == []


def _about_corrections(report: TrackReport) -> list[str]:
    """The warnings of a run, without those about plain pictures."""
    return [warning for _, warning in report.warnings if "featureless" not in warning]
