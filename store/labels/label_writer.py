"""Labels of a sample's frames, written as a whole: all of them, or those that were there stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo

from ...tracker.errors import FieldError, FieldExistsError, WriteError
from ..database.connection import changing_document, retried
from ..database.fields import check_label_name, is_ours, type_name
from ..database.frame_documents import FrameStore
from ..database.label_lists import LabelLists
from .objects import LISTS
from .shapes import FIELD_TYPES, list_of

_FRAMES_PER_WRITE = 200
_FIELDS: Mapping[type, type[fo.Field]] = {
    bool: fo.BooleanField,
    int: fo.IntField,
    float: fo.FloatField,
    str: fo.StringField,
}


def check_list_field(dataset: fo.Dataset, name: str, kind: type[fo.Label]) -> None:
    """Refuses a field that labels of a type cannot be written to.

    Args:
        dataset: the dataset
        name: of the frame field, without "frames."
        kind: fo.Detections, fo.Polylines or fo.Keypoints

    Raises:
        FieldError: saying what was found
    """
    check_label_name(name)
    existing = (dataset.get_frame_field_schema(flat=False) or {}).get(name)
    if kind not in FIELD_TYPES or existing is None:
        return
    if getattr(existing, "document_type", None) is not kind:
        raise FieldError(
            f"The frame field {name!r} exists and holds {type_name(existing)}, not {kind.__name__}. "
            "Choose another label field"
        )
    if existing.read_only:
        raise FieldError(f"The frame field {name!r} is read-only. Choose another label field")
    if is_ours(dataset, name):
        raise FieldError(f"The frame field {name!r} holds point tracks of a run. Choose another label field")


@retried
def declare_list_field(
    dataset: fo.Dataset, name: str, kind: type[fo.Label], attributes: Mapping[str, type]
) -> list[str]:
    """Declares a label field and its attributes; what exists stays as it is.

    Args:
        dataset: the dataset
        name: of the frame field, without "frames."
        kind: fo.Detections, fo.Polylines or fo.Keypoints
        attributes: name -> bool, int, float or str

    Returns:
        attributes that the field declares with another type
    """
    with changing_document:
        if not dataset.has_frame_field(name):
            dataset.add_frame_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)
        place, other = list_of(dataset, name), []
        for attribute, value_type in attributes.items():
            path = f"{place}.{attribute}"
            known = dataset.get_field(f"frames.{path}")
            if known is None:
                dataset.add_frame_field(path, _FIELDS[value_type])
            elif not isinstance(known, _FIELDS[value_type]):
                other.append(attribute)
    return other


def check_replaced(dataset: fo.Dataset, sample_id: str, name: str, *, overwrite: bool) -> None:
    """Refuses to replace labels, unless that was asked for.

    Raises:
        FieldExistsError: naming their number
    """
    there = sum(len(labels) for labels in LabelLists(dataset, list_of(dataset, name)).read(sample_id).values())
    if there and not overwrite:
        raise FieldExistsError(
            f"The field {name!r} of this sample already holds {there} labels. Use overwrite=True to replace them, "
            "or another label field"
        )


def write_labels(
    dataset: fo.Dataset,
    sample_id: str,
    name: str,
    documents: Mapping[int, Sequence[Mapping[str, Any]]],
    *,
    overwrite: bool,
) -> None:
    """Replaces what a declared field holds for a sample.

    They are stored aside first, and put into their places when all are there.

    Args:
        dataset: the dataset
        sample_id: the sample
        name: of the frame field, without "frames."
        documents: frame number (from 1) -> labels
        overwrite: replace labels that are there

    Raises:
        FieldExistsError: if there are some, and replacing them was not asked for
        WriteError: if the sample is gone
    """
    found = FrameStore(dataset, name).find(sample_id)
    if found is None:
        raise WriteError(f"The sample {sample_id} is no longer in the dataset")
    check_replaced(dataset, sample_id, name, overwrite=overwrite)
    replace_frames(dataset, sample_id, name, {**dict.fromkeys(found.holding), **documents})


def replace_frames(
    dataset: fo.Dataset, sample_id: str, name: str, documents: Mapping[int, Sequence[Mapping[str, Any]] | None]
) -> None:
    """Replaces what some frames of a sample hold in a declared field; they are stored aside first, then put in place.

    Args:
        dataset: the dataset
        sample_id: the sample
        name: of the frame field, without "frames."
        documents: frame number (from 1) -> labels; None takes away what is there
    """
    store, kind = FrameStore(dataset, name), dataset.get_frame_field_schema(flat=False)[name].document_type.__name__
    lists = LabelLists(dataset, list_of(dataset, name))
    wanted = {
        number: None if labels is None else {"_cls": kind, LISTS[kind]: list(labels)}
        for number, labels in documents.items()
    }
    store.drop_staged(sample_id)
    numbers = sorted(wanted)
    for start in range(0, len(numbers), _FRAMES_PER_WRITE):
        store.stage(sample_id, {number: wanted[number] for number in numbers[start : start + _FRAMES_PER_WRITE]})
    store.switch(sample_id)
    store.drop_staged(sample_id)
    lists.apply(sample_id, [])  # the sample was changed
    lists.refresh(sample_id)
