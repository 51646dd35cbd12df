"""How many frames a person must draw, and how well the others are filled, for `propagation.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from point_tracking.benchmarks.curation.propagation_clips import ObjectClip, TrackCache
from point_tracking.tracker.propagation import (
    Box,
    FilledFrame,
    Keyframe,
    MaskedBox,
    PropagationOptions,
    Rules,
    Stretch,
    fill_stretch,
    find_stretches,
)
from point_tracking.tracker.propagation.shapes import box_iou

Filler = Callable[[ObjectClip, Stretch], dict[int, Box]]
"""What a way of filling says of the frames of one stretch; frames it leaves out have no box."""


def fill_straight(clip: ObjectClip, stretch: Stretch) -> dict[int, Box]:
    """What FiftyOne does: linear between keyframes, beyond the last the same box."""
    ends = [clip.shapes[t].xyxy for t in stretch.sources]
    boxes = {}
    for t in range(stretch.first, stretch.last + 1):
        if len(ends) == 1:
            boxes[t] = Box(ends[0])
        else:
            after = (t - stretch.sources[0]) / (stretch.sources[1] - stretch.sources[0])
            boxes[t] = Box(ends[0] + (ends[1] - ends[0]) * after)
    return boxes


@dataclass
class Carrier:
    """Fills stretches by tracks.

    Args:
        cache: of tracks
        prompt: what is drawn in a keyframe, "box" or "mask"
        rules: constants
        options: of propagation
    """

    cache: TrackCache
    prompt: str = "box"
    rules: Rules = field(default_factory=Rules)
    options: PropagationOptions = field(default_factory=lambda: PropagationOptions(keep_lost=True))

    def fill(self, clip: ObjectClip, stretch: Stretch) -> list[FilledFrame]:
        """All that is said of a stretch."""
        keyframes = [Keyframe(t, clip.shape(t, self.prompt)) for t in stretch.sources]
        tracks = {t: self.cache.get(clip, self.prompt, t) for t in stretch.sources}
        return fill_stretch(stretch, keyframes, tracks, clip.num_frames, clip.size_px, self.options, self.rules)

    def __call__(self, clip: ObjectClip, stretch: Stretch) -> dict[int, Box]:
        return {frame.t: frame.shape for frame in self.fill(clip, stretch) if isinstance(frame.shape, Box)}


def overlaps(
    clip: ObjectClip, drawn: list[int], fill: Filler, kept: dict[Stretch, np.ndarray] | None = None
) -> np.ndarray:
    """Box IoU in every frame, (T,): 1 where drawn, 0 where there is no box.

    Args:
        clip: with the true boxes
        drawn: frame indices of the keyframes
        fill: what fills the others
        kept: IoU of stretches that were filled before; new ones are added
    """
    kept = {} if kept is None else kept
    ious = np.ones(clip.num_frames)
    keyframes = [Keyframe(t, clip.shape(t, "box")) for t in drawn]
    for stretch in find_stretches(keyframes, clip.num_frames):
        frames = range(stretch.first, stretch.last + 1)
        if stretch not in kept:
            boxes = fill(clip, stretch)
            kept[stretch] = np.array(
                [box_iou(boxes[t].xyxy, clip.shapes[t].xyxy) if t in boxes else 0.0 for t in frames]
            )
        ious[stretch.first : stretch.last + 1] = kept[stretch]
    return ious


def keyframes_needed(
    clip: ObjectClip,
    fill: Filler,
    least_iou: float,
    kept: dict[Stretch, np.ndarray],
    allowed: Sequence[int] | None = None,
) -> int:
    """How many frames are drawn until every box overlaps the true one so much.

    Args:
        clip: with the true boxes
        fill: what fills the frames that are not drawn
        least_iou: that a box must have
        kept: IoU of stretches that were filled before; new ones are added
        allowed: frame indices that can be drawn, the nearest to the worst frame is; None = all. Where none is left
            beside a frame, it stays as it is

    Returns:
        their number; the first frame is drawn first, then always the worst
    """
    drawn = [0]
    while True:
        ious = overlaps(clip, drawn, fill, kept)
        chosen = None
        for t in (int(t) for t in np.argsort(ious, kind="stable") if ious[t] < least_iou):
            before = max(u for u in drawn if u < t)
            after = min((u for u in drawn if u > t), default=clip.num_frames)
            free = [t] if allowed is None else [u for u in allowed if before < u < after]
            if free:
                chosen = min(free, key=lambda u: abs(u - t))
                break
        if chosen is None:
            return len(drawn)
        drawn = sorted([*drawn, chosen])


def mask_overlap(shape: MaskedBox, truth: MaskedBox, size_px: tuple[int, int]) -> float:
    """Intersection over union of two masks, on the pixels of the frame (J of DAVIS)."""
    a, b = drawn_mask(shape, size_px), drawn_mask(truth, size_px)
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def drawn_mask(shape: MaskedBox, size_px: tuple[int, int]) -> np.ndarray:
    """The mask on the frame's pixels: (H, W) bool."""
    width, height = size_px
    low, sides = shape.xyxy[:2], shape.xyxy[2:] - shape.xyxy[:2]
    column = np.floor((np.arange(width) + 0.5 - low[0]) / sides[0] * shape.mask.shape[1]).astype(int)
    row = np.floor((np.arange(height) + 0.5 - low[1]) / sides[1] * shape.mask.shape[0]).astype(int)
    inside_x, inside_y = ((at >= 0) & (at < n) for at, n in ((column, shape.mask.shape[1]), (row, shape.mask.shape[0])))
    picture = np.zeros((height, width), bool)
    picture[np.ix_(inside_y, inside_x)] = shape.mask[np.ix_(row[inside_y], column[inside_x])]
    return picture
