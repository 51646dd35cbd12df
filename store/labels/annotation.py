"""FiftyOne's Annotate tab: it lists a field, and lets a person edit it, where the field has an active label schema."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from ..database.connection import changing_document, retried
from ..database.fields import FRAMES_PREFIX
from .shapes import list_of

# what the tab can edit on video
EDITABLE = (fo.Detections, fo.Polylines)
_CLASSES_SHOWN = 1000


def is_editable(dataset: fo.Dataset, name: str) -> bool:
    """Whether the Annotate tab can edit a frame field, which it cannot with keypoints.

    Args:
        dataset: the dataset
        name: of the field, without "frames."
    """
    found = (dataset.get_frame_field_schema(flat=False) or {}).get(name)
    return getattr(found, "document_type", None) in EDITABLE


def is_active(dataset: fo.Dataset, name: str) -> bool:
    """Whether the Annotate tab lists a frame field now."""
    return FRAMES_PREFIX + name in (dataset.active_label_schemas or [])


@retried
def activate_annotation(dataset: fo.Dataset, name: str) -> None:
    """Makes the Annotate tab list a frame field; what a person set up stays, and attributes that are missing are added.

    No label is changed: FiftyOne's own scan would give hand-made labels an instance.

    Args:
        dataset: the dataset
        name: of the field, without "frames."
    """
    path = FRAMES_PREFIX + name
    with changing_document:
        schema = dataset.generate_label_schemas(fields=path, scan_samples=False)
        stored = (dataset.label_schemas or {}).get(path)
        wanted = _with_classes(dataset, name, schema) if stored is None else _merged(stored, schema)
        dataset.update_label_schema(path, wanted)
        dataset.activate_label_schemas([path])


@retried
def show_on_time_line(dataset: fo.Dataset, name: str) -> None:
    """Makes the Annotate tab show spans of time on its time line, a row each; what a person set up stays.

    The Explore tab shows rows of frame labels alone.

    Args:
        dataset: the dataset
        name: of a sample field of temporal detections
    """
    with changing_document:
        if name in (dataset.label_schemas or {}):
            return
        dataset.update_label_schema(name, dataset.generate_label_schemas(fields=name, scan_samples=False))
        dataset.activate_label_schemas([name])


def _with_classes(dataset: fo.Dataset, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    classes = sorted(label for label in dataset.distinct(f"{FRAMES_PREFIX}{list_of(dataset, name)}.label") if label)
    if not classes or len(classes) > _CLASSES_SHOWN:
        return schema
    return {**schema, "classes": classes, "component": "dropdown"}


def _merged(stored: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    known = {attribute["name"] for attribute in stored.get("attributes") or []}
    missing = [attribute for attribute in schema["attributes"] if attribute["name"] not in known]
    return {**stored, "attributes": [*(stored.get("attributes") or []), *missing]}
