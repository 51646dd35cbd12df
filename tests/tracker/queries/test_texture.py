"""Where a picture gives something to hold on to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.queries import point_queries
from point_tracking.tracker.queries.texture import (
    FEATURELESS,
    noise_of,
    snapped_queries,
    texture_map,
    texture_scores,
    usual_size,
)

SIZE = (160, 120)


def half_plain() -> np.ndarray:
    """A picture whose left half is plain, and whose right half is full of corners."""
    frame = np.full((120, 160, 3), 120, np.uint8)
    frame[:, 80:] = ((np.indices((120, 80)) // 8).sum(0) % 2 * 120 + 60)[..., None]  # (120, 80, 1)
    return frame


def test_plain_ground_has_no_score_and_corners_do():
    scores = texture_scores(half_plain(), np.array([[30.0, 60.0], [130.0, 60.0]]), SIZE)
    assert scores[0] < FEATURELESS < 10 * FEATURELESS < scores[1]


def test_a_straight_edge_is_no_corner():
    frame = np.zeros((120, 160), np.uint8)
    frame[:, 80:] = 200
    assert texture_map(frame)[60, 80] < FEATURELESS


@settings(max_examples=15, deadline=None)
@given(level=st.floats(0.5, 12), seed=st.integers(0, 99))
def test_noise_alone_is_no_texture(level, seed):
    frame = np.clip(np.random.default_rng(seed).normal(120, level, (120, 160)), 0, 255).astype(np.float32)
    assert noise_of(frame) == pytest.approx(level, rel=0.1)
    # what is left of it is far below what the same noise would score
    assert np.median(texture_map(frame.round().astype(np.uint8))) < 0.06 * level + 0.03


def test_scores_are_read_in_the_size_of_the_frame_given():
    scores = texture_scores(half_plain(), np.array([[60.0, 120.0], [260.0, 120.0], [500.0, 0.0]]), (320, 240))
    assert scores[0] < FEATURELESS < scores[1]
    assert np.isnan(scores[2])


def test_points_near_a_corner_move_to_it_and_others_stay():
    queries = point_queries([(0, x, 60) for x in (20, 67, 110)])
    moved, number = snapped_queries(queries, half_plain(), SIZE)
    change = np.abs(moved.xy - queries.xy).max(axis=1)
    assert (number, (change > 0).tolist()) == (1, [False, True, False])
    assert change.max() <= 0.06 * 120
    assert texture_scores(half_plain(), moved.xy, SIZE)[1] >= FEATURELESS


def test_large_videos_are_looked_at_small():
    assert usual_size((1920, 1080)) == (569, 320)
    assert usual_size((160, 120)) == (160, 120)
