"""The trackers whose weights ship with the package: CoTracker's form in smaller sizes, trained here.

Their code and weights are Apache-2.0. How they were trained: docs/training.md
and the model cards in docs/models.
"""

from __future__ import annotations

import math
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import CheckpointError
from ...types import Queries, Tracks
from ...video.frames import FrameSource
from ..base import Capabilities, RunHooks
from ..cotracker.model_tracker import ModelTracker
from ..cotracker.network.config import CoTrackerConfig
from ..cotracker.running.passes import Rules
from ..cotracker.running.run_context import RunContext
from ..cotracker.running.threads import one_thread
from ..cotracker.weights.checkpoint import CoTracker, load_network
from .options import ShippedOptions

WEIGHTS_FOLDER = Path(__file__).parent
WEIGHT_FILES = {"pt-small": "pt_small.safetensors", "pt-base": "pt_base.safetensors"}

# visibility x confidence above which a point counts as seen; chosen on the synthetic validation clips
_THRESHOLDS = {"pt-small": 0.6, "pt-base": 0.5}
_LONGEST_ASPECT = 3.0  # more extreme frames are squeezed


class ShippedTracker(ModelTracker):
    """A CoTracker-like model trained by this package.

    Frames keep their shape on the way into the model, points that leave the
    frame are hidden, and so are points before their query unless they are
    tracked backwards too, and points seen for a single frame (in a whole clip,
    not in a streaming session).

    Args:
        name: in the registry
        model: in "online" mode; moved to the device and dtype of the options
        options: how to run
        threshold: of visibility x confidence; None = that of the shipped weights
    """

    def __init__(
        self, name: str, model: CoTracker, options: ShippedOptions | None = None, threshold: float | None = None
    ) -> None:
        options = options or ShippedOptions()
        rules = Rules(
            threshold=_THRESHOLDS.get(name, 0.5) if threshold is None else threshold,
            with_confidence=True,
            keep_queries=True,
            has_confidence=True,
            in_frame_only=True,
            knows_before=False,
        )
        super().__init__(name, RunContext.from_options(model, rules, options.for_model(model.config)))
        self.capabilities = Capabilities(joint=True, streaming=True, keeps_queries=True, hides_outside=True)
        self._options = options

    @property
    def options(self) -> dict[str, Any]:
        checkpoint = self._options.checkpoint
        return {
            "checkpoint": None if checkpoint is None else os.fspath(checkpoint),
            **self.context.to_dict(),
            "resolution": self._options.resolution,
        }

    def _session_rules(self) -> Rules:
        return replace(self.context.rules, keep_queries=False)

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        with one_thread() if self.context.device.type == "cpu" else nullcontext():
            tracks = super()._track(source, queries, backward, hooks)
        return without_blinks(tracks, queries, self.context.rules.threshold)

    def context_for(self, size_px: tuple[int, int]) -> RunContext:
        """The same weights at a resolution of the video's shape."""
        resolution = fitting_resolution(self.model.config, size_px, self._options.resolution)
        return self.context.with_resolution(resolution)


def without_blinks(tracks: Tracks, queries: Queries, threshold: float) -> Tracks:
    """Hides points that are seen for one frame between two in which they are not: mostly what hides them, mistaken.

    Args:
        tracks: of a whole clip
        queries: of these tracks, whose own frames stay as they are
        threshold: confidence that a point hidden here has at most

    Returns:
        tracks with fewer visible points
    """
    hidden = np.pad(~tracks.visible, ((1, 1), (0, 0)))  # before and after the clip nothing is known to hide
    blinks = tracks.visible & hidden[:-2] & hidden[2:]
    blinks[queries.t, np.arange(len(queries))] = False
    confidence = np.where(blinks, np.minimum(tracks.confidence, threshold), tracks.confidence)
    return replace(tracks, visible=tracks.visible & ~blinks, confidence=confidence)


def fitting_resolution(
    config: CoTrackerConfig, size_px: tuple[int, int], longer_side: int | None = None
) -> tuple[int, int]:
    """The model's frame for a video.

    Args:
        config: of the model
        size_px: (width, height) of the video
        longer_side: in pixels; None = the area of the model's own resolution

    Returns:
        (height, width), multiples of what the coarsest level needs, of about the
        video's shape
    """
    grain = config.stride * 2 ** (config.levels - 1)
    aspect = min(max(size_px[0] / size_px[1], 1 / _LONGEST_ASPECT), _LONGEST_ASPECT)
    height, width = config.resolution
    scale = math.sqrt(height * width) if longer_side is None else longer_side / math.sqrt(max(aspect, 1 / aspect))
    sides = (scale / math.sqrt(aspect), scale * math.sqrt(aspect))
    height, width = (max(round(side / grain), 1) * grain for side in sides)
    return height, width


def load_pt_small(**options: Any) -> ShippedTracker:
    """pt-small; options as of `ShippedOptions`."""
    return _load("pt-small", ShippedOptions(**options))


def load_pt_base(**options: Any) -> ShippedTracker:
    """pt-base; options as of `ShippedOptions`."""
    return _load("pt-base", ShippedOptions(**options))


def _load(name: str, options: ShippedOptions) -> ShippedTracker:
    path = options.checkpoint
    model = load_network(WEIGHTS_FOLDER / WEIGHT_FILES[name] if path is None else path)
    config = model.config
    if config.version != 3 or config.mode != "online" or config.motion_resolution is None:
        raise CheckpointError(f"{path} holds no weights of a model trained by this package. {name!r} needs such")
    return ShippedTracker(name, model, options)
