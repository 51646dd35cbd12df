"""The points that an evaluation asks for."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from judged_clips import NUM_FRAMES, NUM_POINTS, no_truth, replace, truth_xy

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldError, OptionError


def test_each_point_is_asked_for_where_it_is_visible_first(dataset: fo.Dataset) -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[:4, 0], visible[:, 2] = False, False
    replace(dataset.first(), "truth", truth_xy(), visible)
    no_truth(dataset.last())
    queries = pt.truth_queries(dataset, "truth")
    assert list(queries) == [dataset.first().id], "samples without known tracks are left out"
    (rows,) = queries.values()
    assert rows == [(4, pytest.approx(24), pytest.approx(60)), (0, pytest.approx(50), pytest.approx(60))]
    assert all(isinstance(value, int | float) and not isinstance(value, np.generic) for row in rows for value in row)
    assert [row[0] for row in pt.truth_queries(dataset, "truth", query_mode="strided")[dataset.first().id]] == [
        5,
        10,
        0,
        5,
        10,
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"gt_field": "absent"}, FieldError),
        ({"gt_field": "numbers"}, FieldError),
        ({"gt_field": "truth", "query_mode": "last"}, OptionError),
    ],
)
def test_what_cannot_be_asked_is_refused(refusing: fo.Dataset, arguments: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        pt.truth_queries(refusing, **arguments)


def test_other_collections_are_refused() -> None:
    with pytest.raises(CollectionError):
        pt.truth_queries([1], "truth")
