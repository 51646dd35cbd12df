"""What is surely known of videos, and what is not taken for known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import media
import pytest
from hypothesis import given
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.store.tracks.known_videos import KnownVideo, known_videos

W, H = media.SIZE


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    paths = [
        media.video(tmp_path / "short.mp4", num_frames=5),
        media.video(tmp_path / "long.mp4", num_frames=12),
        media.text_file(tmp_path / "broken.mp4"),
        tmp_path / "gone.mp4",
    ]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    dataset.delete()


def test_files_are_looked_at_and_frames_counted_as_far_as_is_asked(dataset: fo.Dataset) -> None:
    assert known_videos(dataset) == [KnownVideo((W, H)), KnownVideo((W, H)), KnownVideo(), KnownVideo()]
    assert [video.num_frames for video in known_videos(dataset, last_frame=5)] == [5, None, None, None]
    assert [video.num_frames for video in known_videos(dataset, last_frame=99)] == [5, 12, None, None]


def test_metadata_are_not_believed_and_what_runs_decoded_is(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    sample.metadata = fo.VideoMetadata(frame_width=9, frame_height=9, total_frame_count=2, frame_rate=1.0)
    sample.save()
    assert known_videos(dataset)[0] == KnownVideo((W, H))
    pt.track_dataset(dataset, grid_size=2)
    Path(dataset.values("filepath")[1]).unlink()
    assert known_videos(dataset, last_frame=99)[:2] == [KnownVideo((W, H), 5), KnownVideo(None, 12)]


def test_only_some_files_are_looked_at(dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("point_tracking.store.tracks.known_videos._LOOKED_AT", 1)
    assert known_videos(dataset)[:2] == [KnownVideo((W, H)), KnownVideo()]
    monkeypatch.setattr("point_tracking.store.tracks.known_videos._COUNTED_UP_TO_BYTES", 10)
    assert known_videos(dataset, last_frame=98)[0] == KnownVideo((W, H))


@given(st.integers(0, 20), st.floats(-5, 50), st.floats(-5, 50), st.booleans(), st.booleans())
def test_a_video_can_hold_whatever_is_not_known_to_lie_outside(
    t: int, x: float, y: float, size_known: bool, length_known: bool
) -> None:
    video = KnownVideo((40, 30) if size_known else None, 10 if length_known else None)
    beside = size_known and not (0 <= x <= 39 and 0 <= y <= 29)
    late = length_known and t >= 10
    assert video.can_hold([(t, x, y)]) == (not beside and not late)
    assert video.can_hold([(t,)]) == (not late)
    assert video.can_hold([])
