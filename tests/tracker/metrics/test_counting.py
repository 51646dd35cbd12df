"""Means over clips."""

from __future__ import annotations

import numpy as np

from point_tracking.tracker.metrics.counting import mean_scores
from point_tracking.tracker.metrics.masks import MaskScores
from point_tracking.tracker.metrics.tap_vid import tap_vid_scores

from .clip_makers import one_track


def test_clips_count_the_same_whatever_their_length():
    good = tap_vid_scores(*one_track([0] * 9, [True] * 9, [True] * 9))
    bad = tap_vid_scores(*one_track([99], [True], [True]))
    assert mean_scores([good, bad]).delta_avg == 0.5
    assert mean_scores([good, bad]).average_jaccard == 0.5


def test_what_counts_nothing_is_left_out():
    nothing = tap_vid_scores(*one_track([], [], []))
    perfect = tap_vid_scores(*one_track([0], [True], [True]))
    assert mean_scores([nothing, perfect]) == perfect
    assert np.isnan(mean_scores([nothing]).delta_avg)
    assert mean_scores([MaskScores(float("nan"), 0.0), MaskScores(1.0, 1.0)]) == MaskScores(1.0, 0.5)
