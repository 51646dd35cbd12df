"""Batches labelled by teachers: who labels, what is learnt from, what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import adaptable
import media
import numpy as np
import pytest
import torch
from adaptable import TeacherTracker

from point_tracking.tracker.errors import AdaptationError
from point_tracking.tracker.models.base import Capabilities, Tracker
from point_tracking.tracker.training.configs import TINY
from point_tracking.tracker.training.data import pseudo_labels
from point_tracking.tracker.training.data.clip_cuts import CutRules
from point_tracking.tracker.training.data.pseudo_labels import PseudoLabelSource, SkippedClipError, checked_labels
from point_tracking.tracker.types import Queries, Tracks

from ...models.shallow import load_shallow

STAGE = replace(TINY.stages[2], batch=2, points=8)


def source(videos: Sequence[Path], teachers: Sequence[Tracker], **options) -> PseudoLabelSource:
    options = {"lengths": [6, 8], "seed": 0, "max_skipped": 5, **options}
    return PseudoLabelSource(
        [str(video) for video in videos],
        teachers,
        frame_shape=lambda size_px: (48, 64),
        rules=CutRules(),
        on_batch=lambda share: None,
        **options,
    )


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return adaptable.textured_video(tmp_path / "a.mp4")


def test_a_batch_holds_the_teachers_tracks(video: Path) -> None:
    batch = source([video], [TeacherTracker()]).next(STAGE, 0.0)
    assert batch.video.shape[:1] + batch.video.shape[2:] == (2, 3, 48, 64)
    assert batch.num_frames in (6, 8)
    assert not batch.train_visibility
    assert batch.known is not None
    since = batch.query_t[:, None] <= torch.arange(batch.num_frames)[None, :, None]
    assert (batch.known == since).all(), "nothing is learnt from frames before the query"
    assert (batch.visible == batch.known).all()
    still = batch.query_xy[:, None].expand_as(batch.xy)
    assert batch.xy[batch.known].equal(still[batch.known])


def test_support_points_are_dropped_again(video: Path) -> None:
    teacher = TeacherTracker()
    batch = source([video], [teacher]).next(STAGE, 0.0)
    assert [len(queries) for queries in teacher.asked] == [8 + 25, 8 + 25]
    assert {queries.origin for queries in teacher.asked} == {"grid"}, "no support of the tracker's own"
    assert batch.xy.shape[2] == 8


def test_one_teacher_labels_a_batch_and_the_seed_decides_which(video: Path) -> None:
    def labelled_by(seed: int) -> list[list[int]]:
        teachers = [TeacherTracker(name) for name in "abc"]
        made = source([video], teachers, seed=seed)
        counts = []
        for _ in range(6):
            made.next(STAGE, 0.0)
            counts.append([teacher.clips for teacher in teachers])
        assert {sum(row) for row in np.diff([[0, 0, 0], *counts], axis=0).tolist()} == {2}
        assert all(max(row) == 2 for row in np.diff([[0, 0, 0], *counts], axis=0).tolist())
        assert [made.batches_of[k] for k in range(3)] == [count // 2 for count in counts[-1]]
        return counts

    runs = [labelled_by(seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert min(runs[0][-1]) > 0, "each has its turn"


def test_a_source_goes_on_where_it_was(video: Path) -> None:
    first = source([video], [TeacherTracker()])
    first.next(STAGE, 0.0)
    state = first.state_dict()
    second = source([video], [TeacherTracker()], seed=9)
    second.load_state_dict(state)
    assert second.next(STAGE, 0.0).video.equal(first.next(STAGE, 0.0).video)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [("hidden", pseudo_labels.NOTHING_SEEN), ("nan", pseudo_labels.NO_NUMBERS), ("far", pseudo_labels.RUNAWAY)],
)
def test_tracks_that_are_none_are_skipped_until_it_persists(video: Path, spoil: str, reason: str) -> None:
    made = source([video], [TeacherTracker(spoil=spoil)])
    with pytest.raises(AdaptationError, match=rf"5 clips in a row could not be used: {reason} \(5\)"):
        made.next(STAGE, 0.0)
    assert made.skips.clips == {(str(video), reason): 5}


def test_a_good_teacher_among_bad_ones_goes_on(video: Path) -> None:
    class Moody(TeacherTracker):
        def _track(self, *arguments):
            self._spoil = "nan" if self.clips % 2 else None
            return super()._track(*arguments)

    made = source([video], [Moody()], max_skipped=2)
    for _ in range(3):
        assert made.next(STAGE, 0.0).xy.isfinite().all()
    assert made.skips.total > 0


def test_unknown_positions_of_hidden_points_are_not_learnt_from(video: Path) -> None:
    class OnlySeen(TeacherTracker):
        capabilities = Capabilities(joint=False)

        def _track(self, *arguments):
            tracks = super()._track(*arguments)
            xy, visible, confidence = tracks.xy.copy(), tracks.visible.copy(), tracks.confidence.copy()
            xy[3:, ::2], visible[3:, ::2], confidence[3:, ::2] = np.nan, False, 0
            return Tracks(xy, visible, confidence)

    teacher = OnlySeen()
    batch = source([video], [teacher]).next(STAGE, 0.0)
    assert [len(queries) for queries in teacher.asked] == [8, 8], "its points do not help each other"
    assert batch.known is not None
    assert not batch.known[:, 3:, ::2].any()
    assert batch.known[:, 3:, 1::2].all()
    assert batch.xy.isfinite().all()


def test_a_published_model_is_trusted_inside_the_frame_and_where_it_is_sure(video: Path) -> None:
    class Published(TeacherTracker):
        capabilities = Capabilities(joint=False)
        scores = "visibility"

        def _track(self, *arguments):
            tracks = super()._track(*arguments)
            xy, sure = tracks.xy.copy(), np.full(tracks.visible.shape, 0.95)
            xy[:, 0], sure[:, 1] = (-1, 5), 0.9  # declared visible all the same
            info = {"visibility": sure} if self.scores == "visibility" else {}
            return Tracks(xy, tracks.visible, np.full_like(sure, 0.5) if info else sure, info)

    class OfOurs(Published):
        capabilities = Capabilities(joint=False, hides_outside=True)

    class Confident(Published):
        scores = "confidence"

    for teacher, doubted in ((Published(), {0, 1}), (Confident(), {0, 1}), (OfOurs(), set())):
        batch = source([video], [teacher]).next(STAGE, 0.0)
        assert batch.known is not None
        later = batch.query_t[:, None] < torch.arange(batch.num_frames)[None, :, None]  # (B, T, N)
        unknown = (later & ~batch.known).any(dim=(0, 1)).nonzero()[:, 0].tolist()
        assert set(unknown) == doubted, type(teacher)
        assert (batch.known.gather(1, batch.query_t[:, None])).all(), "the query itself is known"


@pytest.mark.parametrize(
    "name", ["alltracker-tiny", "bootstapir", "bootstapir-online", "cotracker3-online", "locotrack-small"]
)
def test_trackers_of_every_family_label_clips(tmp_path: Path, video: Path, monkeypatch, name: str) -> None:
    monkeypatch.setattr(pseudo_labels, "MIN_VISIBLE", -1.0)  # these see what chance says
    teacher = load_shallow(name, tmp_path)
    tracked: list[tuple[Queries, Tracks]] = []
    track = teacher.track
    monkeypatch.setattr(
        teacher, "track", lambda frames, asked: tracked.append((asked, found := track(frames, asked))) or found
    )
    batch = source([video], [teacher], lengths=[6]).next(replace(STAGE, batch=1), 0.0)
    assert batch.known is not None
    for clip, (asked, found) in enumerate(tracked):
        assert len(asked) == 8 + (25 if name == "cotracker3-online" else 0), "support for points that see each other"
        x, y = found.xy[:, :8].transpose(2, 0, 1)
        sure = found.info.get("visibility", found.confidence)[:, :8] > 0.9
        seen = found.visible[:, :8] & sure & (x >= 0) & (y >= 0) & (x <= 63) & (y <= 47)
        after = np.arange(6)[:, None] > asked.t[:8]
        visible, known = batch.visible[clip].numpy(), batch.known[clip].numpy()
        np.testing.assert_array_equal(visible[after], seen[after])
        np.testing.assert_array_equal(known[after], seen[after] | teacher.capabilities.joint)
        np.testing.assert_allclose(batch.xy[clip].numpy()[known & after], found.xy[:, :8][known & after])


def test_a_position_at_the_limit_is_no_runaway() -> None:
    frames = np.zeros((4, 10, 10, 3), np.uint8)
    queries = Queries(np.zeros(1, int), np.ones((1, 2)), origin="grid")
    xy = np.ones((4, 1, 2))
    for value, runs in ((30.0, False), (30.5, True), (-30.5, True)):
        xy[2, 0, 0] = value
        tracks = Tracks(xy, np.ones((4, 1), bool), np.ones((4, 1)))
        if runs:
            with pytest.raises(SkippedClipError, match=pseudo_labels.RUNAWAY):
                checked_labels(frames, queries, tracks, guesses_hidden=True)
        else:
            assert checked_labels(frames, queries, tracks, guesses_hidden=True).known.all()


def test_videos_without_features_are_skipped_and_counted(tmp_path: Path, video: Path) -> None:
    plain = adaptable.plain_video(tmp_path / "plain.mp4")
    made = source([video, plain], [TeacherTracker()], max_skipped=20)
    for _ in range(6):
        made.next(STAGE, 0.0)
    assert set(made.skips.clips) == {(str(plain), pseudo_labels.FEW_FEATURES)}
    with pytest.raises(AdaptationError, match=r"too few features to follow \(5\)"):
        source([plain], [TeacherTracker()]).next(STAGE, 0.0)


def test_files_that_are_no_video_are_left_out_for_good(tmp_path: Path, video: Path) -> None:
    broken = media.text_file(tmp_path / "broken.mp4")
    short = adaptable.textured_video(tmp_path / "short.mp4", num_frames=3)
    made = source([video, broken, short], [TeacherTracker()])
    for _ in range(8):
        made.next(STAGE, 0.0)
    assert made.skips.clips == {(str(broken), pseudo_labels.UNREADABLE): 1, (str(short), pseudo_labels.TOO_SHORT): 1}
    assert "broken.mp4" in made.skips.details[str(broken)]
    with pytest.raises(AdaptationError, match="None of the videos can be trained on: the video cannot be read"):
        source([broken], [TeacherTracker()]).next(STAGE, 0.0)
