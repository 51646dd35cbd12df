"""The form of `import_tracks`: which files, as what, and into which field."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

import fiftyone.operators.types as types

from ...store.runs.outcomes import count_of
from ...tracker.formats.registry import FORMATS
from ...workflows.exchange.files import FoundFiles
from ...workflows.exchange.import_tracks import DEFAULT_FIELD, clips_of
from ...workflows.exchange.options import ImportOptions
from ..shared import forms
from . import exchange_inputs
from .exchange_inputs import DEFAULT_FORMAT, add_choice, add_first_frame, begin_form, given_values

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
    inputs, name = begin_form(ctx, "Import tracks onto", "Importing tracks needs videos", to_import=True)
    if name is None:
        return inputs
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
    if chosen.scores:
        text = "Boxes with less are left out" if name == "mot" else "Points with less count as hidden"
        more.float("min_confidence", default=0.0, label="Least confidence", description=text)
    if chosen.module:
        add_choice(more, "layout", _LAYOUTS, "objects" if chosen.pose else "points", "Layout")
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
    chosen = FORMATS.get(params.get("format") or DEFAULT_FORMAT)
    heeded = [
        name
        for name, there in (("layout", chosen and chosen.module), ("min_confidence", chosen and chosen.scores))
        if there
    ]
    return ImportOptions(**given_values(params, _OPTIONS, ("layout", "min_confidence"), heeded))


def path_of(params: dict[str, Any]) -> str:
    """Where the files are.

    Raises:
        OptionError: if nothing was said
    """
    return exchange_inputs.path_of(params, "Say where the files are: a folder, or one file")


def _look(ctx: Any, inputs: types.Object, path: Any, name: str) -> None:
    """Says how many files are of the chosen samples, or what is wrong with them."""
    target = Path(path_of(ctx.params))
    size = sum(one.stat().st_size for one in (target.iterdir() if target.is_dir() else [target]) if one.is_file())
    if size > _MOST_BYTES:
        inputs.view("files", types.Notice(label="The files are large, and are looked at when the import begins"))
        return
    found: list[FoundFiles] = []
    error = forms.error_of(lambda: found.append(clips_of(forms.target_of(ctx), target, FORMATS[name])))
    if error is not None:
        forms.show_error(path, error)
        return
    files, others = found[0].files, found[0].others
    text = f"{count_of(len(files), 'clip')} for {count_of(len({one.sample_id for one in files}), 'video')}"
    if others:
        text += f"; {count_of(len(others), 'clip')} of other videos left alone"
    inputs.view("files", types.Notice(label=text))
