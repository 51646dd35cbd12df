"""What is held out, and what counts as better."""

from __future__ import annotations

import math
from pathlib import Path

import adaptable
import media
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import TooFewVideosError
from point_tracking.tracker.models.base import RunHooks, Tracker
from point_tracking.tracker.training.adapting.held_out import (
    MAX_VIDEOS,
    HeldOutScores,
    HeldOutVideos,
    Judged,
    judge,
    split_videos,
)
from point_tracking.tracker.types import Queries, Tracks
from point_tracking.tracker.video.frames import FrameSource


def judged(returned: float, *, visible: float = 0.8, motion_px: float = 20.0, num_points: int = 400) -> Judged:
    points = (np.arange(num_points) < returned * num_points).astype(float)
    return Judged(HeldOutScores(returned, 5.0, visible, motion_px), points)


# -- the verdict


def test_more_points_that_return_are_better() -> None:
    verdict = judge(judged(0.5), judged(0.6), 20.0)
    assert verdict.kept
    assert "50.0 % of the points returned before, 60.0 % after" in verdict.reason


@pytest.mark.parametrize("after", [0.2, 0.5, 0.504, math.nan])
def test_no_gain_is_not_better(after: float) -> None:
    verdict = judge(judged(0.5), judged(after), 20.0)
    assert not verdict.kept
    assert "not better" in verdict.reason


def test_hiding_points_does_not_win() -> None:
    assert judge(judged(0.5, visible=0.8), judged(0.9, visible=0.73), 20.0).kept
    verdict = judge(judged(0.5, visible=0.8), judged(0.9, visible=0.71), 20.0)
    assert not verdict.kept
    assert "hides more: 71 % of positions are declared visible, 80 % before" in verdict.reason


def test_standing_still_does_not_win() -> None:
    verdict = judge(judged(0.5), judged(1.0, motion_px=2.0), 20.0)
    assert not verdict.kept
    assert "move too little" in verdict.reason
    assert judge(judged(0.5), judged(1.0, motion_px=0.0), 0.4).kept, "nothing moves in these videos"
    assert judge(judged(0.5, motion_px=300.0), judged(1.0, motion_px=12.0), 15.0).kept, "the start ran away"


def test_a_gain_within_chance_is_not_better() -> None:
    points = np.zeros(10)
    points[0] = 1.0
    one_of_ten = Judged(HeldOutScores(0.1, 5.0, 0.8, 20.0), points)
    verdict = judge(Judged(HeldOutScores(0.0, 5.0, 0.8, 20.0), np.zeros(10)), one_of_ten, 20.0)
    assert not verdict.kept
    assert "may be chance" in verdict.reason


# -- the division


@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 5))
def test_every_video_is_on_one_side(count: int, share: float, seed: int) -> None:
    paths = [f"/videos/{k}.mp4" for k in range(count)]
    trained_on, judged_by = split_videos(paths, share, seed)
    assert sorted(trained_on + judged_by) == sorted(paths)
    assert 1 <= len(judged_by) <= MAX_VIDEOS
    assert trained_on
    assert (trained_on, judged_by) == split_videos(paths[::-1], share, seed), "the seed decides, not the order"


def test_a_file_is_not_on_both_sides_under_two_names(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "hard").hardlink_to(tmp_path / "a")
    paths = [str(tmp_path / name) for name in ("a", "link", "a", "hard", "b")]
    trained_on, judged_by = split_videos(paths, 0.5, 0)
    assert len(trained_on) == len(judged_by) == 1
    with pytest.raises(TooFewVideosError, match="at least 2 different videos, one of them to judge by; found 1"):
        split_videos(paths[:4], 0.5, 0)


# -- the scores


class Shifting(Tracker):
    """Moves every point by a step per frame of the clip it is given; may hide all but the query."""

    name = "shifting"

    def __init__(self, step_px: tuple[float, float], hides: bool = False) -> None:
        self._step = np.array(step_px)
        self._hides = hides

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        steps = np.arange(source.num_frames)[:, None] - queries.t  # (T, N)
        xy = queries.xy + steps[..., None] * self._step
        visible = (steps == 0) | (not self._hides)
        return Tracks(xy, visible, np.ones(steps.shape))


def held_out(videos: list[Path], start: Tracker) -> HeldOutVideos:
    return HeldOutVideos(
        [str(video) for video in videos], start, pt.load_tracker("optical-flow"), progress=lambda share: None
    )


def test_the_classical_tracker_returns_and_a_drifting_one_does_not(tmp_path: Path) -> None:
    videos = [adaptable.textured_video(tmp_path / f"{k}.mp4", k, step_px=(1, 0)) for k in range(2)]
    classical = held_out(videos, pt.load_tracker("optical-flow")).before.scores
    assert classical.returned > 0.8
    assert classical.visible > 0.7
    assert classical.motion_px > 20  # 15 px in a frame of 96
    # forward and back it drifts the same way: 2 x 15 frames x 0.1 px x 256 / 96 = 8 px
    drifting = held_out(videos, Shifting((0.1, 0))).before.scores
    assert drifting.median_px == pytest.approx(8.0, abs=0.1)
    # 8 px is not below 8 px: within 16 px only
    assert 0.15 < drifting.returned < 0.45


def test_all_trackers_are_judged_at_the_turns_of_the_start(tmp_path: Path) -> None:
    videos = held_out([adaptable.textured_video(tmp_path / "a.mp4")], Shifting((0.1, 0)))
    shown = videos.score(Shifting((0.05, 0)), lambda share: None)
    hidden = videos.score(Shifting((0.05, 0), hides=True), lambda share: None)
    assert shown.scores.returned == hidden.scores.returned > videos.before.scores.returned
    assert (shown.scores.visible, hidden.scores.visible) == (1.0, 0.0)
    assert videos.judge(shown).kept
    assert not videos.judge(hidden).kept


def test_points_that_cannot_be_sent_back_are_lost(tmp_path: Path) -> None:
    videos = held_out([adaptable.textured_video(tmp_path / "a.mp4")], Shifting((0, 0)))
    gone = videos.score(Shifting((500, 0)), lambda share: None).scores
    assert gone.returned == 0
    assert math.isnan(gone.median_px)
    assert gone.to_dict()["median_px"] is None


def test_videos_that_cannot_be_judged_by_are_named(tmp_path: Path) -> None:
    broken = media.text_file(tmp_path / "broken.mp4")
    short = adaptable.textured_video(tmp_path / "short.mp4", num_frames=3)
    good = adaptable.textured_video(tmp_path / "good.mp4")
    videos = held_out([broken, short, good], Shifting((0, 0)))
    assert set(videos.failures) == {str(broken), str(short)}
    assert len(videos) == 1
    with pytest.raises(TooFewVideosError, match=r"No held-out video can be judged by: .*short\.mp4: the video has 3"):
        held_out([short], Shifting((0, 0)))
    with pytest.raises(TooFewVideosError, match="the start tracker follows no point of it"):
        held_out([good], DriftTracker(visible=False))


def test_a_picture_without_features_is_judged_on_a_grid(tmp_path: Path) -> None:
    videos = held_out([adaptable.plain_video(tmp_path / "plain.mp4")], Shifting((0, 0)))
    assert len(videos.before.points) == 64
