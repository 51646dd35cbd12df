"""Points to track out of a field: keypoints of samples or frames, or a list of (t, x, y).

What else a person can point with gets a module of its own beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.sample import SampleView

from ...tracker.coordinates import denormalize_xy, frame_index_of, inside_frame
from ...tracker.errors import FieldError
from ...tracker.queries import point_queries
from ...tracker.types import Queries
from .fields import find_field

POINT_TYPES = (fo.Keypoints, fo.Keypoint)


def read_points(
    sample: fo.Sample | SampleView, points_field: str, frame_index: int, size_px: tuple[int, int], warnings: list[str]
) -> Queries:
    """Reads the points of one sample.

    Args:
        sample: with the field
        points_field: "field" or "frames.field"
        frame_index: the frame that keypoints on the sample itself belong to
        size_px: (width, height) of the displayed frame
        warnings: receives what the user should know, in words

    Returns:
        Queries in pixels of the displayed frame

    Raises:
        FieldError: if the field cannot hold points
        EmptyQueriesError: if it holds none for this sample
    """
    name, on_frames, found = find_field(sample.dataset, points_field)
    nothing = f"The field {points_field!r} holds no points for this sample"
    if isinstance(found, fo.ListField):
        if on_frames:
            raise FieldError(f"The points field {points_field!r} is a list on frames; a list belongs on samples")
        rows = sample[name] or []
        return point_queries(rows).require_any(nothing)
    if on_frames:
        labels = [(frame_index_of(n), sample.frames[n][name]) for n in sorted(sample.frames)]
    else:
        labels = [(frame_index, sample[name])]
    rows = list(_first_appearances(labels, size_px))
    inside = [row for row in rows if inside_frame(np.array(row[1:]), size_px)]
    if len(inside) < len(rows):
        warnings.append(f"{len(rows) - len(inside)} of {len(rows)} points in {points_field!r} lie outside the frame")
    return point_queries(inside).require_any(nothing)


def _first_appearances(labels: Sequence[tuple[int, Any]], size_px: tuple[int, int]):
    """Yields (t, x, y) of every point; a keypoint with an index counts in the first frame it is seen in."""
    seen: set[int] = set()
    for t, label in labels:
        keypoints = [] if label is None else label.keypoints if isinstance(label, fo.Keypoints) else [label]
        for keypoint in keypoints:
            hidden = "occluded" in keypoint and keypoint["occluded"]
            if hidden or (keypoint.index is not None and keypoint.index in seen):
                continue
            xy = denormalize_xy(np.array(keypoint.points, dtype=np.float64).reshape(-1, 2), size_px)
            known = xy[np.isfinite(xy).all(axis=1)]
            if keypoint.index is not None and len(known):
                seen.add(keypoint.index)
            for x, y in known.tolist():
                yield t, x, y
