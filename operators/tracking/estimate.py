"""What a tracking run will write and how long it will take, told in its form before it is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import fiftyone.operators.types as types

from ...store.runs.outcomes import span_of
from ...tracker.engine.rates import Work, expected_seconds
from ...tracker.models.registry import DEFAULT_TRACKER
from ...tracker.video.sampling import as_sampling
from ..shared import forms
from .label_inputs import Asked
from .tracker_advice import num_passes

# trackers whose time is told beside that of the chosen one
_COMPARED = ("optical-flow",)
_PIXELS_PER_MEGAPIXEL = 1e6


def add_estimate(ctx: Any, inputs: types.Object, chosen: Any, asked: Asked, layout: str) -> None:
    """Says what a run will write, and how long it will take on this machine.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        chosen: the samples
        asked: what is tracked in each
        layout: "points" or "frame"
    """
    num_samples, num_points = len(chosen), asked.num_points
    if num_samples == 0:
        text = (
            "All chosen samples are finished"
            if ctx.params.get("skip_existing")
            else "The chosen target holds no samples"
        )
        inputs.view("size", types.Warning(label=text))
        return
    samples = f"{num_samples:,} sample{'' if num_samples == 1 else 's'}"
    if num_points is None:
        text = f"{samples}; the number of points depends on each sample"
    else:
        known, total = chosen.count("metadata.total_frame_count"), chosen.sum("metadata.total_frame_count") or 0
        if known and forms.given_sampling(ctx.params) is None:
            about = round(total / known * num_samples) * num_points
            text = f"{samples}: will write about {about:,} keypoints"
        else:
            text = f"{samples}: will write up to {num_points:,} keypoints per frame"
        if layout == "frame":
            text += " (as one per frame)"
    inputs.view("size", types.Notice(label=text))
    if num_points is not None:
        inputs.view("duration", types.Notice(label=_duration_text(ctx, chosen, asked)))


def _duration_text(ctx: Any, chosen: Any, asked: Asked) -> str:
    """How long the run will take on this machine, as far as that was measured."""
    works = list(_works(chosen, asked.num_points or 0, _sampling(ctx)))
    if not works:
        return "How long it takes is told once the metadata of the videos are known"
    tracker = ctx.params.get("tracker") or DEFAULT_TRACKER
    more = len(chosen) / len(works)
    told = {}
    for name in dict.fromkeys([tracker, *_COMPARED]):
        passes = num_passes(name, asked.num_frames)
        seconds = expected_seconds(name, (replace(work, passes=passes) for work in works))
        if seconds is not None:
            told[name] = f"about {span_of(seconds * more)}"
    others = "; ".join(f"{name}: {text}" for name, text in told.items() if name != tracker)
    others = f" ({others})" if others else ""
    if tracker not in told:
        return f"How long {tracker} takes on this machine is not measured yet: its first run does that{others}"
    return f"Takes {told[tracker]} on this machine{others}"


def _sampling(ctx: Any) -> Mapping[str, Any]:
    given = forms.given_sampling(ctx.params)
    fits = forms.error_of(lambda: as_sampling(given)) is None
    return given if fits and isinstance(given, dict) else {}


def _works(chosen: Any, num_points: int, sampling: Mapping[str, Any]) -> Iterator[Work]:
    """The samples whose metadata are known, as work."""
    names = ("total_frame_count", "frame_width", "frame_height", "frame_rate")
    columns = chosen.values([f"metadata.{name}" for name in names])
    for frames, width, height, fps in zip(*columns, strict=True):
        if frames and width and height:
            used = _frames_used(frames, fps, sampling)
            yield Work(used, num_points, width * height / _PIXELS_PER_MEGAPIXEL)


def _frames_used(num_frames: int, fps: float | None, sampling: Mapping[str, Any]) -> int:
    """Frames of a video that are tracked, about."""
    if sampling.get("every_nth"):
        return -(-num_frames // sampling["every_nth"])
    if sampling.get("fps") and fps:
        return max(round(num_frames * min(sampling["fps"] / fps, 1.0)), 1)
    return min(num_frames, sampling.get("max_frames") or num_frames)
