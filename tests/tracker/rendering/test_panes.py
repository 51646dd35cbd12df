"""One field or several side by side, of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking import Tracks
from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.rendering.panes import draw_panes, fit_pane, make_panes, scaled_tracks

sides = st.integers(2, 4000)


def _tracks(*points: tuple[float, float]) -> Tracks:
    shape = (1, len(points))
    return Tracks(xy=np.array([points]), visible=np.ones(shape, bool), confidence=np.ones(shape))


@given(sides, sides, st.integers(1, 3), st.integers(16, 4000) | st.none(), st.booleans())
def test_panes_have_the_size_asked_for_and_the_shape_of_the_video(
    width: int, height: int, num_panes: int, longest_side: int | None, even: bool
):
    pane = fit_pane((width, height), num_panes, longest_side, even=even)
    step = 2 if even else 1
    assert min(pane) >= step
    assert all(side % step == 0 for side in pane)
    whole, asked = max(pane[0] * num_panes, pane[1]), longest_side or max(width * num_panes, height)
    assert abs(whole - asked) <= 2 * num_panes
    scale = asked / max(width * num_panes, height)
    assert all(abs(made - max(side * scale, step)) <= 2 for made, side in zip(pane, (width, height), strict=True))


def test_a_video_keeps_its_size():
    assert fit_pane((641, 361), 1, None, even=False) == (641, 361)
    assert fit_pane((641, 361), 1, None, even=True) == (640, 360)


def test_points_stay_on_what_they_are_on_when_a_frame_is_scaled():
    corners = scaled_tracks(_tracks((-0.5, -0.5), (79.5, 59.5), (39.5, 29.5)), (80, 60), (160, 30))
    np.testing.assert_allclose(corners.xy[0], [[-0.5, -0.5], [159.5, 29.5], [79.5, 14.5]])


def test_two_fields_lie_side_by_side_each_with_its_own_points():
    frame = np.full((120, 160, 3), 128, dtype=np.uint8)
    panes = make_panes([("tracks", _tracks((40, 80))), ("truth", _tracks((100, 100)))], (160, 120), (160, 120), "track")
    picture = draw_panes(frame, panes, 0)
    assert picture.shape == (120, 320, 3)
    changed = (picture != 128).any(axis=2)
    assert changed[80, 40]
    assert changed[100, 160 + 100]
    assert not changed[80, 160 + 40]
    assert not changed[100, 100]
    assert changed[:30, :160].any()  # the title
    assert changed[:30, 160:].any()


def test_one_field_needs_no_title():
    frame = np.full((120, 160, 3), 128, dtype=np.uint8)
    picture = draw_panes(frame, make_panes([("tracks", _tracks((40, 80)))], (160, 120), (160, 120), "track"), 0)
    assert (picture[:30] == 128).all()
    with pytest.raises(ShapeError, match="no tracks to draw"):
        draw_panes(frame, [], 0)
