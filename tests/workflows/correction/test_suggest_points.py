"""Which tracks of a sample to look at first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import moving_object
import numpy as np
import pytest
from run_states import state_of
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import Cancelled, OptionError
from point_tracking.workflows.correction.suggest_points import view_of_tracks

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def dataset(make_dataset: MakeDataset, clip: Path) -> fo.Dataset:
    """A clip of 12 frames with 20 tracks that slide; of these 7 jumps in frame 6, and 3 is never seen."""
    dataset = make_dataset(clip)
    start = np.stack([20.0 + 5 * (np.arange(20) % 5), 20.0 + 5 * (np.arange(20) // 5)], axis=1)
    xy = start[None] + np.arange(12)[:, None, None] * np.array([1.0, 0.0])
    xy[6:, 6] += 40
    seen = np.ones((12, 20), bool)
    seen[:, 2] = False
    pt.write_tracks(dataset.first(), "tracks", pt.Tracks(xy, seen, seen.astype(float)))
    return dataset


def test_the_most_suspicious_comes_first_with_the_frame_to_look_at(dataset: fo.Dataset) -> None:
    before = state_of(dataset)
    first, second = pt.suggest_points(dataset.first(), "tracks", cycle=False)
    assert first.index == 7
    assert first.frame_index in (5, 6)
    assert first.suspicion > second.suspicion
    assert first.cycle_px is None
    assert state_of(dataset) == before
    everything = pt.suggest_points(dataset.first(), "frames.tracks", cycle=False, share=1.0)
    assert len(everything) == 19, "not the one that is never seen"
    assert [one.suspicion for one in everything] == sorted((one.suspicion for one in everything), reverse=True)


def test_points_are_sent_back_by_the_tracker_that_is_given(dataset: fo.Dataset) -> None:
    shares: list[float] = []
    found = pt.suggest_points(dataset.first(), "tracks", share=1.0, tracker=DriftTracker(), progress=shares.append)
    # what goes back moves right by a pixel per frame too
    scale = 256 / media.SIZE[0]
    assert {round(one.cycle_px or 0, 2) for one in found if one.index != 7} == {round(22 * scale, 2)}
    assert shares[-1] == 1.0
    with pytest.raises(Cancelled):
        pt.suggest_points(dataset.first(), "tracks", tracker=DriftTracker(), cancelled=lambda: True)


def test_only_frames_that_were_tracked_are_looked_at(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=3, sampling={"every_nth": 3}, progress=False)
    found = pt.suggest_points(dataset.first(), "tracks", share=1.0, tracker=DriftTracker())
    assert {one.frame_index for one in found} <= {0, 3, 6, 9}


def test_a_track_that_was_put_onto_something_else_is_found_on_real_pictures(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    dataset = make_dataset(moving_object.clip(tmp_path / "clip.mp4"))
    pt.track_dataset(dataset, tracker="optical-flow", grid_size=4, progress=False)
    sample = dataset.first()
    tracks = pt.read_tracks(sample, "tracks")
    xy = tracks.xy.copy()
    column = int(tracks.visible.sum(axis=0).argmax())
    xy[12:, column] = xy[12:, column][::-1] + np.array([25.0, 0.0])
    broken = pt.Tracks(xy, tracks.visible, tracks.confidence)
    pt.write_tracks(sample, "tracks", broken, overwrite=True)
    found = pt.suggest_points(sample, "tracks", share=0.2, tracker="optical-flow")
    assert column + 1 in [one.index for one in found]


def test_the_view_shows_the_chosen_tracks_alone(dataset: fo.Dataset, of_objects: fo.Dataset) -> None:
    view = view_of_tracks(dataset.first(), "tracks", [7, 9])
    assert set(view.values("frames.tracks.keypoints.index", unwind=True)) == {7, 9}
    view = view_of_tracks(of_objects.first(), "tracks", [2])
    assert set(view.values("frames.tracks.keypoints.label", unwind=True)) == {"arm"}


@pytest.mark.parametrize("share", [0, 1.1, True, "all", float("nan")])
def test_a_share_is_above_0_and_at_most_1(dataset: fo.Dataset, share: object) -> None:
    with pytest.raises(OptionError, match="Invalid share"):
        pt.suggest_points(dataset.first(), "tracks", share=share)  # type: ignore[arg-type]
