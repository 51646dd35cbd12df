"""Which tracks selected labels are of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.store.corrections.selected_labels import SelectedPoint, selected_points
from point_tracking.store.database.frame_documents import FrameStore

SIZE = (160, 120)


@pytest.mark.parametrize("layout", ["points", "objects"])
def test_labels_are_looked_up_by_frame_and_id(make_dataset: Callable[..., fo.Dataset], clip: Path, layout: str) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    xy = np.full((12, 3, 2), 10.0) + np.arange(3)[None, :, None]
    visible = np.ones((12, 3), bool)
    visible[4, 1] = False
    tracks = pt.Tracks(xy, visible, np.ones((12, 3)), labels=["a", "a", "b"], objects=[1, 1, 2])
    pt.write_tracks(sample, "tracks", tracks, layout=layout)
    store = FrameStore(dataset, "tracks")
    first, late = (sample.frames[number]["tracks"].keypoints for number in (2, 5))
    named = [(2, first[-1].id), (5, late[0].id), (5, "0" * 24), (11, late[0].id)]
    found = selected_points(store, sample.id, layout, SIZE, named)
    assert [(one.index, one.t, one.called) for one in found if one.xy is not None] == [(3, 1, "b"), (1, 4, "a")]
    np.testing.assert_allclose(np.array(found[0].xy), [12, 12], atol=1e-4)
    hidden = [one for one in found if one.xy is None]
    assert hidden == ([SelectedPoint(2, 4, None, "a")] if layout == "objects" else [])
