"""Corrections as they are stored on keypoints, and read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt
from point_tracking.store.corrections.corrections import (
    Correction,
    check_layout_of,
    corrected_places,
    merged,
    read_corrections,
)
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.tracker.errors import FieldError

MakeDataset = Callable[..., fo.Dataset]


def test_the_last_correction_of_a_track_in_a_frame_counts() -> None:
    stored = [Correction(2, 5, 1, 1), Correction(1, 7, 2, 2)]
    assert merged(stored, [Correction(2, 5, 9, 9)]) == [Correction(1, 7, 2, 2), Correction(2, 5, 9, 9)]


def test_what_fiftyone_itself_stores_is_read(make_dataset: MakeDataset, clip: Path, rng: np.random.Generator) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    pt.write_tracks(sample, "tracks", random_tracks(rng, 12, 3, (160, 120), share_visible=1))
    store = FrameStore(dataset, "tracks")
    assert read_corrections(store, sample.id, (160, 120)) == []
    keypoint = fo.Keypoint(index=2, points=[(0.25, 0.5)], keyframe=True, corrected=True)
    sample.frames[4]["tracks"].keypoints.append(keypoint)
    sample.frames[5]["tracks"].keypoints.append(fo.Keypoint(index=3, points=[(0.5, 0.5)], corrected=False))
    sample.save()
    assert read_corrections(store, sample.id, (160, 120)) == [Correction(2, 3, 40, 60)]


@pytest.mark.parametrize(
    ("keypoint", "expected"),
    [
        ({"index": 3, "points": [[0, 0]], "corrected": True}, [(0, 3)]),
        ({"index": 3, "points": [[0, 0]], "corrected": None}, []),
        ({"points": [[0, 0]], "corrected": True}, []),
        ({"index": 3, "points": [[0, 0], [1, 1]], "corrected": True}, []),
        ({"track_numbers": [4, 0, 6], "corrected": [True, True, True]}, [(0, 4), (2, 6)]),
        ({"track_numbers": [4, 5], "corrected": [False, None]}, []),
        ({"track_numbers": [4], "corrected": "yes"}, []),
    ],
)
def test_which_points_of_a_keypoint_were_corrected(keypoint: dict, expected: list) -> None:
    assert list(corrected_places(keypoint)) == expected


def test_the_layout_frame_is_refused_with_the_remedy() -> None:
    check_layout_of("points", "tracks")
    check_layout_of("objects", "tracks")
    with pytest.raises(FieldError, match=r"layout 'frame'.*layout='points'"):
        check_layout_of("frame", "tracks")
