"""Keyframes, the stretches between them, and what a stretch was computed from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError, QueryError
from point_tracking.tracker.propagation import (
    Box,
    Keyframe,
    MaskedBox,
    Polyline,
    Stretch,
    digest_stretch,
    find_stretches,
)

BOX = Box([10, 10, 50, 50])
FRAMES = 20
KEYFRAMES = st.dictionaries(st.integers(0, FRAMES - 1), st.sampled_from([BOX, None]), max_size=6).map(
    lambda found: [Keyframe(t, shape) for t, shape in found.items()]
)


def test_stretches_lie_between_keyframes_and_end_at_walls():
    keyframes = [Keyframe(12, None), Keyframe(3, BOX), Keyframe(8, BOX)]
    assert find_stretches(keyframes, FRAMES) == [Stretch(0, 2, None, 3), Stretch(4, 7, 3, 8), Stretch(9, 11, 8, None)]
    assert find_stretches(keyframes, FRAMES, "forward") == [Stretch(4, 7, 3, 8), Stretch(9, 11, 8, None)]
    assert find_stretches(keyframes, FRAMES, "backward") == [Stretch(0, 2, None, 3), Stretch(4, 7, 3, 8)]


def test_a_stretch_tells_what_must_be_tracked():
    assert Stretch(4, 7, 3, 8).span == (3, 8)
    assert Stretch(0, 2, None, 3).span == (0, 3)
    assert Stretch(9, 11, 8, None).span == (8, 11)
    assert Stretch(9, 11, 8, None).shifted(-8) == Stretch(1, 3, 0, None)


def test_nothing_is_filled_from_walls_alone():
    assert find_stretches([Keyframe(3, None), Keyframe(9, None)], FRAMES) == []
    assert find_stretches([], FRAMES) == []


@given(KEYFRAMES, st.sampled_from(["both", "forward", "backward"]))
def test_stretches_hold_no_keyframe_and_never_overlap(keyframes: list[Keyframe], direction: str):
    seen: set[int] = {one.t for one in keyframes}
    for stretch in find_stretches(keyframes, FRAMES, direction):
        frames = set(range(stretch.first, stretch.last + 1))
        assert frames
        assert not frames & seen
        assert stretch.sources
        seen |= frames
    assert seen <= set(range(FRAMES))


def test_keyframes_that_contradict_each_other_are_refused():
    with pytest.raises(QueryError, match="Two keyframes of one object are in frame 4"):
        find_stretches([Keyframe(4, BOX), Keyframe(4, None)], FRAMES)
    with pytest.raises(QueryError, match="frame 20, but the video has 20 frames"):
        find_stretches([Keyframe(20, BOX)], FRAMES)
    with pytest.raises(OptionError, match="direction"):
        find_stretches([Keyframe(2, BOX)], FRAMES, "sideways")


@pytest.mark.parametrize("t", [-1, 1.5, True, None])
def test_frames_are_counted_in_whole_numbers(t):
    with pytest.raises(QueryError, match="Expected a whole number"):
        Keyframe(t, BOX)


def test_a_changed_keyframe_changes_only_the_stretches_beside_it():
    before = [Keyframe(0, BOX), Keyframe(5, BOX), Keyframe(10, BOX), Keyframe(15, BOX)]
    after = [*before[:2], Keyframe(10, Box([10, 10, 50, 51])), before[3]]

    def digests(keyframes: list[Keyframe], made_with: dict) -> list[str]:
        return [digest_stretch(one, keyframes, made_with) for one in find_stretches(keyframes, FRAMES)]

    first = digests(before, {"tracker": "optical-flow", "points": 144})
    assert first == digests(before[::-1], {"points": 144, "tracker": "optical-flow"})
    same = [a == b for a, b in zip(first, digests(after, {"tracker": "optical-flow", "points": 144}), strict=True)]
    assert same == [True, False, False, True]
    other = digests(before, {"tracker": "pt-fused", "points": 144})
    assert not set(first) & set(other)


def test_masks_and_lines_count_in_a_digest():
    def digest(shape) -> str:
        keyframes = [Keyframe(0, shape)]
        return digest_stretch(find_stretches(keyframes, FRAMES)[0], keyframes, {})

    xy = np.arange(12.0).reshape(6, 2)
    shapes = [
        BOX,
        MaskedBox(BOX.xyxy, [[1, 0]]),
        MaskedBox(BOX.xyxy, [[0, 1]]),
        MaskedBox(BOX.xyxy, [[0], [1]]),
        Polyline((xy,)),
        Polyline((xy,), closed=True),
        Polyline((xy[:2], xy[2:])),
        Polyline((xy[:3], xy[3:])),
    ]
    assert len({digest(shape) for shape in shapes}) == len(shapes)


def test_a_rounding_error_of_the_database_changes_no_digest():
    def digest(shape: Box) -> str:
        keyframes = [Keyframe(0, shape)]
        return digest_stretch(find_stretches(keyframes, FRAMES)[0], keyframes, {})

    assert digest(BOX) == digest(Box(BOX.xyxy / 320 * 320 + 1e-12))
