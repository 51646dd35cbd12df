"""Datasets that loaders make: names, folders, and samples with known tracks."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from judged_clips import NUM_FRAMES, NUM_POINTS, truth_xy

import point_tracking as pt
from point_tracking.tracker.errors import OptionError, OutputError
from point_tracking.workflows.exchange.new_dataset import add_known_tracks, media_folder, new_dataset


def test_a_name_that_is_taken_is_refused(no_datasets_stay: None) -> None:
    made = new_dataset("loaded", persistent=True)
    assert (made.name, made.persistent) == ("loaded", True)
    with pytest.raises(OptionError, match="a dataset 'loaded' already"):
        new_dataset("loaded", persistent=False)
    assert new_dataset(None, persistent=False).name != new_dataset(None, persistent=False).name


def test_media_lie_where_told_or_with_fiftyones_own(tmp_path: Path) -> None:
    assert media_folder(tmp_path / "a" / "b", "name") == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()
    own = media_folder(None, "name")
    assert own == Path(fo.config.default_dataset_dir, "name")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be made"):
        media_folder(tmp_path / "file" / "below", "name")


def test_known_tracks_come_with_the_queries_of_their_points(no_datasets_stay: None, clip: Path) -> None:
    dataset = fo.Dataset()
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[:2, 0] = False
    valid = np.ones_like(visible)
    valid[9:, 1] = False
    facts = {"clip": "a"}
    add_known_tracks(dataset, str(clip), truth_xy(), visible, "gt", facts, sparse=True, valid=valid)
    sample = dataset.first()
    assert (sample["clip"], sample["gt_sparse"]) == ("a", True)
    assert sample["queries"] == [[2, 22.0, 60.0], [0, 50.0, 60.0], [0, 80.0, 60.0]]
    tracks = pt.read_tracks(sample, "gt")
    np.testing.assert_array_equal(tracks.visible, visible & valid)
    np.testing.assert_allclose(tracks.xy[valid], truth_xy()[valid], atol=1e-4)
    assert np.isnan(tracks.xy[~valid]).all()
    given = [[1, 5.0, 6.0]]
    add_known_tracks(dataset, str(clip), truth_xy(), visible, "gt", facts, sparse=False, queries=given)
    assert dataset.last()["queries"] == given
