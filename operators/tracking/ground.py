"""Where tracking cannot work, told in the form before a run: points on sky, water and plain walls."""

from __future__ import annotations

from typing import Any

import fiftyone.operators.types as types

from ...store.tracks.source_links import FILEPATH
from ...tracker.errors import PointTrackingError
from ...workflows.tracking.options import KEEP, LEAVE_OUT, TrackOptions
from ...workflows.tracking.prompts import ground_before
from ..shared import forms
from .prompt_inputs import GRID, kind_of, without_other_prompts

_LOOKED_AT = 3
_OF_PROMPT = ("grid_size", "frame_index", "mask_field", "points_per_object", "points", "classes", "prompt_frames")


def add_ground(ctx: Any, inputs: types.Object, chosen: Any) -> None:
    """Says how many points will lie on featureless ground, where these are many; looks into the first videos.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        chosen: the samples
    """
    options = _prompt_options(ctx)
    if options is None:
        return
    ground = ground_before(chosen, options, _LOOKED_AT)
    if not ground.is_worth_saying:
        return
    where = f" of the first {_LOOKED_AT} videos" if len(chosen) > _LOOKED_AT else ""
    handling = ctx.params.get("featureless") or KEEP
    if kind_of(ctx.params) != GRID:
        advice = "choose other places where that matters"
    elif handling == KEEP:
        advice = "More options has a choice to leave them out, or to move them to corners nearby"
    else:
        advice = "they are left out" if handling == LEAVE_OUT else "those with a corner nearby are moved to it"
    text = f"{ground}{where} (sky, water, plain walls), where tracks are wrong far more often: {advice}"
    inputs.view("ground", types.Warning(label=text))


def _prompt_options(ctx: Any) -> TrackOptions | None:
    """What is tracked, as far as the form says it already."""
    given = without_other_prompts(ctx.params, forms.given_values(ctx.params, TrackOptions))
    values = {name: given[name] for name in _OF_PROMPT if name in given}
    try:
        values["points"] = forms.parse_points(values.get("points"))
        media_field = ctx.params.get("media_field") or FILEPATH
        return TrackOptions(
            **values, media_field=media_field, write_to="media" if media_field == FILEPATH else "source"
        )
    except PointTrackingError:
        return None
