"""Clips with known tracks, whole, at every few frames, and interrupted."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.metrics.truth import TrackTruth
from point_tracking.tracker.models.pt_small.tracker import load_pt_small
from point_tracking.tracker.training.selection import clips as module
from point_tracking.tracker.training.selection.clips import (
    CHOOSING,
    EVERY,
    FITTING,
    VALIDATION,
    ClipSet,
    MadeClip,
    made_clips,
    read_candidates,
)
from point_tracking.tracker.types import Queries


@pytest.fixture(scope="module")
def clips() -> list[MadeClip]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_COLLAGE_PICTURES", 4)
        patch.setattr(module, "_COLLAGE_DRAWN", 1)
        return list(made_clips(ClipSet(5, 1, 3, 0, ("coffee", "camera"))))


def test_every_few_frames_keep_the_points_given_there():
    xy = np.random.default_rng(0).uniform(10, 50, (9, 4, 2))
    query_t = np.array([0, 3, 4, 6])
    truth = TrackTruth(query_t, xy, np.ones((9, 4), bool), size_px=(64, 64))
    queries = Queries(query_t, xy[query_t, np.arange(4)])
    clip = MadeClip("clip", np.zeros((9, 64, 64, 3), np.uint8), queries, truth).every(3)
    assert clip.queries.t.tolist() == [0, 1, 2]
    assert len(clip.video) == 3
    np.testing.assert_array_equal(clip.truth.xy[1, 1], xy[3, 1])


def test_sets_have_no_seed_in_common():
    seeds = [set(range(one.seed, one.seed + one.collages)) for one in (FITTING, CHOOSING, VALIDATION)]
    assert len(set.union(*seeds)) == sum(map(len, seeds))


def test_collages_come_whole_and_at_every_few_frames(clips: list[MadeClip]):
    assert [one.name for one in clips] == ["collage_0", "collage_0/3", *(f"interrupted_{i}" for i in range(3))]
    whole, fewer = clips[:2]
    assert len(fewer.video) == -(-len(whole.video) // EVERY[1])
    for one in clips:
        assert one.truth.visible[one.queries.t, np.arange(len(one.queries))].all()


def test_interrupted_clips_show_nothing_of_their_points_for_a_while(clips: list[MadeClip]):
    cut, blank, other = clips[2:]
    assert not cut.truth.visible[13:].any(), "goes on with another clip to the end"
    assert any(one.min() == one.max() for one in blank.video)
    for one in (blank, other):
        seen = np.atleast_1d(one.truth.visible.any(axis=1))
        gone = np.flatnonzero(~seen)
        assert len(gone) >= 5
        assert seen[: gone[0]].all()
        assert seen[gone[-1] + 1 :].any()


def test_candidates_are_read_of_every_frame(clips: list[MadeClip]):
    clip = clips[1]
    found = read_candidates(clip, load_pt_small(device="cpu"))
    assert [one.frame_index for one in found] == list(range(len(clip.video)))
    assert len(found[-1].xy) == len(clip.queries)
