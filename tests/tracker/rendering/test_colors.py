"""Colours that mean the same in every frame and video."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking import Tracks
from point_tracking.tracker.errors import FieldError
from point_tracking.tracker.rendering.colors import COLORINGS, NUM_HUES, NUM_SPEEDS, colors_of


def _tracks(num_points: int, num_frames: int = 4, **names: Any) -> Tracks:
    shape = (num_frames, num_points)
    return Tracks(xy=np.zeros((*shape, 2)), visible=np.ones(shape, bool), confidence=np.ones(shape), **names)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 5))
def test_a_track_keeps_its_colour_whatever_others_there_are(few: int, more: int, num_frames: int):
    first, second = colors_of(_tracks(few), "track"), colors_of(_tracks(few + more, num_frames), "track")
    np.testing.assert_array_equal(first.palette[first.index], second.palette[second.index[:few]])


def test_the_first_tracks_have_colours_of_their_own():
    colors = colors_of(_tracks(NUM_HUES), "track")
    assert len(np.unique(colors.palette[colors.index], axis=0)) == NUM_HUES
    assert colors.palette.max(axis=1).min() == 255


def _by_label(*labels: str | None) -> list[tuple[int, ...]]:
    colors = colors_of(_tracks(len(labels), labels=labels), "label")
    return [tuple(color) for color in colors.palette[colors.index].tolist()]


def test_a_label_has_the_same_colour_in_every_video():
    goat, kid, nameless, again = _by_label("goat", "kid", None, "goat")
    assert goat == again != kid
    assert nameless not in (goat, kid)
    assert _by_label("kid", "goat") == [kid, goat]


def test_labels_of_a_clip_share_no_colour_while_there_are_some():
    assert len(set(_by_label(*(f"label {k}" for k in range(NUM_HUES))))) == NUM_HUES
    assert len(_by_label(*(f"label {k}" for k in range(NUM_HUES + 5)))) == NUM_HUES + 5


def test_points_of_an_object_share_its_colour():
    colors = colors_of(_tracks(4, objects=[3, 3, 5, None]), "object")
    assert colors.index[0] == colors.index[1] != colors.index[2]


@pytest.mark.parametrize("color_by", ["label", "object"])
def test_tracks_that_carry_no_names_are_said_to(color_by: str):
    with pytest.raises(FieldError, match=f"carry no {color_by}s"):
        colors_of(_tracks(3), color_by)


def test_faster_points_are_nearer_to_the_end_of_the_scale():
    xy = np.zeros((5, 3, 2))
    xy[:, 1, 0], xy[:, 2, 0] = np.arange(5) * 2, np.arange(5) * 8
    visible = np.ones((5, 3), bool)
    index = colors_of(Tracks(xy=xy, visible=visible, confidence=np.ones((5, 3))), "speed").index
    assert index.shape == (5, 3)
    assert (index[:, 0] == 0).all()
    assert (index[:, 0] < index[:, 1]).all()
    assert (index[:, 2] == NUM_SPEEDS - 1).all()


@pytest.mark.parametrize("num_frames", [0, 1, 3])
@pytest.mark.parametrize("color_by", ["track", "speed"])
def test_short_and_unknown_tracks_have_colours_too(num_frames: int, color_by: str):
    shape = (num_frames, 2)
    tracks = Tracks(xy=np.full((*shape, 2), np.nan), visible=np.zeros(shape, bool), confidence=np.zeros(shape))
    assert colors_of(tracks, color_by).rows(0, num_frames).shape == shape
    assert set(COLORINGS) == {"track", "label", "object", "speed"}
