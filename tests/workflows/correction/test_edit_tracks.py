"""Hiding and removing tracks, and taking it back."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from run_states import leftovers, raw_frames
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldError, OptionError
from point_tracking.workflows.correction.edit_tracks import TrackEdit, preview_edit, shown_indices


def test_hidden_tracks_are_not_seen_in_these_frames_alone(tracked: fo.Dataset) -> None:
    sample = tracked.first()
    assert pt.hide_tracks(sample, "tracks", [2, 5], from_frame=4, to_frame=7) == TrackEdit(2, 6, 3, 0)
    hidden = np.argwhere(~pt.read_tracks(sample, "tracks").visible).tolist()
    before = {(t, n) for t, n in hidden if n in (1, 4)}
    assert before == {(t, n) for t in (4, 5, 6) for n in (1, 4)}
    assert not leftovers(tracked)


def test_removed_tracks_are_gone_and_the_others_keep_their_indices(tracked: fo.Dataset) -> None:
    sample = tracked.first()
    pt.remove_tracks(sample, "frames.tracks", [2, 2, 5])
    assert shown_indices(sample, "tracks") == [1, 3, 4, 6, 7, 8, 9]
    tracks = pt.read_tracks(sample, "tracks")
    assert tracks.num_points == 9
    assert not tracks.visible[:, [1, 4]].any()
    pt.undo_correction(sample, "tracks")
    assert shown_indices(sample, "tracks") == list(range(1, 10))


def test_points_of_objects_are_hidden_and_removed_one_by_one(of_objects: fo.Dataset) -> None:
    sample = of_objects.first()
    before = raw_frames(of_objects)
    assert pt.hide_tracks(sample, "tracks", [1], from_frame=6) == TrackEdit(1, 6, 6, 0)
    pt.remove_tracks(sample, "tracks", [3])
    tracks = pt.read_tracks(sample, "tracks")
    assert tracks.visible.sum(axis=0).tolist() == [6, 12, 0]
    assert [k.label for k in sample.frames[1]["tracks"].keypoints] == ["arm"]
    assert raw_frames(of_objects) != before


def test_corrections_in_hidden_frames_go_and_are_counted(tracked: fo.Dataset) -> None:
    sample = tracked.first()
    rows = [(2, 6, 20, 10), (2, 2, 20, 10), (3, 6, 5, 5)]
    pt.correct_tracks(sample, "tracks", rows, retrack=False, progress=False)
    expected = TrackEdit(1, 8, 8, 1)
    assert preview_edit(sample, "tracks", [2], from_frame=4) == expected
    edit = pt.hide_tracks(sample, "tracks", [2], from_frame=4)
    assert edit == expected
    assert str(edit) == "8 points of 1 track in 8 frames, 1 correction among them"
    report = pt.correct_tracks(sample, "tracks", [], tracker=DriftTracker(), progress=False)
    assert report.total("num_corrections") == 2


def test_hiding_what_is_hidden_changes_nothing_and_holds_for_reruns(tracked: fo.Dataset) -> None:
    sample = tracked.first()
    pt.hide_tracks(sample, "tracks", [2])
    assert pt.hide_tracks(sample, "tracks", [2], from_frame=3).num_points == 0
    pt.correct_tracks(sample, "tracks", [(2, 1, 5, 5)], tracker=DriftTracker(), progress=False)
    visible = pt.read_tracks(sample, "tracks").visible[:, 1]
    assert np.flatnonzero(visible).tolist() == [0, 1, 2], "hidden from frame 3 on by the second"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"indices": []}, "No track was named"),
        ({"indices": [10]}, "no track 10. This sample has the tracks 1 to 9"),
        ({"indices": [True]}, "no track True"),
        ({"indices": ["a"]}, "no track 'a'"),
        ({"indices": [1], "from_frame": 12}, "frames 0 to 11"),
        ({"indices": [1], "from_frame": 5, "to_frame": 5}, "to_frame is the frame to stop before"),
        ({"indices": [1], "from_frame": -1}, "Invalid frames"),
    ],
)
def test_what_does_not_exist_is_refused(tracked: fo.Dataset, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        pt.hide_tracks(tracked.first(), "tracks", **arguments)


def test_fields_without_tracks_and_samples_that_are_no_videos_are_refused(tracked: fo.Dataset) -> None:
    with pytest.raises(FieldError, match="no frame field 'other'"):
        pt.remove_tracks(tracked.first(), "other", [1])
    with pytest.raises(CollectionError, match="sample of a dataset"):
        pt.remove_tracks(fo.Sample("a.mp4"), "tracks", [1])
    with pytest.raises(OptionError, match="no correction to take back"):
        pt.undo_correction(tracked.first(), "tracks")
