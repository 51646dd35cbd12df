"""Finding the field that a person named: on samples or frames, with or without the prefix "frames."."""

from __future__ import annotations

import fiftyone as fo

from ...tracker.errors import FieldError
from ..database.fields import FRAMES_PREFIX
from ..tracks.source_links import FILEPATH, media_fields_with_copies


def find_field(dataset: fo.Dataset, name: str) -> tuple[str, bool, fo.Field]:
    """Finds a prompt field on frames or samples; the prefix "frames." may be left out.

    Args:
        dataset: the dataset
        name: "field" or "frames.field"

    Returns:
        the name without prefix, whether it is on frames, and the field

    Raises:
        FieldError: if there is no such field
    """
    frame_fields = dataset.get_frame_field_schema(flat=False) or {}
    sample_fields = dataset.get_field_schema(flat=False)
    bare = name.removeprefix(FRAMES_PREFIX)
    if bare == name and name in sample_fields:
        return name, False, sample_fields[name]
    if bare in frame_fields:
        return bare, True, frame_fields[bare]
    remedy = "Check the name"
    if FILEPATH in media_fields_with_copies(dataset):
        remedy = (
            "These samples are preprocessed copies, without the fields of their sources. A mask field on the sources' "
            "samples is used with write_to='source'; anything else has to be stored with the copies"
        )
    raise FieldError(f"There is no field {name!r}, neither on samples nor on frames. {remedy}")


def has_field(dataset: fo.Dataset, name: str) -> bool:
    """Whether `find_field` would find it."""
    try:
        find_field(dataset, name)
    except FieldError:
        return False
    return True


def selectable(dataset: fo.Dataset, name: str) -> str:
    """The name of a field as `select_fields` takes it: with "frames." where it is on frames."""
    bare, on_frames, _ = find_field(dataset, name)
    return f"{FRAMES_PREFIX}{bare}" if on_frames else bare
