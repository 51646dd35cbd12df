"""The fields that tracks live in: their names, types and who made them.

`frames.<label_field>` holds the keypoints; the sample field
`<label_field>_info` holds one `marks.SampleMark` per sample.
"""

from __future__ import annotations

from keyword import iskeyword
from typing import Any

import fiftyone as fo
from fiftyone.core.frame import FrameView
from fiftyone.core.odm import create_field, validate_field_name
from fiftyone.core.sample import SampleView

from ...tracker.errors import CollectionError, FieldError
from .connection import dataset_document, retried

FRAMES_PREFIX = "frames."
DEFAULT_LABEL_FIELD = "tracks"
_RESERVED = (
    "id",
    "frame_number",
    "sample_id",
    "filepath",
    "created_at",
    "last_modified_at",
    "frames",
    "tags",
    "metadata",
)
_HOLDERS = (fo.Frame, FrameView, fo.Sample, SampleView)
OWNER_KEY = "point_tracking"  # in the `info` of every field that this package declares

_MARK_NEEDS = ("state", "layout", "num_points", "num_frames", "num_keypoints")
INFO_SUBFIELDS: dict[str, type[fo.Field]] = {
    "state": fo.StringField,
    "run_key": fo.StringField,
    "tracker": fo.StringField,
    "layout": fo.StringField,
    "num_points": fo.IntField,
    "num_frames": fo.IntField,
    "num_keypoints": fo.IntField,
    "written_at": fo.DateTimeField,
}


def info_field_of(label_field: str) -> str:
    """The sample field that says, per sample, what was written to a label field."""
    return f"{label_field}_info"


def check_label_name(label_field: str) -> str:
    """Refuses a name that cannot be a frame-level label field.

    Args:
        label_field: the name, without "frames."

    Returns:
        the same name

    Raises:
        FieldError: saying what a good name is
    """
    if isinstance(label_field, str) and label_field.startswith(FRAMES_PREFIX):
        raise FieldError(
            f"Invalid label field ({label_field!r}). Tracks are always stored on frames: "
            f"give the name without the prefix, {label_field[len(FRAMES_PREFIX) :]!r}"
        )
    if not isinstance(label_field, str) or not label_field.isidentifier() or label_field.startswith("_"):
        raise FieldError(
            f"Invalid label field ({label_field!r}). A name consists of letters, digits and underscores "
            "and starts with a letter"
        )
    try:
        validate_field_name(label_field, media_type=fo.core.media.VIDEO, is_frame_field=True)
    except ValueError as error:
        raise FieldError(f"Invalid label field: {error}. Choose another one") from error
    # a field of such a name hides what FiftyOne calls on its frames and samples
    if label_field in _RESERVED or iskeyword(label_field) or any(hasattr(kind, label_field) for kind in _HOLDERS):
        raise FieldError(
            f"Invalid label field ({label_field!r}). FiftyOne or Python uses this name itself; choose another one, "
            f"such as {label_field + '_tracks'!r}"
        )
    return label_field


def check_sample_field_name(name: str, kind: str) -> str:
    """Refuses a name that cannot be a field of samples, or would hide one of their attributes.

    Args:
        name: of a sample field
        kind: what it is for, in words, for the message

    Returns:
        the same name

    Raises:
        FieldError: saying what a good name is
    """
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
        raise FieldError(
            f"Invalid {kind} ({name!r}). A name consists of letters, digits and underscores and starts with a letter"
        )
    try:
        validate_field_name(name, media_type=fo.core.media.VIDEO)
    except ValueError as error:
        raise FieldError(f"Invalid {kind}: {error}. Choose another one") from error
    if name in _RESERVED or hasattr(fo.Sample, name) or iskeyword(name):
        raise FieldError(f"Invalid {kind} ({name!r}). FiftyOne or Python uses this name itself; choose another one")
    return name


def check_label_field(dataset: fo.Dataset, label_field: str) -> None:
    """Refuses a label field whose name or existing type does not allow tracks in it.

    Args:
        dataset: the dataset to write to
        label_field: the name, without "frames."

    Raises:
        FieldError: saying what was found
    """
    check_label_name(label_field)
    existing = dataset.get_frame_field_schema(flat=False).get(label_field)
    if existing is not None:
        if getattr(existing, "document_type", None) is not fo.Keypoints:
            raise FieldError(
                f"The frame field {label_field!r} exists and holds {type_name(existing)}, not Keypoints. "
                "Choose another label field"
            )
        if existing.read_only:
            raise FieldError(f"The frame field {label_field!r} is read-only. Choose another label field")
    info_field = info_field_of(label_field)
    info = dataset.get_field_schema(flat=False).get(info_field)
    if info is not None and owner_of(info) is None and not _holds_marks(dataset, info_field):
        raise FieldError(
            f"The sample field {info_field!r} exists and is not ours, but writing {label_field!r} needs that name. "
            f"Choose another label field, or rename that one: dataset.rename_sample_field({info_field!r}, ...)"
        )
    if info is not None and info.read_only:
        raise FieldError(f"The sample field {info_field!r} is read-only, and writing {label_field!r} needs it")


