"""Grid and mask rules, derived again with torch and exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import point_tracking as pt
from point_tracking.tracker.errors import MaskError, OptionError
from point_tracking.tracker.queries.grid import MAX_GRID_SIZE, grid_points, read_mask_at

MASKS = hnp.arrays(
    st.sampled_from([np.bool_, np.uint8, np.int32, np.float32]),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    elements=st.sampled_from([0, 1]),
)


def exact_grid(g: int) -> list[tuple[Fraction, Fraction]]:
    """The grid in the 512 x 384 frame, in exact arithmetic."""
    if g == 1:
        return [(Fraction(256), Fraction(192))]
    return [
        (8 + Fraction(496 * i, g - 1), 8 + Fraction(368 * j, g - 1))  # 504 - 8 and 376 - 8
        for j in range(g)
        for i in range(g)
    ]


def published_choice(mask: np.ndarray, g: int) -> np.ndarray:
    """Which grid points a mask keeps, as the published predictor finds them."""
    resized = torch.nn.functional.interpolate(
        torch.from_numpy(mask.astype(np.float32))[None, None], (384, 512), mode="nearest"
    )[0, 0]
    if g == 1:
        x, y = torch.tensor([256.0]), torch.tensor([192.0])
    else:
        y, x = torch.meshgrid(torch.linspace(8, 376, g), torch.linspace(8, 504, g), indexing="ij")
    return (resized[torch.round(y.flatten()).long(), torch.round(x.flatten()).long()] != 0).numpy()


def test_golden_values():
    size = {"height": 384, "width": 512}
    assert pt.grid_queries(1, **size).xy.tolist() == [[256, 192]]
    assert pt.grid_queries(2, **size).xy.tolist() == [[8, 8], [504, 8], [8, 376], [504, 376]]
    x, y = [8, 256, 504], [8, 192, 376]
    assert pt.grid_queries(3, **size).xy.tolist() == [[a, b] for b in y for a in x]
    full_hd = pt.grid_queries(1, height=1080, width=1920).xy[0]
    np.testing.assert_allclose(full_hd, [256 * 1919 / 511, 192 * 1079 / 383], rtol=1e-14)


@given(st.integers(1, 40), st.integers(1, 3000), st.integers(1, 3000), st.integers(0, 500))
def test_grid_rule(g, width, height, frame_index):
    queries = pt.grid_queries(g, height=height, width=width, frame_index=frame_index)
    expected = [(float(x) * (width - 1) / 511, float(y) * (height - 1) / 383) for x, y in exact_grid(g)]
    np.testing.assert_allclose(queries.xy, expected, rtol=1e-12, atol=1e-9)
    assert queries.origin == "grid"
    assert (queries.t == frame_index).all()
    queries.check_inside((width, height))


@given(MASKS, st.integers(1, 40))
def test_mask_rule_agrees_with_torch(mask, g):
    queries = pt.grid_queries(g, height=384, width=512, mask=mask)
    keep = published_choice(mask, g)
    np.testing.assert_array_equal(queries.xy, grid_points(g)[keep])
    assert queries.origin == "masked_grid"


@settings(max_examples=20)
@given(st.integers(2, MAX_GRID_SIZE))
def test_mask_is_read_at_the_grid_point_rounded_half_to_even(g):
    columns = np.broadcast_to(np.arange(512), (384, 512))
    rows = np.broadcast_to(np.arange(384)[:, None], (384, 512))
    exact = (
        exact_grid(g) if g <= 60 else [(8 + Fraction(496 * i, g - 1), 8 + Fraction(368 * i, g - 1)) for i in range(g)]
    )
    xy = np.array(exact, dtype=np.float64)
    for k in (0, 1):
        plane = (columns, rows)[k]
        expected = np.array([round(point[k]) for point in exact])
        # read every bit of the coordinate through a mask of its own
        read = sum(read_mask_at(plane >> bit & 1, xy).astype(int) << bit for bit in range(9))
        np.testing.assert_array_equal(read, expected)


def test_a_tie_that_float64_misses_is_still_a_tie():
    # point 45 of 161 lies at 8 + 368 * 45 / 160 = 111.5, for which linspace gives 111.49999999999999
    mask = np.zeros((384, 512), bool)
    mask[112] = True
    assert 45 in np.flatnonzero(read_mask_at(mask, grid_points(161))) // 161


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int64, np.float32, np.float64])
def test_every_type_of_mask_selects_the_same_points(dtype):
    mask = np.zeros((96, 128), dtype)
    mask[20:60, 30:90] = True
    reference = pt.grid_queries(12, height=720, width=1296, mask=mask.astype(np.float32))
    queries = pt.grid_queries(12, height=720, width=1296, mask=mask)
    assert 0 < len(queries) < 144
    np.testing.assert_array_equal(queries.xy, reference.xy)


def test_small_and_negative_values_count_as_on_the_object():
    assert len(pt.grid_queries(3, height=30, width=40, mask=np.full((30, 40), 1e-9))) == 9
    assert len(pt.grid_queries(3, height=30, width=40, mask=np.full((30, 40), -1))) == 9


def test_an_image_of_a_mask_counts_where_it_has_any_colour():
    flat = np.zeros((48, 64), np.uint8)
    flat[10:30, 5:40] = 255
    reference = pt.grid_queries(9, height=480, width=640, mask=flat).xy
    rgba = np.zeros((48, 64, 4), np.uint8)
    rgba[..., 1] = flat
    rgba[..., 3] = 255  # opaque everywhere
    for image in (flat[..., None], rgba[..., :3], rgba):
        np.testing.assert_array_equal(pt.grid_queries(9, height=480, width=640, mask=image).xy, reference)


def test_an_empty_mask_selects_nothing():
    queries = pt.grid_queries(5, height=48, width=64, mask=np.zeros((48, 64), bool))
    assert len(queries) == 0
    assert queries.origin == "masked_grid"


@pytest.mark.parametrize("shape", [(5,), (0, 5), (5, 5, 2), (2, 5, 5, 3), ()])
def test_masks_that_are_no_pictures_are_refused(shape):
    with pytest.raises(MaskError, match=r"Expected \(height, width\)"):
        pt.grid_queries(5, height=48, width=64, mask=np.ones(shape))


@pytest.mark.parametrize("grid_size", [0, -3, 2.0, "4", None, True, MAX_GRID_SIZE + 1])
def test_bad_grid_sizes_are_refused(grid_size):
    with pytest.raises(OptionError, match="Invalid grid size"):
        pt.grid_queries(grid_size, height=48, width=64)


@pytest.mark.parametrize("frame_index", [-1, 0.0, "0", None, False])
def test_bad_frame_indices_are_refused(frame_index):
    with pytest.raises(OptionError, match="Invalid frame index"):
        pt.grid_queries(3, height=48, width=64, frame_index=frame_index)


def test_a_frame_without_area_is_refused():
    with pytest.raises(OptionError, match="64 x 0"):
        pt.grid_queries(3, height=0, width=64)


def test_numpy_integers_are_whole_numbers():
    assert len(pt.grid_queries(np.int64(3), height=48, width=64, frame_index=np.int32(2))) == 9  # pyright: ignore[reportArgumentType]
