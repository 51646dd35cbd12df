"""One clip from its file to tracks: which frames are used, and what is refused before the work starts."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.engine.run import prepare_clip, track_clip
from point_tracking.tracker.errors import LimitError, QueryError, ShapeError, VideoError
from point_tracking.tracker.types import Queries, Tracks
from point_tracking.tracker.video.sampling import Sampling


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media.video(tmp_path_factory.mktemp("run") / "clip.mp4", 12)


def test_every_frame_is_tracked_without_a_sampling(path: Path):
    found = track_clip(pt.VideoFrames(path), pt.point_queries([(2, 10, 20)]), DriftTracker())
    assert found.source_indices.tolist() == list(range(12))
    np.testing.assert_allclose(found.tracks.xy[5, 0], [13, 20])


def test_frames_of_queries_are_used_whatever_the_sampling_says(path: Path):
    queries = pt.point_queries([(0, 5, 5), (4, 10, 20), (7, 1, 1)])
    clip = prepare_clip(pt.VideoFrames(path), queries, sampling=Sampling(every_nth=3))
    assert clip.source_indices is not None
    assert clip.source_indices.tolist() == [0, 3, 4, 6, 7, 9]
    assert clip.queries.t.tolist() == [0, 2, 4], "frames of the clip, not of the video"
    assert clip.queries.origin == queries.origin
    shown = media.indices_in(frame for chunk in clip.source.chunks() for frame in chunk)
    assert shown == [0, 3, 4, 6, 7, 9]


def test_a_range_leaves_the_rest_of_the_video_alone(path: Path):
    found = track_clip(pt.VideoFrames(path), pt.point_queries([(5, 3, 3)]), DriftTracker(), frame_range=(4, 9))
    assert found.source_indices.tolist() == [4, 5, 6, 7, 8]
    with pytest.raises(VideoError, match="starts at frame 12, but only frames 0 to 11"):
        prepare_clip(pt.VideoFrames(path), pt.point_queries([(5, 3, 3)]), frame_range=(12, 20))


def test_what_is_too_large_is_refused_before_the_work(path: Path):
    tracker, asked = DriftTracker(), []

    def check(points: int, frames: int) -> None:
        asked.append((points, frames))
        raise LimitError("too large")

    for sampling in (None, Sampling(every_nth=2)):
        with pytest.raises(LimitError):
            track_clip(
                pt.VideoFrames(path), pt.point_queries([(0, 1, 1)] * 3), tracker, sampling=sampling, check_size=check
            )
    assert asked == [(3, 12), (3, 6)]
    assert tracker.clips == 0


def test_queries_outside_the_video_are_refused(path: Path):
    for bad in [(12, 1, 1), (0, media.SIZE[0], 1)]:
        with pytest.raises(QueryError):
            prepare_clip(pt.VideoFrames(path), pt.point_queries([bad]), sampling=Sampling(every_nth=2))


def test_a_tracker_that_breaks_its_contract_is_named(path: Path):
    class Short(DriftTracker):
        name = "short"

        def _track(self, source, queries: Queries, backward, hooks) -> Tracks:
            tracks = super()._track(source, queries, backward, hooks)
            return Tracks(tracks.xy[1:], tracks.visible[1:], tracks.confidence[1:])

    with pytest.raises(ShapeError, match="'short' returned 11 frames x 1 points for 12 frames x 1 points"):
        track_clip(pt.VideoFrames(path), pt.point_queries([(0, 1, 1)]), Short())


def test_tracks_are_called_as_their_queries(path: Path):
    queries = pt.Queries([0, 4], [[5, 5], [10, 20]], labels=["nose", "tail"], objects=[None, 3])
    found = track_clip(pt.VideoFrames(path), queries, DriftTracker(), sampling=Sampling(every_nth=3)).tracks
    assert found.labels is not None
    assert found.objects is not None
    assert (found.labels.tolist(), found.objects.tolist()) == (["nose", "tail"], [None, 3])
    nameless = track_clip(pt.VideoFrames(path), pt.point_queries([(0, 5, 5)]), DriftTracker()).tracks
    assert (nameless.labels, nameless.objects) == (None, None)
