"""The choice of a tracker in a form: what each is good for, its terms of use, and its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone.operators.types as types

from ...tracker.errors import OptionError
from ...tracker.models.published_weights.terms import NOT_STATED, use_allowed
from ...tracker.models.registry import (
    list_trackers,
    needs_consent,
    tracker_info,
    weights_are_here,
    weights_state,
)
from ...tracker.models.tracker_info import TrackerInfo
from . import forms

# form fields that are options of the tracker, for trackers whose weights are downloaded
_WEIGHT_FIELDS = ("checkpoint", "accept_license")
_STATES = {"here": "file here", "to download": "to download", "ask": "asks before its download"}


def add_tracker(ctx: Any, inputs: types.Object, default: str) -> None:
    """A choice of trackers, with the terms of the chosen one; `add_weights` belongs after it.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        default: name of the tracker that is chosen first
    """
    choices = types.DropdownView()
    for name in list_trackers():
        info = tracker_info(name)
        state = f"; {_STATES[weights_state(info)]}" if info.files else ""
        choices.add_choice(name, label=name, description=f"{info.summary} ({info.weights_terms}{state})")
    inputs.enum("tracker", choices.values(), default=default, label="Tracker", view=choices)
    chosen = ctx.params.get("tracker") or default
    if chosen not in list_trackers():
        return
    info = tracker_info(chosen)
    text = f"{chosen}: {info.summary}. Terms: {info.terms}.{f' {info.notes}.' if info.notes else ''}"
    inputs.view("tracker_terms", types.Notice(label=text) if info.commercial_use else types.Warning(label=text))


def add_weights(ctx: Any, inputs: types.Object, default: str) -> None:
    """Asks for weights and consent where the chosen tracker needs them.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        default: name of the tracker that is chosen first
    """
    chosen = ctx.params.get("tracker") or default
    if chosen not in list_trackers():
        return
    info = tracker_info(chosen)
    if info.files and not ctx.params.get("tracker_options"):
        _add_weights(ctx, inputs, info)


def tracker_options_of(params: dict[str, Any]) -> dict[str, Any] | None:
    """Reads the form's fields about weights, or `tracker_options` given from Python.

    Args:
        params: of the execution context

    Returns:
        what `track_dataset(tracker_options=...)` takes
    """
    name = params.get("tracker")
    given = dict(params.get("tracker_options") or {})
    if name in list_trackers() and tracker_info(name).size_mb is not None:
        given = {field: params[field] for field in _WEIGHT_FIELDS if params.get(field)} | given
    return given or None


def _add_weights(ctx: Any, inputs: types.Object, info: TrackerInfo) -> None:
    checkpoint = ctx.params.get("checkpoint")
    files = "; ".join(file.place for file in info.files)
    prop = inputs.str(
        "checkpoint",
        label="Weights file",
        description=f"A local file; where empty, the published one is used: {files}",
    )
    if checkpoint:
        if not Path(checkpoint).expanduser().is_file():
            forms.show_error(prop, OptionError(f"There is no file {checkpoint}. Check the path, or leave it empty"))
        return
    if weights_are_here(info):
        return
    if not needs_consent(info):
        inputs.view("download", types.Notice(label=f"The weights will be downloaded once: {files}"))
        return
    licence = "none stated" if info.weights_license == NOT_STATED else info.weights_license
    pages = " ".join(dict.fromkeys(file.license_url for file in info.files))
    use = "" if info.commercial_use else f": {use_allowed(info.commercial_use)}"
    consent = inputs.bool(
        "accept_license",
        default=False,
        label=f"I accept the terms of the weights ({licence}{use})",
        description=f"{pages}; they are downloaded once then",
    )
    if ctx.params.get("accept_license") is not True:
        forms.show_error(consent, OptionError("Accept the terms to download the weights, or give a file of your own"))
