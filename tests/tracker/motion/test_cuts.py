"""Cuts, to the frame."""

from __future__ import annotations

import numpy as np
import pytest
from known_cameras import described, drifting_tracks

from point_tracking.tracker.motion.cuts import find_cuts
from point_tracking.tracker.types import Tracks


def cut_tracks(at: int, length: int, *, both_sides: bool) -> Tracks:
    """Tracks of a pan that is cut: points of the first shot, and where asked for, those of the second."""
    xy = drifting_tracks((0.5, 0.1), frames=length).xy
    columns = [np.concatenate([xy[:at], np.full_like(xy[at:], np.nan)])]
    if both_sides:
        columns.append(np.concatenate([np.full_like(xy[:at], np.nan), drifting_tracks((-1, 0), frames=length - at).xy]))
    joined = np.concatenate(columns, axis=1)
    visible = np.isfinite(joined).all(axis=2) & (joined[..., 0] <= 191) & (joined[..., 0] >= 0)
    return Tracks(joined, visible, visible.astype(float))


@pytest.mark.parametrize("at", [2, 11, 25, 38])
@pytest.mark.parametrize("both_sides", [True, False])
def test_a_cut_is_found_to_the_frame(at, both_sides):
    found = described(cut_tracks(at, 41, both_sides=both_sides))
    assert [event.first for event in found.events if event.label == "cut"] == [at]
    assert found.figures["num_cuts"] == 1


def test_points_that_jump_all_over_the_place_are_a_cut():
    xy = drifting_tracks((0.5, 0.0)).xy.copy()
    xy[20:] = xy[20:, np.random.default_rng(0).permutation(xy.shape[1])]
    visible = (xy[..., 0] <= 191) & (xy[..., 0] >= 0)
    found = described(Tracks(xy, visible, visible.astype(float)))
    assert [event.first for event in found.events if event.label == "cut"] == [20]


@pytest.mark.parametrize("by", [(0, 0), (9, 0), (0, -4)])
def test_points_that_leave_with_the_picture_are_no_cut(by):
    assert described(drifting_tracks(by, frames=16)).figures["num_cuts"] == 0


def test_some_points_that_the_next_shot_takes_over_by_chance_hide_no_cut():
    forward, backward = np.ones(20), np.ones(20)
    forward[9], backward[9] = 0.27, 0.17
    assert find_cuts(forward, backward).tolist() == [9]
    forward[9], backward[9] = 0.8, 0.17  # from one side alone: many points come in
    assert find_cuts(forward, backward).tolist() == []
