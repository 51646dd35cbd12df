"""All frames of one object: exact where drawn, nothing beyond walls, and said so where nothing was seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_points import SIZE_PX, as_kind, moved, slid_tracks, tracks_of

from point_tracking.tracker.errors import QueryError, ShapeError
from point_tracking.tracker.models.registry import load_tracker
from point_tracking.tracker.propagation import (
    Box,
    Keyframe,
    MaskedBox,
    PointSet,
    Polyline,
    PropagationOptions,
    fill_frames,
    fill_stretch,
    find_stretches,
    query_seeds,
    seed_points,
)
from point_tracking.tracker.propagation.shapes import box_iou

T = 16
BOX = Box([100, 80, 150, 120])
MASK = np.zeros((20, 25), bool)
MASK[2:18, 4:20] = True
SHAPES = {
    "box": BOX,
    "mask": MaskedBox(BOX.xyxy, MASK),
    "line": Polyline(([[100, 80], [150, 80], [120, 120]],), closed=True),
    "points": PointSet([[100, 80], [np.nan, np.nan], [150, 120]]),
}
KINDS = st.sampled_from(sorted(SHAPES))
STEPS = st.tuples(st.floats(-3, 3), st.floats(-3, 3))
FRAMES = st.lists(st.integers(0, T - 1), min_size=1, max_size=4, unique=True)


def keyframes_of(kind: str, frames: list[int], step: tuple[float, float] = (0, 0)) -> list[Keyframe]:
    return [Keyframe(t, moved(SHAPES[kind], (t * step[0], t * step[1]))) for t in frames]


@settings(max_examples=40, deadline=None)
@given(KINDS, FRAMES, STEPS, STEPS, st.sampled_from(["both", "forward", "backward"]), st.integers(1, T))
def test_keyframes_are_exact_and_no_number_is_missing(kind, frames, step, drift, direction, hidden_from):
    """Whatever the points do."""
    keyframes = keyframes_of(kind, frames, step)
    tracks = slid_tracks(keyframes, T, drift, hidden_from=hidden_from)
    options = PropagationOptions(direction=direction, keep_lost=True)
    filled = {one.t: one for one in fill_frames(keyframes, tracks, T, SIZE_PX, options)}
    for one in keyframes:
        assert filled[one.t].shape is one.shape
        assert filled[one.t].keyframe
    for t, one in filled.items():
        assert one.keyframe == (t in frames)
        unknown = np.isnan(SHAPES[kind].vector)
        if kind != "points":
            assert np.isfinite(one.shape.vector).all()
        assert np.isnan(one.shape.vector[unknown]).all()
        assert 0 <= one.confidence <= 1
        assert 0 <= one.visible_share <= 1
        assert set(one.sources) <= set(frames)
    for one in filled.values():
        if one.interpolated and not one.keyframe:
            assert one.confidence < 1


@settings(max_examples=40, deadline=None)
@given(KINDS, FRAMES, st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from([0.01, 3, 300]))
def test_no_tracks_however_wrong_break_anything(kind, frames, seed, share, spread_px):
    keyframes = keyframes_of(kind, frames)
    rng = np.random.default_rng(seed)
    tracks = {}
    for t, still in slid_tracks(keyframes, T).items():
        xy = still.xy + rng.normal(0, spread_px, still.xy.shape)
        tracks[t] = tracks_of(xy, rng.random(still.visible.shape) > share)
    filled = fill_frames(keyframes, tracks, T, SIZE_PX, PropagationOptions(keep_lost=True))
    assert set(frames) <= {one.t for one in filled}
    for one in filled:
        assert 0 <= one.confidence <= 1
        if kind in ("box", "mask") and not one.keyframe:
            assert (as_kind(Box, one.shape).xyxy >= 0).all()
            assert (as_kind(Box, one.shape).xyxy <= (*SIZE_PX, *SIZE_PX)).all()


@settings(max_examples=30, deadline=None)
@given(KINDS, FRAMES, STEPS)
def test_what_moves_as_its_points_is_found_in_every_frame(kind, frames, step):
    keyframes = keyframes_of(kind, frames, step)
    filled = fill_frames(keyframes, slid_tracks(keyframes, T, step), T, SIZE_PX)
    assert [one.t for one in filled] == list(range(T))
    for one in filled:
        expected = moved(SHAPES[kind], (one.t * step[0], one.t * step[1]))
        np.testing.assert_allclose(one.shape.vector, expected.vector, atol=0.05)
        assert not one.occluded
        assert not one.interpolated


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_a_static_scene_stays(kind: str):
    keyframes = keyframes_of(kind, [3, 11])
    for one in fill_frames(keyframes, slid_tracks(keyframes, T), T, SIZE_PX):
        np.testing.assert_allclose(one.shape.vector, SHAPES[kind].vector, atol=1e-4)
        if kind == "mask":
            mask = as_kind(MaskedBox, one.shape).mask
            assert mask.mean() == pytest.approx(MASK.mean(), abs=0.03)


@settings(max_examples=25, deadline=None)
@given(KINDS, st.permutations([1, 5, 9, 14]), STEPS, STEPS)
def test_the_order_of_keyframes_does_not_matter(kind, frames, step, drift):
    keyframes = keyframes_of(kind, list(frames), step)
    tracks = slid_tracks(keyframes, T, drift)
    given_order = fill_frames(keyframes, tracks, T, SIZE_PX)
    in_order = fill_frames(sorted(keyframes, key=lambda one: one.t), tracks, T, SIZE_PX)
    for one, other in zip(given_order, in_order, strict=True):
        assert (one.t, one.sources, one.confidence) == (other.t, other.sources, other.confidence)
        np.testing.assert_array_equal(one.shape.vector, other.shape.vector)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["box", "line", "points"]),
    st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    st.tuples(st.integers(-50, 50), st.integers(-40, 40)),
)
def test_a_shifted_scene_gives_shifted_shapes(kind, step, drift, by_px):
    def fill(offset: tuple[float, float]):
        keyframes = [Keyframe(one.t, moved(one.shape, offset)) for one in keyframes_of(kind, [2, 13], step)]
        return fill_frames(keyframes, slid_tracks(keyframes, T, drift), T, SIZE_PX)

    for one, other in zip(fill((0, 0)), fill(by_px), strict=True):
        np.testing.assert_allclose(moved(one.shape, by_px).vector, other.shape.vector, atol=0.02)


def test_a_scaled_scene_gives_scaled_shapes():
    def fill(scale: float):
        keyframes = [Keyframe(t, Box((BOX.xyxy + t) * scale)) for t in (2, 13)]
        size_px = (round(SIZE_PX[0] * scale), round(SIZE_PX[1] * scale))
        tracks = {}
        for one in keyframes:
            seeds = (seed_points(one.shape, size_px).xy + 0.5) / scale
            away = (np.arange(T) - one.t)[:, None, None] * np.array([2.0, 0.5])
            tracks[one.t] = tracks_of((seeds[None] + away) * scale - 0.5)
        return fill_frames(keyframes, tracks, T, size_px)

    for one, other in zip(fill(1), fill(2), strict=True):
        np.testing.assert_allclose(as_kind(Box, one.shape).xyxy * 2, as_kind(Box, other.shape).xyxy, atol=0.02)


@pytest.mark.parametrize("keep_lost", [False, True])
@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_nothing_is_written_at_walls_or_beyond_them(kind: str, keep_lost: bool):
    keyframes = [Keyframe(2, None), *keyframes_of(kind, [5]), Keyframe(9, None), Keyframe(12, None)]
    tracks = slid_tracks(keyframes, T)
    filled = fill_frames(keyframes, tracks, T, SIZE_PX, PropagationOptions(keep_lost=keep_lost))
    assert [one.t for one in filled] == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_beyond_the_last_keyframe_it_ends_where_the_points_are_lost(kind: str):
    keyframes = keyframes_of(kind, [4])
    tracks = slid_tracks(keyframes, T, (1, 0), hidden_from=4)
    assert [one.t for one in fill_frames(keyframes, tracks, T, SIZE_PX)] == list(range(1, 8))
    kept = fill_frames(keyframes, tracks, T, SIZE_PX, PropagationOptions(keep_lost=True))
    assert [one.t for one in kept] == list(range(T))
    lost = kept[8:]
    assert all(one.occluded and one.interpolated for one in lost)
    assert all(a.confidence > b.confidence for a, b in zip([kept[7], *lost], lost, strict=False))
    np.testing.assert_array_equal(lost[-1].shape.vector, kept[7].shape.vector)


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_between_keyframes_it_is_plain_interpolation_where_nothing_is_seen(kind: str):
    keyframes = keyframes_of(kind, [2, 12], (3, 1))
    tracks = slid_tracks(keyframes, T, hidden_from=1)
    for known in (tracks, {}):
        for one in fill_frames(keyframes, known, T, SIZE_PX):
            np.testing.assert_allclose(one.shape.vector, moved(SHAPES[kind], (one.t * 3, one.t)).vector, atol=1e-6)
            assert one.interpolated == (not one.keyframe)
            assert one.occluded == (not one.keyframe)


def test_directions_follow_points_one_way():
    keyframes = keyframes_of("box", [5, 10])
    tracks = slid_tracks(keyframes, T)
    forward = fill_frames(keyframes, tracks, T, SIZE_PX, PropagationOptions(direction="forward"))
    backward = fill_frames(keyframes, tracks, T, SIZE_PX, PropagationOptions(direction="backward"))
    assert [one.t for one in forward] == list(range(5, T))
    assert [one.t for one in backward] == list(range(11))


def test_a_box_that_leaves_the_frame_ends_at_its_border():
    keyframes = [Keyframe(0, Box([260, 80, 310, 120]))]
    filled = fill_frames(keyframes, slid_tracks(keyframes, T, (10, 0)), T, SIZE_PX)
    assert [one.t for one in filled] == list(range(6))
    assert all(as_kind(Box, one.shape).xyxy[2] <= SIZE_PX[0] for one in filled)


def test_a_point_that_only_one_keyframe_knows_is_followed_from_it():
    keyframes = [Keyframe(0, PointSet([[50, 50], [np.nan, 0]])), Keyframe(10, PointSet([[60, 50], [80, 80]]))]
    filled = fill_frames(keyframes, slid_tracks(keyframes, T, (1, 0)), T, SIZE_PX)
    np.testing.assert_allclose(as_kind(PointSet, filled[4].shape).xy, [[54, 50], [74, 80]], atol=1e-4)
    np.testing.assert_allclose(as_kind(PointSet, filled[12].shape).xy, [[62, 50], [82, 80]], atol=1e-4)


def test_lines_with_different_numbers_of_points_are_blended():
    keyframes = [
        Keyframe(0, Polyline(([[10, 10], [110, 10]],))),
        Keyframe(8, Polyline(([[18, 10], [68, 10], [118, 10]],))),
    ]
    filled = fill_frames(keyframes, slid_tracks(keyframes, T, (1, 0)), T, SIZE_PX)
    np.testing.assert_allclose(as_kind(Polyline, filled[4].shape).lines[0], [[14, 10], [64, 10], [114, 10]], atol=0.1)
    assert len(as_kind(Polyline, filled[0].shape).lines[0]) == 2


def test_a_stretch_alone_is_as_in_the_whole():
    keyframes = keyframes_of("box", [2, 7, 12], (2, 1))
    tracks = slid_tracks(keyframes, T, (1, 1))
    whole = {one.t: one for one in fill_frames(keyframes, tracks, T, SIZE_PX)}
    stretch = find_stretches(keyframes, T)[1]
    some = {t: tracks[t] for t in stretch.sources}
    for one in fill_stretch(stretch, keyframes, some, T, SIZE_PX):
        np.testing.assert_array_equal(one.shape.vector, whole[one.t].shape.vector)


def test_what_does_not_fit_together_is_refused():
    keyframes = keyframes_of("box", [2, 7])
    tracks = slid_tracks(keyframes, T)
    with pytest.raises(ShapeError, match="The clip has 20 frames"):
        fill_frames(keyframes, tracks, 20, SIZE_PX)
    with pytest.raises(QueryError, match="has 5 frames"):
        fill_frames(keyframes, slid_tracks(keyframes, 5), 5, SIZE_PX)
    with pytest.raises(ShapeError, match="different shapes"):
        fill_frames([*keyframes, *keyframes_of("mask", [9])], tracks, T, SIZE_PX)
    outside = [Keyframe(1, Box([400, 0, 500, 9]))]
    with pytest.raises(QueryError, match="lies inside"):
        fill_frames(outside, {1: tracks[2]}, T, SIZE_PX)


@pytest.mark.parametrize("masked", [False, True])
def test_a_thing_that_moves_over_a_background_is_followed_by_a_real_tracker(masked: bool):
    rng = np.random.default_rng(4)
    background, thing = (
        cv2.resize(rng.integers(0, 255, (height // 4, width // 4, 3), np.uint8), (width, height))
        for height, width in ((240, 320), (60, 80))
    )
    frames = np.repeat(background[None], 10, axis=0)
    for t, frame in enumerate(frames):
        frame[80 + 2 * t : 140 + 2 * t, 60 + 9 * t : 140 + 9 * t] = thing
    xyxy = np.array([60.0, 80, 140, 140])
    shape = MaskedBox(xyxy, np.ones((60, 80))) if masked else Box(xyxy)
    seeds = query_seeds({(1, 0): shape}, SIZE_PX)
    tracks = seeds.split(load_tracker("optical-flow").track(frames, seeds.queries, backward=True))[1]
    for one in fill_frames([Keyframe(0, shape)], tracks, len(frames), SIZE_PX):
        assert box_iou(as_kind(Box, one.shape).xyxy, xyxy + one.t * np.array([9, 2, 9, 2])) > 0.9
        assert not one.interpolated
    assert one.t == 9
