"""Pictures for collages: varied, repeatable, and none for two purposes."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.training.selection.photographs import FOR_CHOOSING, FOR_FITTING, photograph, varied_pictures


@pytest.mark.parametrize("name", ["camera", "coffee", "flower"])
def test_photographs_are_in_colour(name: str):
    assert photograph(name).shape[2] == 3
    assert photograph(name).dtype == np.uint8


def test_no_photograph_is_fitted_to_and_chosen_by():
    assert not set(FOR_FITTING) & set(FOR_CHOOSING)


def test_pictures_are_varied_and_repeatable():
    assert photograph("camera").shape[2] == 3
    first, again = (varied_pictures(("coffee", "chelsea"), 4, 1, seed=3) for _ in range(2))
    assert len(first) == 5
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert first[0].shape != first[2].shape
