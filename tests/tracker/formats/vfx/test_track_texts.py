"""What the text files of several programs share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_clips import corner_clip, mice

from point_tracking.tracker.formats.vfx.track_texts import number, safe_name, track_paths


def test_tracks_have_the_stretches_in_which_they_are_seen():
    paths = list(track_paths(corner_clip(), "3de", 1))
    assert [path.name for path in paths] == ["links oben 1", "rechts oben ä 2", "左下 3", "rechts_ unten 7"]
    assert paths[1].frames.tolist() == [1, 2, 5, 6]
    assert paths[1].runs == (slice(0, 2), slice(2, 4))
    np.testing.assert_allclose(paths[0].xy[0], [0.5, 119.5])


def test_tracks_that_are_never_seen_are_left_out_and_nodes_are_names():
    assert [path.name for path in track_paths(mice(), "nuke", 1)] == ["nose 1", "tail 2", "nose 3"]


@pytest.mark.parametrize(
    ("text", "safe"), [("[exec rm]", "_exec rm_"), ('a"; import os', "a__ import os"), ("a\nb\tc\\", "a_b_c_")]
)
def test_names_are_no_code(text: str, safe: str):
    assert safe_name(text) == safe


@given(st.floats(-1e5, 1e5))
def test_numbers_are_short_and_right(value: float):
    assert float(number(value)) == pytest.approx(value, abs=1e-4)
    assert "e" not in number(value)
