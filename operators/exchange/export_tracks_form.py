"""The form of `export_tracks`: which labels, as what, where to, and what the format cannot hold."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...store.database.fields import FRAMES_PREFIX
from ...store.labels.shapes import FIELD_TYPES
from ...store.tracks.source_links import FILEPATH, media_fields_with_copies
from ...tracker.errors import OptionError
from ...tracker.formats.registry import FORMATS, FileFormat
from ...workflows.correction.points import fields_with_tracks
from ...workflows.exchange.files import planned_files
from ...workflows.exchange.options import SPECIAL_OPTIONS, ExportOptions
from ..shared import forms
from . import exchange_inputs
from .exchange_inputs import DEFAULT_FORMAT, add_choice, add_first_frame, begin_form, given_values

_EXISTING = {
    "refuse": "Refuse to begin",
    "skip_existing": "Leave them alone: an export that was cut off goes on",
    "overwrite": "Replace them",
}
_NAMES = {"labels": "By their labels", "index": "By their numbers"}
_FRAMES = {"video": "Of the video that was tracked", "source": "Of the original that it was made from"}
_OPTIONS = {spec.name for spec in dataclass_fields(ExportOptions)}


def build_form(ctx: Any) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context

    Returns:
        the inputs
    """
    inputs, name = begin_form(ctx, "Export tracks of", "Exporting tracks needs videos", to_import=False)
    if name is None:
        return inputs
    chosen = FORMATS[name]
    offered = fields_to_export(ctx.dataset, chosen, name)
    if not offered:
        kind = "boxes" if name == "mot" else "labels" if not chosen.module else "tracks"
        forms.add_error(inputs, "no_fields", OptionError(f"This dataset holds no {kind} that {chosen.title} can hold"))
        return inputs
    _add_field(inputs, offered)
    path = _add_path(inputs, chosen)
    error = forms.error_of(lambda: _check(ctx, name))
    if error is not None and ctx.params.get("path"):
        forms.show_error(path, error)
    if chosen.lost:
        text = f"{chosen.title} has no place for: {', '.join(chosen.lost)}. The result says how much was left out"
        inputs.view("lost", types.Notice(label=text))
    add_choice(inputs, "existing", _EXISTING, "refuse", "Files that are there")
    more = types.Object()
    _add_more(ctx, more, name, chosen)
    forms.add_folded(inputs, more)
    return inputs


def fields_to_export(dataset: fo.Dataset, chosen: FileFormat, name: str) -> list[str]:
    """The frame fields that a format can hold.

    Args:
        dataset: the dataset
        chosen: the format
        name: of the format
    """
    kinds = (fo.Keypoints,) if chosen.module else (fo.Detections,) if name == "mot" else FIELD_TYPES
    schema = dataset.get_frame_field_schema(flat=False) or {}
    found = [field for field, kind in schema.items() if getattr(kind, "document_type", None) in kinds]
    tracked = fields_with_tracks(dataset)
    return sorted(found, key=lambda field: (chosen.module != "" and field not in tracked, found.index(field)))


def options_of(params: dict[str, Any]) -> ExportOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    chosen = FORMATS.get(params.get("format") or DEFAULT_FORMAT)
    values = given_values(params, _OPTIONS, SPECIAL_OPTIONS, chosen.options if chosen else ())
    existing = params.get("existing")
    if existing in ("overwrite", "skip_existing"):
        values[existing] = True
    return ExportOptions(**values)


def field_of(params: dict[str, Any]) -> Any:
    """The field that was chosen.

    Raises:
        OptionError: if none was
    """
    if not params.get("field"):
        raise OptionError("Choose the field to export")
    return params["field"]


def path_of(params: dict[str, Any]) -> str:
    """Where the files shall be.

    Raises:
        OptionError: if nothing was said
    """
    return exchange_inputs.path_of(params, "Say where the files shall be: a folder, or one file")


def _check(ctx: Any, name: str) -> None:
    """Refuses options, and places that cannot hold the chosen samples."""
    options = options_of({**ctx.params, "format": name})
    # two are enough to tell one from several
    samples = forms.target_of(ctx).limit(2)
    pairs = list(zip(*samples.values(["id", "filepath"]), strict=True))
    chosen = options.file_format
    planned_files(path_of(ctx.params), chosen.suffix, pairs, holds_many=chosen.holds_many)


def _add_field(inputs: types.Object, offered: list[str]) -> None:
    choices = types.DropdownView()
    for field in offered:
        choices.add_choice(field, label=f"{FRAMES_PREFIX}{field}")
    inputs.enum("field", offered, default=offered[0], required=True, label="Labels", view=choices)


def _add_path(inputs: types.Object, chosen: FileFormat) -> Any:
    one = "all videos" if chosen.holds_many else "one video"
    return inputs.str(
        "path",
        required=True,
        label="Write to",
        description=(
            f"On the machine that the App's server runs on: a folder (a file for each video, and index.json), or a "
            f"file that ends in {chosen.suffix} for {one}"
        ),
    )


def _add_more(ctx: Any, more: types.Object, name: str, chosen: FileFormat) -> None:
    """Adds what is rarely used, as far as the format heeds it."""
    add_first_frame(more, name)
    if "names" in chosen.options:
        add_choice(more, "names", _NAMES, "labels", "Points are named")
    if "images" in chosen.options:
        texts = "The pictures of the frames too: a training set, or colours of the points"
        more.bool("images", default=False, label="Write the pictures", description=texts)
    if "scorer" in chosen.options:
        more.str("scorer", default="point_tracking", label="Scorer", description="Who made the positions")
    if "reconstruct" in chosen.options:
        text = "Also make the 3-D model that the tracks give; takes a while"
        more.bool("reconstruct", default=False, label="Reconstruct the scene", description=text)
    more.int("every", default=1, label="Use every ... frame", description="Of the video; 1: all of them")
    more.float(
        "min_confidence",
        default=chosen.min_confidence,
        label="Least confidence",
        description="Positions with less are left out",
    )
    more.int("min_length", default=1, label="Least length", description="In frames in which a track is seen")
    more.int("top", label="At most ... tracks", description="Those that are seen longest and most surely; empty: all")
    if FILEPATH in media_fields_with_copies(ctx.dataset):
        add_choice(more, "frames", _FRAMES, "video", "Frame numbers and pixels")