def type_name(field: fo.Field) -> str:
    """What a field holds, for messages: the name of its label type, else of its own."""
    document_type = getattr(field, "document_type", None)
    return (document_type or type(field)).__name__


def missing_field(dataset_id: Any, dataset_name: str, frame_field: str, sample_field: str) -> str | None:
    """Looks in the database whether a dataset still has two fields, so that documents with them can be read.

    Args:
        dataset_id, dataset_name: of the dataset
        frame_field: of frames, without "frames."
        sample_field: of samples

    Returns:
        the one that was deleted; None where both are there

    Raises:
        CollectionError: if the dataset was deleted
    """
    document = dataset_document(dataset_id, "frame_fields.name", "sample_fields.name")
    if document is None:
        raise CollectionError(f"The dataset {dataset_name!r} was deleted while the run was going on")
    for key, name in (("frame_fields", frame_field), ("sample_fields", sample_field)):
        if name not in [field["name"] for field in document.get(key) or []]:
            return name
    return None


def owner_of(field: fo.Field) -> dict[str, Any] | None:
    """What this package noted when it declared a field; None for fields that are somebody else's."""
    return (field.info or {}).get(OWNER_KEY)


def _holds_marks(dataset: fo.Dataset, info_field: str) -> bool:
    """Whether a sample field holds our marks, without saying so: FiftyOne's legacy export drops what a field says."""
    samples = dataset._sample_collection
    stored = {info_field: {"$ne": None}}
    others = {**stored, "$or": [{f"{info_field}.{name}": {"$exists": False}} for name in _MARK_NEEDS]}
    return samples.find_one(stored, {"_id": 1}) is not None and samples.find_one(others, {"_id": 1}) is None


def has_label_field(dataset: fo.Dataset, label_field: str) -> bool:
    """Whether the frame field exists at all."""
    return label_field in dataset.get_frame_field_schema(flat=False)


def is_ours(dataset: fo.Dataset, label_field: str) -> bool:
    """Whether this package declared the field, so that unmarked data in it is a half-written sample."""
    return info_field_of(label_field) in dataset.get_field_schema(flat=False)


@retried
def declare(
    dataset: fo.Dataset,
    label_field: str,
    *,
    occluded: bool,
    interpolated: bool = False,
    objects: bool = False,
    nodes: bool = False,
    track_numbers: bool = False,
) -> None:
    """Declares the fields that tracks need; what exists already stays as it is.

    Args:
        dataset: the dataset to write to
        label_field: the name, without "frames."
        occluded: whether keypoints will carry the attribute `occluded`
        interpolated: whether keypoints will carry the attribute `interpolated`
        objects: whether keypoints will carry the attribute `object`
        nodes: whether keypoints will carry the attribute `node`
        track_numbers: whether keypoints will carry the attribute `track_numbers`
    """
    if not has_label_field(dataset, label_field):
        dataset.add_frame_field(
            label_field,
            fo.EmbeddedDocumentField,
            embedded_doc_type=fo.Keypoints,
            description="Point tracks; a track has the same index in every frame",
        )
    prefix = f"{label_field}.keypoints"
    if occluded:
        dataset.add_frame_field(f"{prefix}.occluded", fo.BooleanField)
    if interpolated:
        dataset.add_frame_field(f"{prefix}.interpolated", fo.BooleanField)
    if objects:
        dataset.add_frame_field(f"{prefix}.object", fo.IntField)
    if nodes:
        dataset.add_frame_field(f"{prefix}.node", fo.StringField)
    if track_numbers:
        dataset.add_frame_field(f"{prefix}.track_numbers", fo.ListField, subfield=fo.IntField)
    info_field = info_field_of(label_field)
    info = dataset.get_field_schema(flat=False).get(info_field)
    if info is not None and owner_of(info) is None:
        info.info = {**(info.info or {}), OWNER_KEY: {"label_field": label_field}}
        info.save()
    if info is None:
        dataset.add_sample_field(
            info_field,
            fo.EmbeddedDocumentField,
            embedded_doc_type=fo.DynamicEmbeddedDocument,
            description=f"What was written to frames.{label_field}; read by point tracking",
            info={OWNER_KEY: {"label_field": label_field}},
            fields=[create_field(name, field_type) for name, field_type in INFO_SUBFIELDS.items()],
        )
