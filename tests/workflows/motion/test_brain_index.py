"""Like motion, found by FiftyOne's own brain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import fiftyone.brain as fob
import pytest
from known_cameras import drifting_tracks
from pymongo.errors import OperationFailure

import point_tracking as pt
from point_tracking.tracker.errors import DatabaseError, FieldError, MotionError

MOTIONS = [((-1.0, 0.0), (0.0, 1.0)), ((0.0, 0.0), None), ((-0.9, 0.0), (0.0, 1.1))]


def test_samples_are_sorted_by_like_motion_and_have_a_place_on_the_map(
    make_dataset: Callable[..., fo.Dataset], files: list[Path], monkeypatch: pytest.MonkeyPatch
):
    """In groups, whose active slice may be another one than that of the videos."""
    grouped = make_dataset()
    grouped.add_group_field("group", default="picture")
    grouped.add_samples([fo.Sample(filepath=str(path), group=fo.Group().element("video")) for path in files])
    videos = grouped.select_group_slices("video")
    for sample, (by, object_by) in zip(videos, MOTIONS, strict=True):
        pt.write_tracks(sample, "tracks", drifting_tracks(by, object_by=object_by))
    report = pt.describe_motion(videos, "tracks", find_similar=True, texture=False)
    assert report.brain_keys == ["tracks_motion_similarity", "tracks_motion_embeddings"]
    pan, still, other_pan = videos.values("id")
    assert videos.sort_by_similarity(pan, brain_key=report.brain_keys[0]).values("id") == [pan, other_pan, still]  # type: ignore
    assert grouped.load_brain_results(report.brain_keys[1]).points.shape == (3, 2)  # type: ignore
    assert grouped.load_saved_view("tracks_motion: camera pan").values("id") == [pan, other_pan]
    assert pt.index_motion(grouped, "tracks") == tuple(report.brain_keys)  # made anew

    def refuse(*_: object, **__: object) -> None:
        raise OperationFailure("not authorized on fiftyone", 13)

    monkeypatch.setattr(fob, "compute_similarity", refuse)
    with pytest.raises(DatabaseError, match="does not let this user write"):
        pt.index_motion(grouped, "tracks")


def test_what_was_not_described_is_refused(dataset: fo.Dataset):
    with pytest.raises(FieldError, match="Describe the motion"):
        pt.index_motion(dataset, "tracks")
    report = pt.describe_motion(dataset, "tracks", texture=False, find_similar=True)
    assert "found 2 described samples" in report.notes[0]  # and what was described is stored
    with pytest.raises(MotionError, match="found 2 described samples"):
        pt.index_motion(dataset, "tracks")
