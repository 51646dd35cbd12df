"""Trails on one frame: what is drawn, how, and what is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking import Tracks
from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.rendering.colors import colors_of
from point_tracking.tracker.rendering.options import TrailOptions
from point_tracking.tracker.rendering.trails import draw_trails

HEIGHT, WIDTH = 60, 80
# disc of 2 pixels, outline of one, and what smoothing adds
REACH_PX = 5

positions = st.floats(-200, 300, width=32)
points = st.tuples(positions, positions, st.booleans(), st.booleans())
clips = st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(points, min_size=n, max_size=n), min_size=3, max_size=3))


def _tracks(clip: list) -> Tracks:
    """Of (x, y, visible, known); what is visible is known."""
    values = np.array(clip, dtype=np.float64)  # (T, N, 4)
    visible, known = values[..., 2] > 0, values[..., 3] > 0
    xy = np.where((visible | known)[..., None], values[..., :2], np.nan)
    return Tracks(xy=xy, visible=visible, confidence=visible.astype(float))


def _still(*points: tuple[float, float], visible: bool = True, num_frames: int = 2) -> Tracks:
    xy = np.broadcast_to(np.array(points, dtype=float), (num_frames, len(points), 2))
    shown = np.full(xy.shape[:2], visible)
    return Tracks(xy=xy, visible=shown, confidence=shown.astype(float))


def _draw(tracks: Tracks, frame_index: int = 1, frame: np.ndarray | None = None, **options) -> np.ndarray:
    frame = _frame() if frame is None else frame
    return draw_trails(frame, tracks, frame_index, colors_of(tracks, "track"), TrailOptions(**options))


def _frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@settings(deadline=None, max_examples=60)
@given(clips, st.integers(0, 4), st.booleans())
def test_nothing_is_drawn_away_from_points_and_the_steps_between_them(clip: list, tail: int, show_hidden: bool):
    tracks, frame = _tracks(clip), _frame()
    before = frame.copy()
    picture = _draw(tracks, 2, frame, tail=tail, show_hidden=show_hidden)
    np.testing.assert_array_equal(frame, before)
    y, x = np.nonzero((picture != frame).any(axis=2))
    rows = tracks.xy[max(0, 2 - tail) :]
    used: np.ndarray = np.isfinite(rows[..., 0]) if show_hidden else tracks.visible[max(0, 2 - tail) :]
    near = np.zeros(len(x), dtype=bool)
    for n in range(tracks.num_points):
        places = rows[used[:, n], n]
        if len(places):
            low, high = places.min(axis=0) - REACH_PX, places.max(axis=0) + REACH_PX
            near |= (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    assert near.all()


@settings(deadline=None, max_examples=60)
@given(clips)
def test_hidden_points_are_never_drawn_as_visible_ones(clip: list):
    tracks = _tracks(clip)
    hidden = Tracks(xy=tracks.xy, visible=np.zeros_like(tracks.visible), confidence=np.zeros_like(tracks.confidence))
    black = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    np.testing.assert_array_equal(_draw(hidden, 2, black, show_hidden=False), black)
    # every visible point in the frame covers its place, where no later one lies above it
    picture = _draw(tracks, 2, black, tail=0)
    for n in np.flatnonzero(tracks.visible[2]):
        x, y = np.rint(tracks.xy[2, n]).astype(int)
        others = np.delete(tracks.xy[2], n, axis=0)
        alone = not (np.abs(others - tracks.xy[2, n]) < 2 * REACH_PX).all(axis=1).any()
        if alone and (tracks.xy[2, n] >= 0).all() and (tracks.xy[2, n] <= [WIDTH - 1, HEIGHT - 1]).all():
            assert picture[y, x].any()


def test_a_visible_point_is_a_disc_of_its_colour_and_a_hidden_one_a_ring():
    black = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    seen, hidden = _still((40, 30)), _still((40, 30), visible=False)
    color = colors_of(seen, "track").palette[0]
    np.testing.assert_array_equal(_draw(seen, frame=black)[30, 40], color)
    ring = _draw(hidden, frame=black)
    assert ring[29:32, 39:42].max() < 10  # smoothing leaves a trace
    assert ring[30, 43].any()
    assert not _draw(hidden, frame=black, show_hidden=False).any()


def test_a_hidden_step_is_fainter_than_a_seen_one():
    xy = np.array([[[10, 30]], [[70, 30]]], dtype=float)
    black = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    values = []
    for seen_before in (True, False):
        visible = np.array([[seen_before], [True]])
        values.append(
            int(_draw(Tracks(xy=xy, visible=visible, confidence=visible.astype(float)), frame=black)[30, 40].max())
        )
    assert values[0] > 1.5 * values[1] > 0


def test_the_tail_goes_back_as_many_frames_as_asked_for():
    xy = np.array([[[10 * t, 30]] for t in range(8)], dtype=float)
    tracks = Tracks(xy=xy, visible=np.ones((8, 1), bool), confidence=np.ones((8, 1)))
    black = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    for tail in (0, 1, 3, 7, 1000):
        x = np.flatnonzero(_draw(tracks, 7, black, tail=tail)[30].any(axis=1))
        oldest = max(0, 70 - 10 * tail)
        assert x.max() >= 70
        assert abs(x.min() - oldest) <= 3


def test_a_gap_in_a_track_breaks_its_trail():
    xy = np.array([[[10, 30]], [[20, 30]], [[np.nan, np.nan]], [[60, 30]], [[70, 30]]])
    visible = np.isfinite(xy).all(axis=2)
    black = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    row = _draw(Tracks(xy=xy, visible=visible, confidence=visible.astype(float)), 4, black)[30].any(axis=1)
    assert row[15]
    assert row[65]
    assert not row[25:55].any()


@pytest.mark.parametrize("show_hidden", [True, False])
def test_frames_without_tracks_stay_as_they_are(show_hidden: bool):
    frame = _frame()
    nobody = Tracks(xy=np.zeros((4, 0, 2)), visible=np.zeros((4, 0), bool), confidence=np.zeros((4, 0)))
    unknown = Tracks(xy=np.full((4, 3, 2), np.nan), visible=np.zeros((4, 3), bool), confidence=np.zeros((4, 3)))
    for tracks, index in ((nobody, 1), (unknown, 1), (_still((40, 30)), 2)):
        np.testing.assert_array_equal(_draw(tracks, index, frame, show_hidden=show_hidden), frame)


def test_points_outside_of_the_frame_and_far_away_are_not_drawn():
    frame = _frame()
    tracks = _still((-1, 30), (40, HEIGHT), (WIDTH + 2, 10), (1e9, 1e9), (-3e38, 10))
    np.testing.assert_array_equal(_draw(tracks, frame=frame), frame)


def test_a_grey_background_has_no_colours_but_the_tracks():
    picture = _draw(_still((40, 30)), background="grey")
    assert (np.ptp(picture[:20], axis=2) == 0).all()
    assert np.ptp(picture[30, 40]) > 0


def test_frames_that_are_not_upright_in_memory_are_drawn_on_too():
    frame = np.rot90(_frame())
    assert frame.shape == (WIDTH, HEIGHT, 3)
    np.testing.assert_array_equal(
        _draw(_still((30, 40)), frame=frame), _draw(_still((30, 40)), frame=np.ascontiguousarray(frame))
    )


@pytest.mark.parametrize("frame", [np.zeros((4, 4)), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)])
def test_what_is_no_frame_is_refused(frame: np.ndarray):
    with pytest.raises(ShapeError, match=r"Expected uint8 \(H, W, 3\)"):
        _draw(_still((1, 1)), frame=frame)
    with pytest.raises(ShapeError, match="index"):
        _draw(_still((1, 1)), -1)
