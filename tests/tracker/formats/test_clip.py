"""The value that travels between datasets and files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_clips import corner_clip, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.clip import check_cells, stretches


def test_what_does_not_fit_together_is_refused():
    clip = corner_clip()
    for wrong in ({"frames": np.arange(5)}, {"frames": [0, 1, 2, 3, 3, 4]}, {"frames": np.arange(6) - 1}):
        with pytest.raises(FormatError):
            replace(clip, **wrong)
    for indices in ([1, 2, 3], [1, 2, 3, 3], [0, 1, 2, 3]):
        with pytest.raises(FormatError):
            replace(clip, indices=np.array(indices))


def test_tracks_and_frames_are_chosen_with_all_that_is_said_of_them():
    clip = mice().chosen(np.array([1, 2])).rows(np.array([1, 4]))
    assert clip.tracks.xy.shape == (2, 2, 2)
    assert clip.node_list() == ["tail", "nose"]
    assert clip.object_list() == [1, 2]
    assert clip.frames.tolist() == [1, 4]
    assert clip.keyframes is not None
    assert clip.keyframes.tolist() == [[True, False], [False, False]]


def test_stretches_end_where_a_point_or_a_frame_is_missing():
    frames, there = np.array([0, 1, 2, 5, 6, 7]), np.array([1, 1, 1, 1, 0, 1], dtype=bool)
    assert stretches(frames, there) == [slice(0, 3), slice(3, 4), slice(5, 6)]
    assert stretches(frames, np.zeros(6, dtype=bool)) == []


def test_few_rows_never_fill_the_memory():
    check_cells(100, 900, 90_000, "a.csv")
    with pytest.raises(FormatError, match="more tracks and frames"):
        check_cells(10_000, 10_000, 10_000, "a.csv")
