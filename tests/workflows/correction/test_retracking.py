"""Which positions of a track are known, and what is stored of the path through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest
from trackers import DriftTracker

from point_tracking.store.corrections.corrections import Correction
from point_tracking.store.corrections.frame_edits import Placed
from point_tracking.tracker.correction.paths import Anchor
from point_tracking.tracker.correction.paths import Path as PointPath
from point_tracking.tracker.types import Tracks
from point_tracking.tracker.video.frames import VideoFrames
from point_tracking.workflows.correction import retracking
from point_tracking.workflows.correction.retracking import (
    KnownTrack,
    changes_along,
    known_tracks,
    query_frames,
    track_known,
)


def _tracks(num_points: int = 2) -> Tracks:
    xy = np.full((5, num_points, 2), 7.0)
    visible = np.ones((5, num_points), bool)
    visible[:2, 1] = False
    return Tracks(xy, visible, np.ones((5, num_points)))


@pytest.mark.parametrize(
    ("mark", "record", "expected"),
    [
        ({"query_t": 3}, {"points": None, "frame_index": 1}, [3, 3]),
        ({"query_t": [3, 4]}, None, [3, 4]),
        ({"query_t": [3]}, {"points": None, "frame_index": 1}, [1, 1]),
        ({}, {"points": None, "frame_index": 1}, [1, 1]),
        ({}, {"points": [[2, 1, 1]], "frame_index": 0, "backward": True}, [-1, -1]),
        ({}, {"points": [[2, 1, 1]], "frame_index": 0, "backward": False}, [0, 2]),
        ({}, None, [0, 2]),
    ],
)
def test_where_tracks_were_asked_for(mark: dict[str, Any], record: dict[str, Any] | None, expected: list[int]) -> None:
    assert query_frames(mark, record, _tracks()).tolist() == expected


def test_a_query_that_is_not_seen_is_no_anchor_and_a_correction_takes_its_place() -> None:
    corrections = [Correction(1, 0, 1.0, 2.0), Correction(2, 4, 3.0, 4.0), Correction(9, 1, 5.0, 6.0)]
    known = known_tracks(corrections, _tracks(), np.array([0, 1]), backward=False)
    assert known == [
        KnownTrack(1, (Anchor(0, (1.0, 2.0)),), from_start=False),
        KnownTrack(2, (Anchor(4, (3.0, 4.0)),), from_start=True),
        KnownTrack(9, (Anchor(1, (5.0, 6.0)),), from_start=True),
    ]
    (one,) = known_tracks([Correction(1, 3, 1.0, 2.0)], _tracks(), np.array([0, 1]), backward=True)
    assert one == KnownTrack(1, (Anchor(0, (7.0, 7.0)), Anchor(3, (1.0, 2.0))), from_start=True)


def test_many_tracks_are_followed_a_part_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = VideoFrames(media.video(tmp_path / "clip.mp4", num_frames=8))
    known = [KnownTrack(k, (Anchor(k, (10.0 * k, 5.0)), Anchor(6, (50.0, 6.0))), k == 1) for k in (1, 2, 3)]
    tracker, shares = DriftTracker(), []
    whole = track_known(known, video, tracker, np.arange(8), progress=shares.append)
    assert tracker.clips == 1
    monkeypatch.setattr(retracking, "MAX_POINTS_X_FRAMES", 32)
    parts = track_known(known, video, tracker, np.arange(8), progress=shares.append)
    assert tracker.clips == 1 + 2
    assert shares[-1] == 1.0
    for index, path in whole.items():
        np.testing.assert_array_equal(path.xy, parts[index].xy)
    assert whole[1].known.all()
    assert whole[2].known.tolist() == [False] * 2 + [True] * 6


def test_frames_of_a_choice_are_those_of_the_video(tmp_path: Path) -> None:
    video = VideoFrames(media.video(tmp_path / "clip.mp4", num_frames=8))
    paths = track_known([KnownTrack(1, (Anchor(4, (10.0, 5.0)),), True)], video, DriftTracker(), np.array([1, 4, 7]))
    np.testing.assert_allclose(paths[1].xy, [[9, 5], [10, 5], [11, 5]])


def test_what_is_stored_of_a_path() -> None:
    xy = np.array([[5.0, 5.0], [np.nan, np.nan], [500.0, 5.0], [8.0, 5.0], [9.0, 5.0]])
    visible = np.array([True, False, True, True, True])
    path = PointPath(xy, visible, np.array([0.5, 0, 0.5, 1, 0.5]), np.array([True, True, True, True, False]))
    found = changes_along({3: path}, np.arange(5), [Correction(3, 3, 8.0, 5.0)], (100, 50), [(3, 0, 1)])
    assert found == {
        1: {3: Placed((0.05, 0.1), 0.5, visible=False)},
        2: {3: Placed(None, 0.0, visible=False)},
        3: {3: Placed((5.0, 0.1), 0.5, visible=False)},
        4: {3: Placed((0.08, 0.1), 1.0, corrected=True)},
    }
