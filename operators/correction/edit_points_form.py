"""Inputs that forms of corrections share: the field with the tracks."""

from __future__ import annotations

from typing import Any

import fiftyone.operators.types as types

from ...workflows.correction.points import fields_with_tracks
from ..shared import forms
from .actions import field_of


def add_field(ctx: Any, inputs: types.Object) -> None:
    """Asks for the field with the tracks, where the dataset has several.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
    """
    tracked = fields_with_tracks(ctx.dataset)
    if len(tracked) < 2 or forms.error_of(lambda: field_of(ctx)) is not None:
        return
    choices = types.DropdownView()
    for name in tracked:
        choices.add_choice(name, label=name)
    inputs.enum("label_field", tracked, default=field_of(ctx), required=True, label="Tracks", view=choices)
