"""Clips whose object is known in every frame, and tracks from any of their frames, for `propagation.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from point_tracking import VideoFrames, load_tracker
from point_tracking.tracker.formats.known_clips import known_clips, read_known_clip
from point_tracking.tracker.propagation import Box, MaskedBox, PropagationOptions, query_seeds, seed_points
from point_tracking.tracker.types import Tracks
from point_tracking.tracker.video.frames import FrameSource

SEED = 50_000_001  # neither that of training nor of validation, nor of other rules
HEIGHT, WIDTH, FRAMES, TEXTURES, POINTS = 240, 320, 48, 64, 1
# what an object must show in every frame, and may at most, as shares of the frame
_LEAST_AREA, _LARGEST_AREA = 0.004, 0.35
_POINTS_AT_ONCE = 4000


@dataclass(frozen=True, eq=False)
class ObjectClip:
    """A clip and its one object.

    Args:
        name: of the clip
        frames: uint8 (T, H, W, 3), or a video
        masks: (T, h, w) bool, the object, at any resolution; never empty
        size_px: (width, height) of the displayed frame
    """

    name: str
    frames: np.ndarray | FrameSource
    masks: np.ndarray
    size_px: tuple[int, int]

    @property
    def num_frames(self) -> int:
        return len(self.masks)

    @cached_property
    def shapes(self) -> list[MaskedBox]:
        """The object in every frame."""
        factor = np.array([self.size_px[i] / self.masks.shape[2 - i] for i in (0, 1)])
        found = []
        for mask in self.masks:
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            low, high = np.array([columns[0], rows[0]]), np.array([columns[-1], rows[-1]]) + 1
            part = mask[low[1] : high[1], low[0] : high[0]]
            found.append(MaskedBox(np.concatenate([low * factor, high * factor]), part))
        return found

    def shape(self, t: int, prompt: str) -> Box | MaskedBox:
        """What is drawn in frame t: its "box" or its "mask"."""
        return self.shapes[t] if prompt == "mask" else Box(self.shapes[t].xyxy)


def eval_clips(folder: str) -> Iterator[ObjectClip]:
    """The clips of a folder that have a mask in every frame."""
    for path in known_clips(folder):
        known = read_known_clip(path)
        if known.masks is not None and known.masks.reshape(len(known.masks), -1).any(axis=1).all():
            yield ObjectClip(known.name, VideoFrames(known.video_path), known.masks, known.size_px)


def synthetic_clips(count: int, seed: int = SEED) -> Iterator[ObjectClip]:
    """Rendered clips with one of their things each: a bending cut-out, a ball, a box or a jointed figure.

    Frames are small, so that many clips are; every clip comes from a seed of its own. Clips in which nothing is seen
    well enough in all frames are left out.
    """
    import torch

    from point_tracking.tracker.synthetic_video.config import SyntheticConfig
    from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, build_textures

    torch.set_num_threads(1)
    config = SyntheticConfig(height=HEIGHT, width=WIDTH, num_frames=FRAMES, num_points=POINTS, figure=0.5)
    textures = build_textures(TEXTURES, config.texture_size, seed=seed)
    renderer = ClipRenderer(config, device="cpu", seed=seed, textures=textures)
    found = 0
    while found < count:
        builder = renderer.plan(1)
        with torch.no_grad():
            slots = np.stack([builder.slot_map([0], t)[0].numpy() for t in range(FRAMES)])
            masks = _best_object(slots, _things(builder))
            if masks is None:
                continue
            video = builder.video()[0].permute(0, 2, 3, 1).contiguous().numpy()
        found += 1
        yield ObjectClip(f"synthetic_{found - 1}", video, masks, (WIDTH, HEIGHT))


def _things(builder: Any) -> list[list[int]]:
    """Slots of each thing before the background; the limbs of a figure are one."""
    from point_tracking.tracker.synthetic_video.scenes.scene_sampling import MAX_BALLS

    inventory = builder.inventory([0])
    things = [[slot] for slot in range(inventory.layers)]
    if builder.contents.has_figure[0]:
        first, end = inventory.planes + MAX_BALLS, inventory.planes + inventory.ellipsoids
        things = [thing for thing in things if not first <= thing[0] < end] + [list(range(first, end))]
    background = 0 if not builder.contents.has_room[0] else inventory.planes + inventory.ellipsoids
    return [thing for thing in things if background not in thing]


def _best_object(slots: np.ndarray, things: list[list[int]]) -> np.ndarray | None:
    """The mask (T, H, W) of the thing that shows most where it shows least, within limits."""
    best, best_area = None, _LEAST_AREA
    for thing in things:
        mask = np.isin(slots, thing)
        areas = mask.mean(axis=(1, 2))
        if areas.min() > best_area and areas.max() < _LARGEST_AREA:
            best, best_area = mask, areas.min()
    return best


@dataclass
class TrackCache:
    """Tracks of the seeds of any frame's shape, made once.

    Args:
        tracker: a registered name
        folder: to keep them in between runs, or None
    """

    tracker: str
    folder: Path | None = None
    options: PropagationOptions = field(default_factory=PropagationOptions)
    _kept: dict[tuple[str, str, int], Tracks] = field(default_factory=dict, repr=False)

    def get(self, clip: ObjectClip, prompt: str, t: int) -> Tracks:
        """Tracks from frame t."""
        return self.get_many(clip, prompt, [t])[t]

    def get_many(self, clip: ObjectClip, prompt: str, frames: list[int]) -> dict[int, Tracks]:
        """Tracks from several frames, as many as possible in one pass over the video."""
        missing = [t for t in frames if not self._find(clip, prompt, t)]
        each = max(1, _POINTS_AT_ONCE // self.options.points_per_object)
        for start in range(0, len(missing), each):
            self._track(clip, prompt, missing[start : start + each])
        return {t: self._kept[clip.name, prompt, t] for t in frames}

    def _track(self, clip: ObjectClip, prompt: str, frames: list[int]) -> None:
        seeds = query_seeds({(clip.name, t): clip.shape(t, prompt) for t in frames}, clip.size_px, self.options)
        tracks = load_tracker(self.tracker).track(clip.frames, seeds.queries, backward=True)
        for t, own in seeds.split(tracks)[clip.name].items():
            self._kept[clip.name, prompt, t] = own
            path = self._path(clip, prompt, t)
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                np.savez(path, xy=own.xy, visible=own.visible, confidence=own.confidence)

    def _find(self, clip: ObjectClip, prompt: str, t: int) -> bool:
        path = self._path(clip, prompt, t)
        if (clip.name, prompt, t) not in self._kept and path is not None and path.exists():
            with np.load(path) as file:
                self._kept[clip.name, prompt, t] = Tracks(file["xy"], file["visible"], file["confidence"])
        return (clip.name, prompt, t) in self._kept

    def _path(self, clip: ObjectClip, prompt: str, t: int) -> Path | None:
        if self.folder is None:
            return None
        # frames of the same name and other content, or other seeds, give other files
        seeds = seed_points(clip.shape(t, prompt), clip.size_px, self.options).xy
        digest = hashlib.sha256(seeds.tobytes() + clip.masks.tobytes()).hexdigest()[:12]
        return self.folder / f"{self.tracker}_{clip.name}_{prompt}_{t}_{digest}.npz"
