"""Which tracks a person means; what is refused: `test_edit_points`."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import pytest

from point_tracking.operators.correction.selected import open_sample_of, selection_of


def _ctx(context: dict[str, Any]) -> Any:
    return SimpleNamespace(**{"current_sample": None, "selected_labels": [], "params": {}, **context})


def test_points_are_in_order_of_time_and_told_in_words(dataset: fo.Dataset, opened: Callable[..., dict]) -> None:
    chosen = selection_of(_ctx(opened((7, 2), (3, 5), (7, 1))))
    assert [(one.t, one.index) for one in chosen.points] == [(2, 5), (6, 1), (6, 2)]
    assert (chosen.indices, chosen.first_t, chosen.label_field) == ([1, 2, 5], 2, "tracks")
    assert str(chosen) == "tracks 1, 2, 5"


def test_the_sample_is_the_open_one_or_that_of_the_labels(dataset: fo.Dataset, opened: Callable[..., dict]) -> None:
    context = opened((7, 2))
    assert open_sample_of(_ctx(context)).id == dataset.first().id
    context["current_sample"] = None
    assert open_sample_of(_ctx(context)).id == dataset.first().id
    with pytest.raises(Exception, match="No video is open"):
        open_sample_of(_ctx({"dataset": dataset}))
