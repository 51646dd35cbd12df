"""About so many points inside a mask: how many there are, where they lie, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import point_tracking as pt
from point_tracking.tracker.errors import MaskError, OptionError
from point_tracking.tracker.queries.inside import MAX_POINTS_PER_OBJECT, points_inside

MASKS = hnp.arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40)))
SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90))


def disc(width: int, height: int, middle: tuple[float, float], radius: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (x - middle[0]) ** 2 + (y - middle[1]) ** 2 <= radius**2


def read_at(mask: np.ndarray, xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """The mask at positions of the frame it is stretched over."""
    at = np.round((xy + 0.5) / np.array(size_px) * mask.shape[::-1], 6)  # on an edge rounding must not decide
    column, row = np.minimum(np.floor(at), np.array(mask.shape[::-1]) - 1).astype(int).T
    return mask[row, column]


@given(MASKS, st.integers(1, 400))
def test_every_point_lies_on_the_mask_and_none_comes_twice(mask, num_points):
    height, width = mask.shape
    xy = points_inside(mask, num_points, (width, height))
    assert len(np.unique(xy, axis=0)) == len(xy)
    assert read_at(mask, xy, (width, height)).all()
    assert bool(len(xy)) == mask.any()
    assert len(xy) <= mask.sum()


@given(MASKS, SIZES, st.integers(1, 400))
def test_masks_of_any_size_give_points_in_the_frame(mask, size_px, num_points):
    xy = points_inside(mask, num_points, size_px)
    assert bool(len(xy)) == mask.any()
    assert (xy >= 0).all()
    assert (xy <= np.array(size_px) - 1).all()
    if size_px[0] >= mask.shape[1] and size_px[1] >= mask.shape[0]:
        assert read_at(mask, xy, size_px).all()


@given(st.integers(1, 200), st.floats(12, 150), st.floats(160, 480), st.floats(155, 205))
def test_a_compact_object_gets_about_so_many_points_whatever_its_size(num_points, radius, x, y):
    mask = disc(640, 360, (x, y), radius)
    found = len(points_inside(mask, num_points, (640, 360)))
    assert abs(found - num_points) <= max(2, 0.12 * num_points)


def test_points_cover_the_object_evenly():
    mask = disc(640, 360, (200, 150), 60)
    xy = points_inside(mask, 100, (640, 360))
    distances = np.linalg.norm(xy[:, None] - xy[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    spacing = np.sqrt(mask.sum() / 100)
    np.testing.assert_allclose(distances.min(axis=1), spacing, rtol=0.15)
    # no pixel of the object is far from a point
    pixels = np.argwhere(mask)[:, ::-1]
    assert np.linalg.norm(pixels[:, None] - xy[None], axis=-1).min(axis=1).max() < 1.2 * spacing
    np.testing.assert_allclose(xy.mean(axis=0), (200, 150), atol=spacing / 2)


@pytest.mark.parametrize("shape", ["row", "column", "slope", "pieces"])
def test_thin_and_broken_objects_get_points_too(shape):
    mask = np.zeros((200, 300), bool)
    if shape == "row":
        mask[77, 20:280] = True
    elif shape == "column":
        mask[20:180, 33] = True
    elif shape == "slope":
        mask[np.arange(10, 190), np.arange(10, 190)] = True
    else:
        mask[10:20, 10:30] = mask[170:180, 260:280] = True
    assert abs(len(points_inside(mask, 12, (300, 200))) - 12) <= 3


def test_a_small_object_that_a_grid_misses_is_covered():
    mask = disc(1280, 720, (901, 333), 9)
    assert len(pt.grid_queries(20, height=720, width=1280, mask=mask)) <= 1
    queries = pt.inside_queries(mask, 40, height=720, width=1280, frame_index=3)
    assert abs(len(queries) - 40) <= 4
    assert queries.origin == "masked_grid"
    assert (queries.t == 3).all()
    queries.check_inside((1280, 720))


def test_wishes_that_cannot_be_met_are_refused():
    mask = np.ones((4, 4), bool)
    for wrong in (0, -1, 2.5, True, "many", MAX_POINTS_PER_OBJECT + 1):
        with pytest.raises(OptionError, match="points on an object"):
            points_inside(mask, wrong, (4, 4))
    with pytest.raises(MaskError, match="shape"):
        points_inside(np.ones(4), 3, (4, 4))
    with pytest.raises(OptionError, match="0 x 4"):
        points_inside(mask, 3, (0, 4))
    with pytest.raises(OptionError, match="frame index"):
        pt.inside_queries(mask, 3, height=4, width=4, frame_index=-1)
    assert len(pt.inside_queries(np.zeros((4, 4)), 3, height=4, width=4)) == 0
