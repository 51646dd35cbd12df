"""Numbers are taken as people hold them: lists, arrays, and tensors that need gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.arrays import detached
from point_tracking.tracker.errors import QueryError

POINTS = [[0, 5.0, 6.0], [2, 7.5, 8.0]]
HELD: dict[str, Callable[[list[list[float]]], Any]] = {
    "list": lambda rows: rows,
    "tuples": lambda rows: tuple(tuple(row) for row in rows),
    "array": np.array,
    "float32": lambda rows: np.array(rows, dtype=np.float32),
    "arrays": lambda rows: [np.array(row) for row in rows],
    "tensor": torch.tensor,
    "needs gradients": lambda rows: torch.tensor(rows, requires_grad=True),
    "bfloat16": lambda rows: torch.tensor(rows, dtype=torch.bfloat16),
    "tensors": lambda rows: [torch.tensor(row, requires_grad=True) for row in rows],
    "numbers": lambda rows: [[torch.tensor(float(value), requires_grad=True) for value in row] for row in rows],
    "generator": lambda rows: (row for row in rows),
}


@pytest.mark.parametrize("held", HELD)
def test_points_are_taken_in_whatever_they_are_held(held: str) -> None:
    queries = pt.point_queries(HELD[held](POINTS))
    np.testing.assert_array_equal(queries.t, [0, 2])
    np.testing.assert_array_equal(queries.xy, [[5, 6], [7.5, 8]])


def test_queries_tracks_frames_and_masks_too() -> None:
    queries = pt.Queries(t=torch.tensor([0, 2]), xy=torch.tensor([[5.0, 6.0], [7.5, 8.0]], requires_grad=True))
    np.testing.assert_array_equal(queries.xy, [[5, 6], [7.5, 8]])
    xy = torch.ones(3, 2, 2, requires_grad=True)
    tracks = pt.Tracks(xy=xy, visible=torch.ones(3, 2, dtype=torch.bool), confidence=torch.ones(3, 2, dtype=torch.half))
    assert tracks.xy.dtype == np.float32
    mask = torch.zeros(12, 16, requires_grad=True)
    with torch.no_grad():
        mask[:, :8] = 1
    assert len(pt.grid_queries(4, height=48, width=64, mask=mask)) == 8  # type: ignore[arg-type]
    frames = torch.zeros(3, 48, 64, 3, dtype=torch.uint8)
    answer = pt.load_tracker("optical-flow").track(frames, pt.point_queries([(0, 5, 5)]))  # type: ignore[arg-type]
    assert answer.num_frames == 3


@pytest.mark.parametrize("points", [torch.zeros(2, 2), np.zeros(3), [["a", 1, 2]], 7, torch.tensor(1.0), [[0, 1]]])
def test_what_is_no_point_is_refused_in_words(points: Any) -> None:
    with pytest.raises(QueryError, match=r"\(t, x, y\)"):
        pt.point_queries(points)


def test_anything_else_stays() -> None:
    assert detached("frames.x") == "frames.x"
    array = np.arange(3)
    assert detached(array) is array
