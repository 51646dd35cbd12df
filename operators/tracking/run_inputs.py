"""The part of Track points' form about how a run works and stores: rarely used, and folded."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import fiftyone.operators.types as types

from ...store.tracks.keypoints import LAYOUTS, SUGGEST_FRAME_LAYOUT_FROM, check_document_size
from ...tracker.video.sampling import as_sampling
from ...workflows.tracking.options import ENGINES, TRACK_DEFAULTS, TrackOptions
from ..shared import forms


def check_sampling(ctx: Any, inputs: types.Object) -> None:
    """Refuses a rule for frames that does not fit."""
    error = forms.error_of(lambda: as_sampling(forms.given_sampling(ctx.params)))
    if error is not None:
        forms.add_error(inputs, "sampling_error", error)


def add_layout(ctx: Any, inputs: types.Object, more: types.Object, num_points: int | None) -> str:
    """Asks how tracks are stored: in sight where there are so many points that it matters.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        more: its folded part
        num_points: per sample; None where that depends on the sample

    Returns:
        one of `LAYOUTS`
    """
    suggested = "frame" if num_points is not None and num_points >= SUGGEST_FRAME_LAYOUT_FROM else TRACK_DEFAULTS.layout
    inputs = inputs if suggested == "frame" else more
    choices = types.RadioGroup()
    choices.add_choice("points", label="One keypoint per point", description="filter, select and colour single points")
    choices.add_choice("frame", label="One keypoint per frame", description="smaller and faster for dense grids")
    choices.add_choice(
        "objects", label="One keypoint per object", description="for points from labels: a skeleton stays one thing"
    )
    prop = inputs.enum("layout", list(LAYOUTS), default=suggested, label="Layout", view=choices)
    layout = ctx.params.get("layout") or suggested
    keep_hidden = bool(ctx.params.get("keep_hidden", TRACK_DEFAULTS.keep_hidden)) and layout == "points"
    if num_points is not None and layout in LAYOUTS:
        forms.check_field(prop, lambda: check_document_size(num_points, layout, keep_hidden))
    if suggested == "frame" and layout == "points":
        inputs.view(
            "layout_advice",
            types.Notice(label=f"{num_points:,} points per frame make the App slow as single keypoints"),
        )
    if layout == "points":
        inputs.bool(
            "keep_hidden",
            default=TRACK_DEFAULTS.keep_hidden,
            label="Keep hidden points",
            description="Store occluded points too, marked with occluded = True",
        )
    return layout


def add_engine(ctx: Any, inputs: types.Object) -> None:
    """Where Ray is installed: the choice to hand the samples out to a cluster."""
    if find_spec("ray") is None and ctx.params.get("engine") is None:
        return
    choices = types.DropdownView()
    for name, label in ENGINES.items():
        choices.add_choice(name, label=label)
    prop = inputs.enum("engine", list(ENGINES), default=TRACK_DEFAULTS.engine, label="Run on", view=choices)
    if ctx.params.get("engine") != "ray":
        forms.check_field(prop, lambda: TrackOptions(engine=ctx.params.get("engine") or TRACK_DEFAULTS.engine))
        return
    inputs.str("address", label="Address of the cluster", description="Empty: start one on this machine")
    inputs.int("num_workers", label="Workers", description="Empty: as many as there is room for")
    inputs.float("gpus_per_worker", default=TRACK_DEFAULTS.gpus_per_worker, label="GPUs per worker")
    _add_path_map(ctx, inputs)
    values = {name: ctx.params.get(name) for name in ("engine", "address", "num_workers", "gpus_per_worker")}
    given = {name: value for name, value in values.items() if value not in (None, "")}
    forms.check_field(prop, lambda: TrackOptions(**given))


def _add_path_map(ctx: Any, inputs: types.Object) -> None:
    given = ctx.params.get("path_map")
    if isinstance(given, dict):  # from Python: the schema follows the value
        prop = inputs.obj("path_map")
    else:
        prop = inputs.str(
            "path_map",
            label="Where the videos lie on the nodes",
            description="/path/here = /path/on/the/nodes; more after a semicolon. Empty: at the same paths as here",
        )
    forms.check_field(prop, lambda: TrackOptions(engine="ray", path_map=forms.parse_path_map(given)))
