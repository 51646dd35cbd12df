"""From uint8 video to feature maps, a few frames at a time.

Frames are resized to the model's resolution as the published predictors do
(bilinear, corner pixel centres aligned, in float), chunk by chunk, so that a
clip never exists as float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..network.correlation import FeatureMaps
from ..network.guidance import MOTION_PARTS, frame_motion, motion_size
from ..weights.checkpoint import CoTracker

FrameCallback = Callable[[int], None]
"""Called with the number of frames encoded so far."""


def prepare_frames(frames: np.ndarray, resolution: tuple[int, int], device: torch.device) -> Tensor:
    """Resizes and scales frames for the encoder.

    Args:
        frames: uint8 (n, H, W, 3) RGB
        resolution: (height, width) of the model
        device: where the model is

    Returns:
        (n, 3, height, width) float32 in [-1, 1]
    """
    pixels = torch.from_numpy(np.array(frames, order="C"))  # reversed chunks have negative strides
    if device.type == "cuda":
        pixels = pixels.pin_memory()  # the copy does not wait for what the GPU still has to do
    pixels = pixels.to(device, non_blocking=device.type == "cuda")
    x = pixels.permute(0, 3, 1, 2).float()  # (n, 3, H, W), channels last in memory
    if x.shape[-2:] != resolution:
        x = F.interpolate(x, resolution, mode="bilinear", align_corners=True)
    return 2 * (x / 255) - 1


def encode_frames(model: CoTracker, frames: np.ndarray, dtype: torch.dtype) -> list[Tensor]:
    """Feature pyramid of some frames, (n, h, w, C) per level.

    Args:
        model: on its device
        frames: uint8 (n, H, W, 3) RGB
        dtype: to keep features in
    """
    device = model.time_emb.device
    x = prepare_frames(frames, model.config.resolution, device)
    return [level.to(dtype) for level in model.encode(x)]


class ClipFeatures:
    """Features of frames in slots; all of a clip, or the last few of a stream.

    Args:
        model: whose encoder is used
        capacity: frames to keep. With `rolling`, later frames replace the
            earliest; otherwise the store grows
        dtype: to keep features in
        rolling: whether old frames may be dropped
        computes_motion: for models that are guided, whether flow between the frames is computed here; otherwise it
            is given with `put_motion`

    Attributes:
        num_frames: frames encoded so far
    """

    def __init__(
        self,
        model: CoTracker,
        capacity: int,
        dtype: torch.dtype,
        rolling: bool = False,
        computes_motion: bool = True,
    ) -> None:
        self.num_frames = 0
        self._model = model
        self._rolling = rolling
        self._computes_motion = computes_motion
        self._capacity = max(capacity, 1)
        self._dtype = dtype
        self._levels = self._allocate(self._capacity)
        self._motion = self._allocate_motion(self._capacity)
        self._last_grey: np.ndarray | None = None  # the frame before the next, for models that are guided

    def _allocate(self, capacity: int) -> list[Tensor]:
        config = self._model.config
        height, width = config.grid_size
        device = self._model.time_emb.device
        return [
            torch.empty(capacity, height >> level, width >> level, config.feature_dim, dtype=self._dtype, device=device)
            for level in range(config.levels)
        ]

    def _allocate_motion(self, capacity: int) -> Tensor | None:
        config = self._model.config
        if not config.guided:
            return None
        device = self._model.time_emb.device
        return torch.zeros(capacity, MOTION_PARTS, *motion_size(config), dtype=torch.float16, device=device)

    def append(self, frames: np.ndarray) -> None:
        """Encodes the next frames, uint8 (n, H, W, 3)."""
        count = len(frames)
        if not self._rolling and self.num_frames + count > self._capacity:
            self._grow(max(count, self._capacity // 4))
        slots = torch.arange(self.num_frames, self.num_frames + count, device=self._levels[0].device) % self._capacity
        for stored, fresh in zip(self._levels, encode_frames(self._model, frames, self._dtype), strict=True):
            stored.index_copy_(0, slots, fresh)
        if self._motion is not None and self._computes_motion:
            motion, self._last_grey = frame_motion(frames, self._last_grey, self._model.config)
            self._motion.index_copy_(0, slots, torch.from_numpy(motion).to(slots.device))
        self.num_frames += count

    def map_of(self, frame_index: int) -> Tensor:
        """The finest map of a stored frame, (h, w, C); not a copy."""
        return self._levels[0][frame_index % self._capacity]

    def put_motion(self, frame_index: int, motion: np.ndarray) -> None:
        """Stores the motion into a frame and back, float16 (4, h, w) in feature pixels."""
        if self._motion is not None:
            self._motion[frame_index % self._capacity] = torch.from_numpy(motion).to(self._motion.device)

    def _grow(self, extra: int) -> None:
        self._capacity += extra
        for i, fresh in enumerate(self._allocate(extra)):
            self._levels[i] = torch.cat([self._levels[i], fresh])
        if self._motion is not None:
            more = self._allocate_motion(extra)
            assert more is not None
            self._motion = torch.cat([self._motion, more])

    def extend(self, chunks: Iterable[np.ndarray], on_frames: FrameCallback | None = None) -> None:
        """Encodes all chunks, reporting the frames encoded so far after each."""
        for chunk in chunks:
            self.append(chunk)
            if on_frames is not None:
                on_frames(self.num_frames)

    def maps(self, start: int = 0, stop: int | None = None) -> FeatureMaps:
        """The maps of frames start .. stop - 1, which must be in the store; nothing is copied."""
        stop = self.num_frames if stop is None else min(stop, self.num_frames)
        device = self._levels[0].device
        slots = torch.arange(start, stop, device=device) % self._capacity
        motion = None if self._motion is None else self._motion[None]
        return FeatureMaps(tuple(level[None] for level in self._levels), slots, motion)
