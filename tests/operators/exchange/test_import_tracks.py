"""The operator that reads tracks from files."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest

import point_tracking as pt

URI = "@fo-video/point-tracking/import_tracks"


def test_executing_it_brings_tracks_back(dataset: fo.Dataset, tmp_path: Path):
    pt.export_tracks(dataset, "tracks", tmp_path / "all.csv", format="csv")
    params = {"format": "csv", "path": str(tmp_path / "all.csv"), "field": "back"}
    assert foo.execute_operator(URI, {"dataset": dataset}, params=params).error is None
    for sample in dataset:
        np.testing.assert_array_equal(pt.read_tracks(sample, "back").xy, pt.read_tracks(sample, "tracks").xy)


def test_called_from_python_it_is_import_tracks(dataset: fo.Dataset, tmp_path: Path):
    pt.export_tracks(dataset, "tracks", tmp_path / "out", format="npz")
    report = foo.get_operator(URI)(dataset, field="back", path=str(tmp_path / "out"), format="npz")
    assert [outcome.status for outcome in report.outcomes] == ["done", "done"]
    with pytest.raises(Exception, match=r"path.*Required"):
        foo.execute_operator(URI, {"dataset": dataset}, params={"format": "npz"})
