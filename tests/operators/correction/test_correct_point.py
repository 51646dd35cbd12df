"""Placing a selected point, and following tracks again, as the App and as Python call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest

import point_tracking as pt

URI = "@fo-video/point-tracking/"
Opened = Callable[..., dict[str, Any]]


def _at(dataset: fo.Dataset, t: int, index: int) -> list[float]:
    return pt.read_tracks(dataset.first(), "tracks").xy[t, index - 1].tolist()


def test_they_run_at_once_and_are_never_scheduled() -> None:
    for name in ("correct_point", "retrack_corrections"):
        operator = foo.get_operator(URI + name)
        assert not operator.config.allow_delegated_execution
        assert not operator.resolve_execution_options(None).allow_delegated_execution


def test_a_selected_point_is_placed_and_its_track_followed(dataset: fo.Dataset, opened: Opened) -> None:
    foo.execute_operator(
        URI + "correct_point", opened((7, 2)), params={"x": 30.0, "y": 20.0, "tracker": "optical-flow"}
    )
    assert _at(dataset, 6, 2) == pytest.approx([30, 20], abs=1e-3)
    report: Any = pt.load_report(dataset, "correct_tracks")
    assert (report.tracker, report.total("num_tracks")) == ("optical-flow", 1)


def test_positions_that_were_only_stored_are_tracked_from_later(dataset: fo.Dataset, opened: Opened) -> None:
    for point, x in (((7, 2), 30.0), ((5, 3), 40.0)):
        params = {"x": x, "y": 20.0, "retrack": False}
        foo.execute_operator(URI + "correct_point", opened(point), params=params)
    assert "correct_tracks" not in dataset.list_runs()
    foo.execute_operator(URI + "retrack_corrections", opened(), params={"tracker": "optical-flow"})
    report: Any = pt.load_report(dataset, "correct_tracks")
    assert report.total("num_corrections") == 2
    assert _at(dataset, 6, 2) == pytest.approx([30, 20], abs=1e-3)


def test_calling_them_returns_the_report(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    correct, again = (foo.get_operator(URI + name) for name in ("correct_point", "retrack_corrections"))
    assert correct(sample, "tracks", [(2, 6, 30, 20)], retrack=False).total("num_stored") == 1
    assert again(sample, "tracks", tracker="optical-flow", progress=False).total("num_tracks") == 1
