"""The operator that writes tracks to files."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import pytest

from point_tracking.operators.exchange.export_tracks_form import field_of, path_of
from point_tracking.tracker.errors import OptionError

URI = "@fo-video/point-tracking/export_tracks"


def test_called_from_python_it_is_export_tracks(dataset: fo.Dataset, tmp_path: Path):
    report = foo.get_operator(URI)(dataset, field="tracks", path=str(tmp_path / "out"), format="npz")
    assert len(report.outcomes) == 2
    assert len(list((tmp_path / "out").glob("*.npz"))) == 2


def test_executing_it_writes_files_and_goes_on_where_it_was_cut_off(dataset: fo.Dataset, tmp_path: Path):
    params = {"format": "coco", "field": "tracks", "path": str(tmp_path / "out"), "more": {"min_length": 2}}
    assert foo.execute_operator(URI, {"view": dataset.limit(1)}, params=params).error is None
    assert len(list((tmp_path / "out").glob("*_*.json"))) == 1
    params["existing"] = "skip_existing"
    assert foo.execute_operator(URI, {"dataset": dataset}, params=params).error is None
    assert len(list((tmp_path / "out").glob("*_*.json"))) == 2


def test_what_is_missing_is_told(dataset: fo.Dataset):
    with pytest.raises(OptionError, match="field to export"):
        field_of({})
    with pytest.raises(OptionError, match="where the files shall be"):
        path_of({"path": " "})
    with pytest.raises(Exception, match=r"path.*Required"):
        foo.execute_operator(URI, {"dataset": dataset}, params={"format": "csv", "field": "tracks"})
