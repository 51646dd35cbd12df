"""Tiny trackers that can be adapted in seconds, and clips to adapt them on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import media
import numpy as np
import torch

import point_tracking as pt
from point_tracking import Queries, Tracks
from point_tracking.tracker.models.base import Capabilities, RunHooks, Tracker
from point_tracking.tracker.models.cotracker.network.config import CoTrackerConfig
from point_tracking.tracker.models.cotracker.network.model import CoTracker3
from point_tracking.tracker.models.pt_small.tracker import ShippedOptions, ShippedTracker
from point_tracking.tracker.training.configs import TINY
from point_tracking.tracker.video.frames import FrameSource
from point_tracking.workflows.adaptation.report import AdaptationReport

CLIP_SIZE = (96, 72)


def surface(seed: int, side: int = 240) -> np.ndarray:
    """Blobs of many sizes, uint8 (side, side, 3): full of SIFT features."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side))
    for cell in (4, 8, 16):
        noise = rng.normal(size=(side // cell, side // cell))
        total += np.kron(noise, np.ones((cell, cell)))[:side, :side]
    total = (total - total.min()) / np.ptp(total)
    return np.repeat((255 * total).astype(np.uint8)[..., None], 3, axis=2)


def textured_video(path: Path, seed: int = 0, num_frames: int = 16, step_px: tuple[int, int] = (0, 0)) -> Path:
    """A window over a surface, in which everything moves by a step per frame."""
    picture = surface(seed)

    def draw(index: int, size: tuple[int, int]) -> np.ndarray:
        x, y = np.array([100, 80]) - index * np.array(step_px)
        return np.ascontiguousarray(picture[y : y + size[1], x : x + size[0]])

    return media.video(path, num_frames, size=CLIP_SIZE, draw=draw)


def plain_video(path: Path, num_frames: int = 12) -> Path:
    """A single grey: not a feature in it."""
    return media.video(path, num_frames, size=CLIP_SIZE, draw=lambda index, size: np.full((*size[::-1], 3), 120, "u1"))


def drifting_start(drift: float = 0.12, config: CoTrackerConfig = TINY.model) -> ShippedTracker:
    """A model without any knowledge that pushes every point aside, and calls it visible.

    Args:
        drift: feature pixels per refinement
        config: of the model
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = CoTracker3(config)
    head, seen = model.updateformer.flow_head, model.updateformer.vis_conf_head
    with torch.no_grad():
        head.weight.mul_(0.01)
        head.bias.copy_(torch.tensor([drift, drift]))
        seen.weight.mul_(0.01)
        seen.bias.fill_(2.0)
    return ShippedTracker("tiny", model, ShippedOptions(device="cpu"))


class TeacherTracker(Tracker):
    """Says that every point stays where it is, which is true of a still `textured_video`.

    Args:
        name: of the teacher
        spoil: what is wrong with its tracks: "hidden", "nan" (hidden, unknown) or "far"
    """

    capabilities = Capabilities(joint=True)

    def __init__(self, name: str = "teacher", spoil: str | None = None) -> None:
        self.name = name
        self._spoil = spoil
        self.asked: list[Queries] = []
        self.clips = 0

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        self.asked.append(queries)
        self.clips += 1
        steps = np.arange(source.num_frames)[:, None] - queries.t[None]  # (T, N)
        xy = np.repeat(queries.xy[None], len(steps), axis=0)
        visible, confidence = np.ones(steps.shape, dtype=bool), np.ones(steps.shape)
        if self._spoil in ("hidden", "nan"):
            visible[:] = False
        if self._spoil == "nan":
            xy[:], confidence[:] = np.nan, 0
        if self._spoil == "far":
            xy = xy + 1e6 * (steps > 0)[..., None]
        return Tracks(xy, visible, confidence)


def quick(samples: Any, name: str = "mine", **options) -> AdaptationReport:
    """An adaptation of a few seconds; options as of `adapt_tracker`."""
    options = {"tracker": drifting_start(), "teachers": [TeacherTracker()], "own_start": False, **options}
    return pt.adapt_tracker(samples, name, **{"steps": 2, "points": 8, **options})
