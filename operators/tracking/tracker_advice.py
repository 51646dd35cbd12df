"""What the form of Track points says of trackers, by what is tracked: which is recommended, when passes cost much."""

from __future__ import annotations

from typing import Any

import fiftyone.operators.types as types

from ...tracker.models.published_weights.downloads import may_download
from ...tracker.models.recommendation import (
    has_gpu,
    passes_warning,
    recommended_tracker,
    situation_of,
)
from ...tracker.models.registry import (
    DEFAULT_TRACKER,
    list_trackers,
    shipped_trackers,
    tracker_info,
    weights_are_here,
    weights_state,
)
from ...tracker.models.tracker_info import MANY_FRAMES, ONE_FRAME
from .label_inputs import Asked

_WHAT = {
    ONE_FRAME: "For grids and masks in one frame",
    MANY_FRAMES: "For points in many frames",
}
_STATES = {
    "here": "Its weights are on this machine",
    "to download": "Its weights are downloaded once ({size_mb:g} MB)",
    "ask": "Its weights are downloaded once ({size_mb:g} MB), when you accept their terms",
}


def add_tracker_advice(ctx: Any, inputs: types.Object, asked: Asked) -> None:
    """Recommends a tracker where the default is chosen and another suits better; warns of many passes.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        asked: what is tracked in each sample
    """
    chosen = ctx.params.get("tracker") or DEFAULT_TRACKER
    text = _recommendation(asked) if chosen == DEFAULT_TRACKER else None
    if text is not None:
        inputs.view("recommended_tracker", types.Notice(label=text))
    warning = passes_warning(chosen, num_passes(chosen, asked.most_frames))
    if warning is not None:
        inputs.view("many_passes", types.Warning(label=warning))


def num_passes(tracker: str, num_frames: int | None) -> int:
    """How often a tracker goes through a video.

    Args:
        tracker: its name
        num_frames: that hold points; None = not known
    """
    each = tracker in list_trackers() and tracker_info(tracker).pass_per_query_frame
    return num_frames or 1 if each else 1


def _recommendation(asked: Asked) -> str | None:
    situation = situation_of(asked.most_frames, fills_frame=asked.fills_frame)
    info = recommended_tracker(
        map(tracker_info, shipped_trackers()),
        situation,
        has_gpu=has_gpu(),
        may_download=may_download(),
        is_here=weights_are_here,
    )
    if info is None or situation is None:
        return None
    on_gpu = ", with the GPU of this machine" if info.needs_gpu else ""
    state = _STATES[weights_state(info)].format(size_mb=info.size_mb or 0)
    return f"{_WHAT[situation]}{on_gpu}, {info.name} is recommended ({info.terms}). {state}"
