"""Labels as shapes that can be carried, and back: what FiftyOne stores of boxes, masks, polylines and keypoints.

Adding a label type: a line in `FIELD_TYPES`, and its two directions in `shape_of` and `geometry_of`.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np

from ...tracker.coordinates import denormalize_xy, normalize_xy
from ...tracker.errors import FieldError, MaskError, ShapeError
from ...tracker.propagation import Box, MaskedBox, PointSet, Polyline, Shape
from ..database.fields import FRAMES_PREFIX, type_name
from ..tracks.imported_numbers import number_array
from .objects import LISTS

FIELD_TYPES = (fo.Detections, fo.Polylines, fo.Keypoints)
_MASK_KEYS = ("mask", "mask_path")


def check_shapes_field(dataset: fo.Dataset, name: str) -> str:
    """Refuses a field that holds no labels that can be carried.

    Args:
        dataset: the dataset
        name: of a frame field; "frames." may be left out

    Returns:
        the name without the prefix

    Raises:
        FieldError: saying what was found and what is supported
    """
    bare = name.removeprefix(FRAMES_PREFIX) if isinstance(name, str) else name
    found = (dataset.get_frame_field_schema(flat=False) or {}).get(bare)
    supported = "Supported are Detections, Polylines and Keypoints on frames"
    if found is None:
        raise FieldError(f"There is no field {bare!r} on frames. {supported}")
    if getattr(found, "document_type", None) not in FIELD_TYPES:
        raise FieldError(f"The frame field {bare!r} holds {type_name(found)}. {supported}")
    return bare


def list_of(dataset: fo.Dataset, name: str) -> str:
    """Where a checked frame field keeps its labels, such as "box.detections"."""
    kind = dataset.get_frame_field_schema(flat=False)[name].document_type
    return f"{name}.{LISTS[kind.__name__]}"


def shape_of(document: Mapping[str, Any], size_px: tuple[int, int]) -> Shape:
    """The shape of a label.

    Args:
        document: of a Detection, Polyline or Keypoint, as it is stored
        size_px: (width, height) of the displayed frame

    Returns:
        in pixels

    Raises:
        ShapeError: if it encloses nothing, or has positions that are no numbers
        MaskError: if its mask is empty or cannot be read
    """
    kind = document.get("_cls")
    if kind == "Detection":
        sides = _numbers(document.get("bounding_box") or [np.nan] * 4)
        if sides.shape != (4,):
            raise ShapeError(f"Invalid bounding box {sides.tolist()}. Expected four numbers: left, top, width, height")
        xyxy = np.concatenate([sides[:2], sides[:2] + sides[2:]]) * [*size_px, *size_px]
        mask = _mask_of(document)
        return Box(xyxy) if mask is None else MaskedBox(xyxy, mask)
    if kind == "Polyline":
        lines = [denormalize_xy(_pairs(line), size_px) for line in document.get("points") or ()]
        return Polyline(tuple(lines), bool(document.get("closed")))
    return PointSet(denormalize_xy(_pairs(document.get("points") or ()), size_px))


def geometry_of(shape: Shape, size_px: tuple[int, int]) -> dict[str, Any]:
    """What a label document says of its shape: the inverse of `shape_of`.

    Args:
        shape: in pixels
        size_px: (width, height) of the displayed frame

    Returns:
        the keys that change with the shape
    """
    if isinstance(shape, Box):
        left, top, right, bottom = (shape.xyxy / [*size_px, *size_px]).tolist()
        values: dict[str, Any] = {"bounding_box": [left, top, right - left, bottom - top]}
        if isinstance(shape, MaskedBox):
            values["mask"] = fou.serialize_numpy_array(shape.mask)
        return values
    if isinstance(shape, Polyline):
        return {"points": [normalize_xy(line, size_px).tolist() for line in shape.lines], "closed": shape.closed}
    return {"points": normalize_xy(shape.xy, size_px).tolist()}


def without_mask(document: Mapping[str, Any]) -> dict[str, Any]:
    """A label document without its mask, which belongs to one frame alone."""
    return {key: value for key, value in document.items() if key not in _MASK_KEYS}


def _pairs(points: Any) -> np.ndarray:
    """(n, 2), as long as these are pairs."""
    found = _numbers([list(point) for point in points])
    return found if found.size else np.empty((0, 2))


def _numbers(values: Any) -> np.ndarray:
    try:
        return number_array(values)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"Invalid positions ({values!r:.200}). Expected numbers in lists of equal length") from error


def _mask_of(document: Mapping[str, Any]) -> np.ndarray | None:
    if all(document.get(key) is None for key in _MASK_KEYS):
        return None
    try:
        return fo.Detection.from_dict({key: document.get(key) for key in ("_cls", *_MASK_KEYS)}).get_mask()
    except (OSError, ValueError, zlib.error) as error:
        raise MaskError(
            f"The instance mask of a label cannot be read: {error}. Bring the file back, or remove the mask: the box "
            "alone will do"
        ) from error
