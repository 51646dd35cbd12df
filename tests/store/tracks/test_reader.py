"""Tracks out of the database, of ours and of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt
from point_tracking.tracker.errors import (
    FieldError,
)

SIZE = media.SIZE


MakeDataset = Callable[..., fo.Dataset]


def _shown(tracks: pt.Tracks) -> np.ndarray:
    x, y = tracks.xy[..., 0], tracks.xy[..., 1]
    return tracks.visible & (x >= 0) & (y >= 0) & (x <= SIZE[0] - 1) & (y <= SIZE[1] - 1)


@pytest.mark.parametrize(("layout", "keep_hidden"), [("points", False), ("points", True), ("frame", False)])
def test_tracks_come_back_as_written(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator, layout: str, keep_hidden: bool
) -> None:
    tracks = random_tracks(rng, 12, 23, SIZE, share_visible=0.5)
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", tracks, layout=layout, keep_hidden=keep_hidden)
    back = pt.read_tracks(sample, "tracks")
    shown = _shown(tracks)
    np.testing.assert_array_equal(back.visible, shown)
    kept = np.isfinite(tracks.xy).all(axis=2) if keep_hidden else shown
    np.testing.assert_allclose(back.xy[kept], tracks.xy[kept], atol=1e-4)
    assert np.isnan(back.xy[~kept]).all()
    np.testing.assert_array_equal(back.confidence, np.where(kept, tracks.confidence, 0))


def test_the_number_of_points_is_remembered_where_none_is_visible(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    hidden = pt.Tracks(xy=np.zeros((12, 5, 2)), visible=np.zeros((12, 5), dtype=bool), confidence=np.zeros((12, 5)))
    pt.write_tracks(sample, "tracks", hidden)
    assert pt.read_tracks(sample, "tracks").xy.shape == (12, 5, 2)
    assert sample["tracks_info"].state == "done"
    assert sample["tracks_info"].num_keypoints == 0


def test_keypoints_of_others_are_read_by_their_index(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    sample.frames[2]["joints"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.5, 0.25)], index=3)])
    sample.save()
    tracks = pt.read_tracks(sample, "joints")
    assert tracks.xy.shape == (12, 3, 2)
    np.testing.assert_allclose(tracks.xy[1, 2], [0.5 * SIZE[0], 0.25 * SIZE[1]])
    assert tracks.visible.sum() == 1
    sample.frames[3]["joints"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.5, 0.25)])])
    sample.save()
    with pytest.raises(FieldError, match="no index"):
        pt.read_tracks(sample, "joints")
    with pytest.raises(FieldError, match="no frame field"):
        pt.read_tracks(sample, "nothing")
