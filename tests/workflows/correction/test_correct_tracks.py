"""Corrections that are stored, and tracks that are followed again from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import moving_object
import numpy as np
import pytest
from run_states import leftovers, raw_frames, state_of
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.database.claims import claimed
from point_tracking.tracker.errors import ClaimError, FieldError, OptionError, QueryError

MakeDataset = Callable[..., fo.Dataset]
WIDTH, HEIGHT = media.SIZE


def _correct(dataset: fo.Dataset, rows: Any, **options: Any) -> Any:
    return pt.correct_tracks(
        dataset.first(), "tracks", rows, **{"tracker": DriftTracker(), "progress": False, **options}
    )


def _xy(dataset: fo.Dataset) -> np.ndarray:
    return pt.read_tracks(dataset.first(), "tracks").xy


def test_a_corrected_track_passes_through_its_query_and_all_its_corrections(tracked: fo.Dataset) -> None:
    before = _xy(tracked)
    report = _correct(tracked, [(2, 6, 20, 10), (2, 9, 30.5, 12)])
    after = _xy(tracked)
    np.testing.assert_allclose(after[[6, 9], 1], [[20, 10], [30.5, 12]], atol=1e-4)
    np.testing.assert_allclose(after[0, 1], before[0, 1], atol=1e-4)
    np.testing.assert_allclose(after[10:, 1], [[31.5, 12], [32.5, 12]], atol=1e-4)
    assert (report.total("num_stored"), report.total("num_tracks"), report.total("num_corrections")) == (2, 1, 2)
    assert "Stored 2 corrections" in str(report)


def test_other_tracks_stay_byte_for_byte_and_the_mark_keeps_its_run(tracked: fo.Dataset) -> None:
    def others() -> list[Any]:
        found = tracked._frame_collection.find().sort("frame_number", 1)
        return [[k for k in frame["tracks"]["keypoints"] if k["index"] != 2] for frame in found]

    before = others()
    _correct(tracked, [(2, 6, 20, 10)])
    assert others() == before
    sample = tracked.first()
    assert sample["tracks_info"].run_key == "track_tracks"
    assert not leftovers(tracked)


def test_corrections_are_marked_on_the_keypoint_and_nowhere_else(tracked: fo.Dataset) -> None:
    _correct(tracked, [(2, 6, 20, 10)])
    marked = [
        (number, keypoint.index)
        for number, frame in tracked.first().frames.items()
        for keypoint in frame["tracks"].keypoints
        if keypoint.has_field("corrected") and keypoint.corrected
    ]
    assert marked == [(7, 2)]
    (keypoint,) = [k for k in tracked.first().frames[7]["tracks"].keypoints if k.index == 2]
    assert (keypoint.keyframe, keypoint.confidence) == (True, [1.0])
    assert keypoint.points == [[20 / WIDTH, 10 / HEIGHT]]


def test_storing_alone_tracks_nothing_and_an_empty_list_tracks_from_all_that_is_stored(tracked: fo.Dataset) -> None:
    before = _xy(tracked)
    report = _correct(tracked, [(2, 6, 20, 10)], retrack=False)
    _correct(tracked, [(5, 3, 50, 60)], retrack=False)
    assert report.run_key is None
    assert tracked.list_runs() == ["track_tracks"]
    stored = _xy(tracked)
    changed = np.argwhere((np.nan_to_num(stored) != np.nan_to_num(before)).any(axis=2)).tolist()
    assert changed == [[3, 4], [6, 1]]
    report = _correct(tracked, [])
    assert (report.total("num_tracks"), report.total("num_stored")) == (2, 0)
    np.testing.assert_allclose(_xy(tracked)[7, 1], [21, 10], atol=1e-4)
    np.testing.assert_allclose(_xy(tracked)[4, 4], [51, 60], atol=1e-4)


def test_the_run_record_says_what_was_corrected(tracked: fo.Dataset) -> None:
    _correct(tracked, [(5, 3, 50, 60)], retrack=False)
    report = _correct(tracked, [(2, 6, 20, 10)])
    assert report.run_key == "correct_tracks"
    config = tracked.get_run_info("correct_tracks").config
    assert config.corrections == [[2, 6, 20, 10]]
    assert (config.tracker, config.label_field) == ("drift", "tracks")
    loaded: Any = pt.load_report(tracked, "correct_tracks")
    assert loaded.total("num_frames") == report.total("num_frames") == 12


def test_everything_of_one_correction_is_taken_back(tracked: fo.Dataset) -> None:
    before = raw_frames(tracked)
    _correct(tracked, [(2, 6, 20, 10), (3, 0, 1, 1)])
    assert pt.undo_correction(tracked.first(), "tracks") == 12
    assert raw_frames(tracked) == before
    with pytest.raises(OptionError, match="no correction to take back"):
        pt.undo_correction(tracked.first(), "tracks")


def test_a_run_that_fails_or_is_cancelled_keeps_what_the_person_said(tracked: fo.Dataset) -> None:
    def fail(_: int) -> None:
        raise RuntimeError("the tracker broke")

    with pytest.raises(RuntimeError, match="broke"):
        _correct(tracked, [(2, 6, 20, 10)], tracker=DriftTracker(on_frame=fail))
    np.testing.assert_allclose(_xy(tracked)[6, 1], [20, 10], atol=1e-4)
    failed: Any = pt.load_report(tracked, "correct_tracks")
    assert failed.failures[0].message == "the tracker broke"
    report = _correct(tracked, [(3, 6, 20, 10)], cancelled=lambda: True)
    assert report.cancelled
    np.testing.assert_allclose(_xy(tracked)[6, 2], [20, 10], atol=1e-4)
    assert not leftovers(tracked)


def test_a_correction_in_the_frame_of_the_query_takes_its_place(tracked: fo.Dataset) -> None:
    _correct(tracked, [(2, 0, 20, 10)])
    np.testing.assert_allclose(_xy(tracked)[:, 1], [[20 + t, 10] for t in range(12)], atol=1e-4)


def test_frames_that_the_run_left_out_are_not_filled(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, sampling={"every_nth": 3}, progress=False)
    _correct(dataset, [(2, 4, 20, 10)])
    visible = pt.read_tracks(dataset.first(), "tracks").visible
    assert np.flatnonzero(visible[:, 1]).tolist() == [0, 3, 4, 6, 9]
    assert np.flatnonzero(visible[:, 0]).tolist() == [0, 3, 6, 9]


def test_hidden_points_are_stored_where_the_run_stores_them(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, keep_hidden=True, progress=False)
    pt.hide_tracks(dataset.first(), "tracks", [2], from_frame=8)
    _correct(dataset, [(2, 4, 20, 10)])
    tracks = pt.read_tracks(dataset.first(), "tracks")
    assert not tracks.visible[8:, 1].any()
    np.testing.assert_allclose(tracks.xy[9, 1], [25, 10], atol=1e-4)


def test_what_was_hidden_before_stays_hidden_unless_it_is_corrected_there(tracked: fo.Dataset) -> None:
    sample = tracked.first()
    pt.hide_tracks(sample, "tracks", [2, 3], from_frame=8)
    _correct(tracked, [(2, 4, 20, 10), (3, 10, 60, 60)])
    visible = pt.read_tracks(sample, "tracks").visible
    assert np.flatnonzero(visible[:, 1]).tolist() == list(range(8))
    assert visible[:, 2].all()


def test_in_the_layout_objects_single_points_are_corrected(of_objects: fo.Dataset) -> None:
    before = _xy(of_objects)
    _correct(of_objects, [(2, 6, 20, 10)])
    after = _xy(of_objects)
    np.testing.assert_array_equal(after[:, [0, 2]], before[:, [0, 2]])
    np.testing.assert_allclose(after[6:8, 1], [[20, 10], [21, 10]], atol=1e-4)
    arm, nose = of_objects.first().frames[7]["tracks"].keypoints
    assert (arm.label, arm.index, arm.corrected, arm.keyframe) == ("arm", 4, [False, True], True)
    assert not nose.has_field("corrected") or nose.corrected is None
    report = _correct(of_objects, [])
    assert report.total("num_corrections") == 1
    pt.undo_correction(of_objects.first(), "tracks")


def test_the_layout_frame_is_refused_with_the_remedy(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, layout="frame", progress=False)
    sample = dataset.first()
    for refused in (
        lambda: _correct(dataset, [(1, 0, 5, 5)]),
        lambda: pt.hide_tracks(sample, "tracks", [1]),
        lambda: pt.remove_tracks(sample, "tracks", [1]),
    ):
        with pytest.raises(FieldError, match=r"layout 'frame'.*layout='points'"):
            refused()
    pt.write_tracks(sample, "tracks", pt.read_tracks(sample, "tracks"), overwrite=True)
    pt.hide_tracks(sample, "tracks", [1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(10, 0, 5, 5)], "no track 10. This sample has the tracks 1 to 9"),
        ([(0, 0, 5, 5)], "no track 0"),
        ([(1, 12, 5, 5)], "12 frames .*0 to 11"),
        ([(1, 0.5, 5, 5)], "frame 0.5"),
        ([(1, 0, WIDTH, 5)], "outside the"),
        ([(1, 0, float("nan"), 5)], "outside the"),
        ([(1, 0, 5, 5), (1, 0, 6, 6)], "corrected twice in frame 0"),
        ([(1, 0, 5)], r"Expected \(index, frame, x, y\)"),
        (["12ab"], "Invalid correction"),
    ],
)
def test_wrong_corrections_are_refused_and_change_nothing(tracked: fo.Dataset, rows: Any, message: str) -> None:
    before = state_of(tracked)
    with pytest.raises(QueryError, match=message):
        _correct(tracked, rows)
    assert state_of(tracked) == before


def test_there_must_be_something_to_correct(tracked: fo.Dataset) -> None:
    with pytest.raises(OptionError, match="No track of this sample was corrected"):
        _correct(tracked, [])
    with pytest.raises(OptionError, match="No corrections were given"):
        _correct(tracked, [], retrack=False)
    assert tracked.list_runs() == ["track_tracks"]


def test_a_tracker_that_cannot_be_loaded_by_name_is_asked_for(tracked: fo.Dataset) -> None:
    with pytest.raises(OptionError, match=r"made by 'drift', which cannot be loaded.*tracker="):
        _correct(tracked, [(2, 6, 20, 10)], tracker=None)


def test_a_sample_that_a_run_is_writing_is_left_alone(tracked: fo.Dataset) -> None:
    with claimed(tracked, "tracks", tracked.first().id), pytest.raises(ClaimError, match="being written"):
        _correct(tracked, [(2, 6, 20, 10)])


def test_the_tracker_that_made_the_tracks_follows_them_again(make_dataset: MakeDataset, tmp_path: Path) -> None:
    """On a thing that moves, tracked for real: a track on the ground is put onto the thing."""
    dataset = make_dataset(moving_object.clip(tmp_path / "clip.mp4"))
    pt.track_dataset(dataset, tracker="optical-flow", points=[(0, 10, 10), (0, 40, 50)], progress=False)
    goal = moving_object.moved([[50, 50]], 12)[0]
    report = pt.correct_tracks(dataset.first(), "tracks", [(1, 12, *goal)], progress=False)
    assert report.tracker == "optical-flow"
    tracks = pt.read_tracks(dataset.first(), "tracks")
    truth = np.array([moving_object.moved([[50, 50]], t)[0] for t in range(24)])
    assert np.abs(tracks.xy[12:, 0] - truth[12:]).max() < 1.5
    assert tracks.xy[0, 0].tolist() == pytest.approx([10, 10], abs=1e-3), "where it was asked for"
