"""The form of `track_points`: what to track first, rarely used choices last, and how its values are read."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...workflows.lifecycle.options import facts_of, given_options
from ...workflows.lifecycle.run import choose_key
from ...workflows.tracking.options import TRACK_DEFAULTS, TrackOptions
from ..shared import forms, tracker_form
from .destination_inputs import add_destination, add_media, add_only_failed, chosen_samples, written_to
from .estimate import add_estimate
from .ground import add_ground
from .prompt_inputs import add_prompts, without_other_prompts
from .run_inputs import add_engine, add_layout, check_sampling
from .tracker_advice import add_tracker_advice


def build_form(ctx: Any, options_class: type[TrackOptions] = TrackOptions) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context
        options_class: whose fields without an input of their own are added as they describe themselves

    Returns:
        the inputs
    """
    forms.unfold(ctx)
    inputs = types.Object()
    if not forms.add_videos(ctx, inputs, "Track points in", blocked="Point tracking needs videos"):
        return inputs
    add_media(ctx, inputs)
    destination = written_to(ctx)
    chosen = chosen_samples(ctx, destination)
    asked = add_prompts(ctx, inputs, destination, chosen)
    add_ground(ctx, inputs, chosen)
    forms.add_options(ctx, inputs, options_class, "prompt")
    tracker_form.add_tracker(ctx, inputs, TRACK_DEFAULTS.tracker_name)
    add_tracker_advice(ctx, inputs, asked)
    tracker_form.add_weights(ctx, inputs, TRACK_DEFAULTS.tracker_name)
    to_track = add_destination(ctx, inputs, destination, chosen)
    more = types.Object()
    layout = add_layout(ctx, inputs, more, asked.num_points)
    add_estimate(ctx, inputs, to_track, asked, layout)
    _add_more(ctx, more, options_class, destination)
    forms.add_folded(inputs, more)
    return inputs


def _add_more(ctx: Any, more: types.Object, options_class: type[TrackOptions], destination: fo.Dataset) -> None:
    """Adds what is rarely used."""
    forms.add_sampling(ctx, more)
    check_sampling(ctx, more)
    more.bool(
        "color_by_track",
        default=True,
        label="Colour by track",
        description="Each track keeps one colour, in this session too; the dataset remembers it",
    )
    add_only_failed(ctx, more, destination)
    add_engine(ctx, more)
    forms.add_options(ctx, more, options_class, "more")
    again = bool(ctx.params.get("overwrite") or ctx.params.get("skip_existing"))
    forms.add_run_key(ctx, more, lambda key: choose_key(destination, TrackOptions(run_key=key, overwrite=again)))


def options_of(params: dict[str, Any]) -> TrackOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    values = without_other_prompts(params, forms.given_values(params, TrackOptions))
    if params.get("engine") == "local":  # fields that are hidden again keep their last value
        of_cluster = {spec.name for spec in given_options(TrackOptions) if facts_of(spec).group == "cluster"}
        values = {name: value for name, value in values.items() if name not in of_cluster}
    elif "path_map" in values:
        values["path_map"] = forms.parse_path_map(params["path_map"])
    values["points"] = forms.parse_points(values.get("points"))
    values["sampling"] = forms.sampling_of(params)
    values["tracker_options"] = tracker_form.tracker_options_of(params)
    return TrackOptions(**values)
