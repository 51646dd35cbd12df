"""Points on a label's shape, in pixels: on its box, inside its mask, along its line, its own points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone as fo
import numpy as np

from ....tracker.coordinates import denormalize_xy
from ....tracker.errors import MaskError, ShapeError
from ....tracker.queries.boxes import points_in_box
from ....tracker.queries.grid import as_mask
from ....tracker.queries.inside import points_inside
from ....tracker.queries.lines import points_along
from ...tracks.imported_numbers import number_array
from ..objects import LabelDocument, attribute_of

# why a label has no place for points, as it is told: "3 labels ..."
OUTSIDE = "lie outside the frame"
NO_AREA = "have no area"
NO_POSITION = "have no position"
EMPTY_MASK = "have an empty mask"
BAD_MASK = "have a mask that cannot be read"


class NoPlace(ValueError):
    """A label has no place for points.

    Args:
        reason: one of those above
        detail: what was found
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}")
        self.reason = reason
        self.detail = detail


def class_of(document: LabelDocument) -> str:
    """The name of a label's class."""
    return document["_cls"] if isinstance(document, Mapping) else type(document).__name__


def joints_of(document: LabelDocument, size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The points of a Keypoint.

    Args:
        document: the label
        size_px: (width, height) of the displayed frame

    Returns:
        xy: (J, 2) float64 pixels, NaN where unknown
        known: (J,) bool, whose place is known and not marked as hidden
    """
    points = list(attribute_of(document, "points") or ())
    if not points:
        return np.empty((0, 2)), np.empty(0, dtype=bool)
    xy = denormalize_xy(number_array(points).reshape(-1, 2), size_px)  # (J, 2)
    hidden = attribute_of(document, "occluded")
    if isinstance(hidden, list | tuple):
        covered = np.array([*map(bool, hidden), *[False] * len(xy)][: len(xy)])
    else:
        covered = np.full(len(xy), bool(hidden))
    return xy, np.isfinite(xy).all(axis=1) & ~covered


def points_on(document: LabelDocument, num_points: int, size_px: tuple[int, int]) -> np.ndarray:
    """About so many points on a box, a mask or a line.

    Args:
        document: Detection, Polyline, Segmentation, or what `class_labels` makes of one
        num_points: that are wanted
        size_px: (width, height) of the displayed frame

    Returns:
        (K, 2) float64 pixels, K >= 1; those on a line may lie outside the frame, others do not

    Raises:
        NoPlace: if there is none
    """
    cls = class_of(document)
    if cls == "Polyline":
        return _on_line(document, num_points, size_px)
    if cls == "Detection":
        return _in_detection(document, num_points, size_px)
    return points_inside(_filled(segmentation_mask(document)), num_points, size_px)


def segmentation_mask(document: LabelDocument) -> np.ndarray:
    """(H', W') of a Segmentation, nonzero = object; of what `class_labels` makes of one, its class.

    Raises:
        NoPlace: if it cannot be read
    """
    if class_of(document) == "ClassMask":
        return values_in(attribute_of(document, "segmentation")) == attribute_of(document, "value")
    return values_in(document)


def values_in(document: LabelDocument) -> np.ndarray:
    """The array of a Segmentation, as it is stored.

    Raises:
        NoPlace: if it cannot be read
    """
    return _mask_in(fo.Segmentation, document)


def _in_detection(document: LabelDocument, num_points: int, size_px: tuple[int, int]) -> np.ndarray:
    corner, extent = _box_px(document, size_px)
    if attribute_of(document, "mask") is None and attribute_of(document, "mask_path") is None:
        xy = points_in_box(*_inside(corner, extent, size_px), num_points)
    else:
        mask = _filled(_mask_in(fo.Detection, document))
        xy = corner + points_inside(mask, num_points, tuple(np.maximum(extent, 1).tolist()))
        xy = xy[((xy >= -0.5) & (xy <= np.array(size_px) - 0.5)).all(axis=1)]
        if not len(xy):
            raise NoPlace(OUTSIDE)
    return np.clip(xy, 0, np.array(size_px) - 1.0)


def _box_px(document: LabelDocument, size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Corner and extent (x, y) of a box in pixels."""
    box = number_array(list(attribute_of(document, "bounding_box") or ()))
    if box.shape != (4,) or not np.isfinite(box).all():
        raise NoPlace(NO_POSITION)
    if (box[2:] <= 0).any():
        raise NoPlace(NO_AREA)
    return box[:2] * size_px, box[2:] * size_px


def _inside(corner: np.ndarray, extent: np.ndarray, size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The part of a box that lies in the frame."""
    first, last = np.maximum(corner, 0), np.minimum(corner + extent, size_px)
    if (last <= first).any():
        raise NoPlace(OUTSIDE)
    return first, last - first


def _on_line(document: LabelDocument, num_points: int, size_px: tuple[int, int]) -> np.ndarray:
    shapes = [number_array(list(shape)).reshape(-1, 2) for shape in attribute_of(document, "points") or () if shape]
    shapes = [shape[np.isfinite(shape).all(axis=1)] for shape in shapes]
    if not any(len(shape) for shape in shapes):
        raise NoPlace(NO_POSITION)
    closed = bool(attribute_of(document, "closed"))
    return np.concatenate(
        points_along([denormalize_xy(shape, size_px) for shape in shapes], num_points, closed=closed)
    )  # (K, 2)


def _mask_in(kind: Any, document: LabelDocument) -> np.ndarray:
    """The mask that a Detection or Segmentation holds, or that lies in its file."""
    try:
        label = kind.from_dict(dict(document)) if isinstance(document, Mapping) else document
        mask = label.get_mask()
    except Exception as error:  # damaged files and bytes fail in as many ways as there are decoders
        raise NoPlace(BAD_MASK, str(attribute_of(document, "mask_path") or error)) from error
    if mask is None:
        raise NoPlace(BAD_MASK, str(attribute_of(document, "mask_path") or "it holds none"))
    return np.asarray(mask)


def _filled(mask: np.ndarray) -> np.ndarray:
    """(H', W') bool of a mask that is not empty."""
    try:
        inside = as_mask(mask)
    except (MaskError, ShapeError) as error:
        raise NoPlace(BAD_MASK, str(error)) from error
    if not inside.any():
        raise NoPlace(EMPTY_MASK)
    return inside
