"""Whole pictures laid on each other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.motion.alignment import AlignedSpans, align_pictures, span_bounds
from point_tracking.tracker.motion.background import PictureMotion

SIZE = (160, 120)
NO_CUTS = np.zeros(0, dtype=np.int64)


def steady(linear: complex, shift: complex, steps: int) -> PictureMotion:
    return PictureMotion(np.full(steps, linear), np.full(steps, shift))


def moved_pictures(motion: PictureMotion, rows: list[int], *, light: float, contrast: float) -> list[np.ndarray]:
    """A ground that moves, in JPEG blocks and darker every time, with a thing before it that stays."""
    rng = np.random.default_rng(3)
    ground = cv2.GaussianBlur(rng.normal(size=(480, 640)).astype(np.float32), (0, 0), 2.5)
    ground = 120 + contrast * ground / ground.std()
    thing = rng.uniform(0, 255, (50, 60)).astype(np.float32)
    pictures = []
    for k, row in enumerate(rows):
        linear, shift = motion.over(0, row)
        y, x = np.mgrid[: SIZE[1], : SIZE[0]]
        at = ((x - (SIZE[0] - 1) / 2) + 1j * (y - (SIZE[1] - 1) / 2) - shift) / linear
        seen = cv2.remap(
            ground, (at.real + 320).astype(np.float32), (at.imag + 240).astype(np.float32), cv2.INTER_CUBIC
        )
        seen[20:70, 30:90] = thing
        seen = np.clip(seen * light**k, 0, 255).astype(np.uint8)
        written = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
        read = np.asarray(cv2.imdecode(written, cv2.IMREAD_GRAYSCALE))
        pictures.append(np.repeat(read[..., None], 3, axis=2))
    return pictures


@pytest.mark.parametrize(
    ("linear", "shift"),
    [(1 + 0j, 0.5 + 0j), (1 + 0j, -0.2 - 0.4j), (np.exp(0.012j), 0j), (1.012 + 0j, 0j)],
    ids=["pan", "both ways", "roll", "zoom"],
)
def test_pictures_tell_what_tracks_that_lag_do_not(linear, shift):
    true = steady(linear, shift, 20)
    lagging = steady(linear**0.6, 0.6 * shift, 20)
    bounds = np.array([0, 10, 20])
    pictures = moved_pictures(true, bounds.tolist(), light=0.85, contrast=12)
    found = align_pictures(pictures, bounds, lagging, SIZE).corrected(NO_CUTS)
    corners = np.array([1, 1j, -1, -1j]) * 50
    after, wanted, before = (m.linear[:, None] * corners + m.shift_px[:, None] for m in (found, true, lagging))
    moved = np.abs(wanted - corners).mean()
    assert np.abs(before - wanted).mean() > 0.35 * moved
    assert np.abs(after - wanted).mean() < 0.05 * moved


def test_pictures_of_another_size_tell_it_in_pixels_of_the_frame():
    true, bounds = steady(1 + 0j, 0.5 + 0j, 10), np.array([0, 10])
    pictures = moved_pictures(true, bounds.tolist(), light=1.0, contrast=40)
    doubled = align_pictures(pictures, bounds, steady(1 + 0j, 0.8 + 0j, 10), (320, 240))
    assert doubled.shift_px[0] == pytest.approx(10, rel=0.03)


def test_something_small_before_plain_ground_is_not_the_picture():
    still, bounds = steady(1 + 0j, 0j, 10), np.array([0, 10])
    plain = np.repeat(np.linspace(60, 160, SIZE[0])[None], SIZE[1], axis=0)
    thing = np.random.default_rng(2).uniform(0, 255, (40, 60))
    pictures = []
    for x in (20, 24):
        seen = plain.copy()
        seen[30:70, x : x + 60] = thing
        pictures.append(np.repeat(seen[..., None], 3, axis=2).astype(np.uint8))
    assert not np.isfinite(align_pictures(pictures, bounds, still, SIZE).linear).any()


def test_where_pictures_tell_nothing_tracks_do():
    motion, bounds = steady(1 + 0j, 0.5 + 0j, 10), np.array([0, 10])
    flat = [np.full((120, 160, 3), 90, np.uint8)] * 2
    assert not np.isfinite(align_pictures(flat, bounds, motion, SIZE).linear).any()
    gone = steady(1 + 0j, 15 + 0j, 10)  # nothing of the picture is left
    pictures = moved_pictures(gone, bounds.tolist(), light=1.0, contrast=40)
    assert not np.isfinite(align_pictures(pictures, bounds, gone, SIZE).linear).any()
    unknown = steady(complex(np.nan), complex(np.nan), 10)
    assert not np.isfinite(align_pictures(pictures, bounds, unknown, SIZE).linear).any()


@settings(max_examples=50)
@given(
    turn=st.floats(-0.2, 0.2),
    growth=st.floats(0.8, 1.2),
    shift=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    shake=st.integers(0, 99),
)
def test_corrected_steps_go_where_their_span_does(turn, growth, shift, shake):
    rng = np.random.default_rng(shake)
    steps = PictureMotion(
        np.exp(rng.normal(0, 0.005, 12) + 1j * rng.normal(0, 0.005, 12)),
        rng.normal(0, 1, 12) + 1j * rng.normal(0, 1, 12),
    )
    spans = AlignedSpans(steps, np.array([0, 12]), np.array([growth * np.exp(1j * turn)]), np.array([complex(*shift)]))
    linear, moved = spans.corrected(NO_CUTS).over(0, 12)
    assert linear == pytest.approx(spans.linear[0])
    assert abs(moved - complex(*shift)) < 0.01


def test_a_span_with_a_cut_stays_as_tracks_tell_it():
    motion = steady(1 + 0j, 1 + 0j, 20)
    spans = AlignedSpans(motion, np.array([0, 10, 20]), np.array([1 + 0j, 1 + 0j]), np.array([20 + 0j, 20 + 0j]))
    shift = spans.corrected(np.array([10])).shift_px
    assert np.allclose(shift[:10], 2)
    assert np.allclose(shift[10:], 1)


@given(steps=st.integers(1, 400), fps=st.floats(1, 60))
def test_spans_go_from_the_first_frame_to_the_last(steps, fps):
    bounds = span_bounds(np.full(steps, 1 / fps))
    assert (bounds[0], bounds[-1]) == (0, steps)
    assert np.all(np.diff(bounds) >= 1)
    assert np.diff(bounds).max() <= max(1, 0.8 * fps + 1)


def test_one_frame_has_no_span():
    bounds = span_bounds(np.zeros(0))
    assert bounds.tolist() == [0]
    spans = align_pictures(
        [np.zeros((120, 160, 3), np.uint8)], bounds, PictureMotion(np.zeros(0, complex), np.zeros(0, complex)), SIZE
    )
    assert len(spans.linear) == 0
