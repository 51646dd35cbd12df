"""The options of our models in the forms of FiftyOne's model zoo operators.

FiftyOne's "Apply zoo model" asks a zoo source for the fields of a model's form
and passes their values to `load_zoo_model`; the names are those of `load_model`.
"""

from __future__ import annotations

from typing import Any

import fiftyone.operators.types as types

from ...store.tracks.keypoints import LAYOUTS
from ...tracker.models.registry import tracker_info
from ...workflows.tracking.options import TRACK_DEFAULTS


def resolve_input(model_name: str, ctx: Any) -> types.Property:
    """FiftyOne's hook: the form of a model's own options.

    Args:
        model_name: one of `list_trackers()`
        ctx: FiftyOne's execution context

    Returns:
        the form

    Raises:
        UnknownTrackerError: if there is no tracker of that name
    """
    del ctx
    info = tracker_info(model_name)
    inputs = types.Object()
    inputs.int(
        "grid_size",
        default=TRACK_DEFAULTS.grid_size,
        min=1,
        label="Grid size",
        description="Points per side: 14 means 14 x 14 points per video",
    )
    inputs.int(
        "frame_index",
        default=TRACK_DEFAULTS.frame_index,
        min=0,
        label="Frame of the grid",
        description="Counted from 0; in clips, from the clip's first frame",
    )
    inputs.bool(
        "backward",
        default=TRACK_DEFAULTS.backward,
        label="Track backward too",
        description="Also follow points from their frame towards the start of the video",
    )
    inputs.enum(
        "layout",
        list(LAYOUTS),
        default=TRACK_DEFAULTS.layout,
        label="Layout",
        description="One keypoint per point, or one per frame with all points (cheaper to store)",
    )
    if info.size_mb is not None:
        notice = types.Notice if info.commercial_use else types.Warning
        inputs.view("terms", notice(label=f"{info.name}: {info.terms}"))
        inputs.bool(
            "accept_license",
            default=False,
            label="Accept these terms and download the weights",
            description=f"{info.size_mb:g} MB from {info.weights_from}; needed once",
        )
    return types.Property(inputs)
