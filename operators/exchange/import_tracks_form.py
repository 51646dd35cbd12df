"""The form of `import_tracks`: which files, as what, and into which field."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

import fiftyone.operators.types as types

from ...store.runs.outcomes import count_of
from ...tracker.errors import OptionError
from ...tracker.formats.registry import FORMATS
from ...workflows.exchange.files import found_files
from ...workflows.exchange.import_tracks import DEFAULT_FIELD
from ...workflows.exchange.options import ImportOptions
from ..shared import forms
from .exchange_inputs import add_first_frame, add_format

DEFAULT_FORMAT = "csv"
_LAYOUTS = {"points": "One keypoint per point", "objects": "One keypoint per individual, with a skeleton"}
_OPTIONS = {spec.name for spec in dataclass_fields(ImportOptions)}
# a form waits for what it looks at
_MOST_BYTES = 16 * 2**20


def build_form(ctx: Any) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context

    Returns:
        the inputs
    """
    forms.unfold(ctx)
    inputs = types.Object()
    if not forms.add_videos(ctx, inputs, "Import tracks onto", blocked="Importing tracks needs videos"):
        return inputs
    name = add_format(ctx, inputs, to_import=True, default=DEFAULT_FORMAT)
    chosen = FORMATS[name]
    path = inputs.str(
        "path",
        required=True,
        label="Read from",
        description=f"On the machine that the App's server runs on: a folder, or a file that ends in {chosen.suffix}",
    )
    if ctx.params.get("path"):
        _look(ctx, inputs, path, name)
    if chosen.module:
        inputs.str("field", default=DEFAULT_FIELD, required=True, label="Field")
    else:
        inputs.str("field", label="Field", description="Empty: as the file says")
    given = {**ctx.params, "format": name}
    error = forms.error_of(lambda: options_of(given))
    if error is not None:
        forms.add_error(inputs, "options_error", error)
    inputs.bool(
        "overwrite",
        default=False,
        label="Replace existing",
        description="Tracks of runs and imports alone; labels made by hand are never replaced",
    )
    more = types.Object()
    add_first_frame(more, name)
    if chosen.pose:
        text = "Points with a lower likelihood count as hidden"
        more.float("min_confidence", default=0.0, label="Least confidence", description=text)
    if chosen.module:
        choices = types.RadioGroup()
        for value, label in _LAYOUTS.items():
            choices.add_choice(value, label=label)
        default = "objects" if chosen.pose else "points"
        more.enum("layout", list(_LAYOUTS), default=default, label="Layout", view=choices)
    forms.add_folded(inputs, more)
    return inputs


def options_of(params: dict[str, Any]) -> ImportOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    name = params.get("format") or DEFAULT_FORMAT
    values = {key: value for key, value in params.items() if key in _OPTIONS and value not in (None, "")}
    # fields that another format showed keep their last values
    if name in FORMATS and not FORMATS[name].module:
        values = {key: value for key, value in values.items() if key not in ("layout", "min_confidence")}
    elif name in FORMATS and not FORMATS[name].pose:
        values.pop("min_confidence", None)
    return ImportOptions(**{**values, "format": name})


def path_of(params: dict[str, Any]) -> str:
    """Where the files are.

    Raises:
        OptionError: if nothing was said
    """
    text = str(params.get("path") or "").strip()
    if not text:
        raise OptionError("Say where the files are: a folder, or one file")
    return str(Path(text).expanduser())


def _look(ctx: Any, inputs: types.Object, path: Any, name: str) -> None:
    """Says how many files are of the chosen samples, or what is wrong with them."""
    chosen, target = FORMATS[name], Path(path_of(ctx.params))
    pairs = list(zip(*forms.target_of(ctx).values(["id", "filepath"]), strict=True))
    size = sum(one.stat().st_size for one in (target.iterdir() if target.is_dir() else [target]) if one.is_file())
    if size > _MOST_BYTES:
        inputs.view("files", types.Notice(label="The files are large, and are looked at when the import begins"))
        return
    found: list[Any] = []
    keys_of = getattr(chosen.load(), "read_keys", None) if chosen.module else None
    error = forms.error_of(lambda: found.extend(found_files(target, chosen.suffix, pairs, keys_of)))
    if error is not None:
        forms.show_error(path, error)
        return
    text = f"{count_of(len(found), 'clip')} for {count_of(len({one.sample_id for one in found}), 'video')}"
    inputs.view("files", types.Notice(label=text))
