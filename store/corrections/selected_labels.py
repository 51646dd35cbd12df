"""Which tracks labels that were selected in the App are of: it names them by their ids alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...tracker.coordinates import denormalize_xy, frame_index_of
from ..database.frame_documents import FrameStore
from ..tracks.imported_numbers import number_array
from .frame_edits import track_places


@dataclass(frozen=True)
class SelectedPoint:
    """A point of a track in one frame.

    Args:
        index: of the track, from 1
        t: frame index, from 0
        xy: pixels of the displayed frame; None where it is hidden there
        called: its label, and which point of its skeleton it is, where it is one of one
    """

    index: int
    t: int
    xy: tuple[float, float] | None
    called: str


def selected_points(
    store: FrameStore,
    sample_id: str,
    layout: str,
    size_px: tuple[int, int],
    labels: Iterable[tuple[int, str]],
) -> list[SelectedPoint]:
    """Looks up points by the ids of their keypoints.

    Args:
        store: of the label field
        sample_id: the sample
        layout: that its tracks are stored in
        size_px: (width, height) of the displayed frame
        labels: (frame number, id of the keypoint)

    Returns:
        by time and track; of a keypoint with several points all of them. Ids that are not found are left out
    """
    wanted = {(number, label_id) for number, label_id in labels}
    stored = store.labels(sample_id)
    found = []
    for number in sorted({number for number, _ in wanted} & set(stored)):
        for keypoint in stored[number].get("keypoints") or ():
            if (number, str(keypoint["_id"])) not in wanted:
                continue
            for place, index in track_places(keypoint, layout):
                at = number_array([keypoint["points"][place]]).reshape(-1, 2)  # (1, 2)
                x, y = denormalize_xy(at, size_px)[0].tolist()
                called = " ".join(filter(None, [keypoint.get("label"), keypoint.get("node")])) or "point"
                xy = (x, y) if np.isfinite([x, y]).all() else None
                found.append(SelectedPoint(index, int(frame_index_of(number)), xy, called))
    return sorted(found, key=lambda one: (one.t, one.index))
