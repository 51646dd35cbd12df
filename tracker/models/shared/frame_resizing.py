"""Frames in the size a model wants, on its device, a few at a time.

Outer edges coincide (half-pixel centres), as in OpenCV's and torch's own
resizing; `coordinates.edge_aligned` maps positions accordingly.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Resize = Literal["antialias", "bilinear"]
RESIZES: tuple[str, ...] = get_args(Resize)

_WHITE = 255


def frames_to_device(frames: np.ndarray, device: torch.device) -> Tensor:
    """Moves frames to a device and puts their channels first.

    Args:
        frames: uint8 (n, H, W, 3) RGB

    Returns:
        (n, 3, H, W) float32 from 0 to 255, channels last in memory
    """
    pixels = torch.from_numpy(np.array(frames, order="C"))  # reversed chunks have negative strides
    if device.type == "cuda":
        pixels = pixels.pin_memory()  # the copy does not wait for what the GPU still has to do
    pixels = pixels.to(device, non_blocking=device.type == "cuda")
    return pixels.permute(0, 3, 1, 2).float()  # (n, 3, H, W)


def resize_frames(x: Tensor, size: tuple[int, int], resize: Resize, *, whole_greys: bool = True) -> Tensor:
    """Scales frames to a size.

    Args:
        x: (n, 3, H, W) float from 0 to 255
        size: (height, width)
        resize: "antialias" = bilinear, averaging where it shrinks, kept as it is computed; "bilinear" = between the
            nearest pixels
        whole_greys: whether "bilinear" is rounded, as OpenCV's INTER_LINEAR resizes 8-bit images

    Returns:
        (n, 3, height, width); the frames themselves where they have that size
    """
    if x.shape[-2:] == size:
        return x
    if resize == "antialias":
        return F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)
    x = F.interpolate(x, size, mode="bilinear", align_corners=False)
    return x.round_().clamp_(0, _WHITE) if whole_greys else x
