"""Where optical flow carries points: what windows of a guided model start from.

A window of the published models starts with every point standing still, and a
small model sees no further than its correlation neighbourhood. Here dense flow
(DIS, Kroeger et al., arXiv:1603.03590) between successive frames, at half the
model's resolution, moves points on from the last frame that is settled. The
network is told through the visibility it starts from whether the flow there and
back closes; what it makes of a wrong guess is learnt.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .config import CoTrackerConfig

if TYPE_CHECKING:
    from .correlation import FeatureMaps
    from .model import TrackState

MOTION_PARTS = 4  # x, y into a frame from the one before, x, y back again

_SHRINK = 2  # the flow's frames are so much smaller than the model's
_MIN_SIDE_PX = 32  # DIS needs a few of its 8 px patches in either direction
_CLOSES_PX = 3.0  # of the model's frame
_CLOSED_LOGIT = 1.0
# visibility x confidence in a window's first frame below which another tracker's guess replaces settled frames too
_UNSURE = 0.4


@dataclass(frozen=True, eq=False)
class Guide:
    """Where another tracker puts the points of a window.

    Args:
        xy: (B, N, S, 2) feature pixels; any finite numbers where it does not know
        kept: (B, N, S) bool, where it is to be followed
    """

    xy: Tensor
    kept: Tensor


def motion_size(config: CoTrackerConfig) -> tuple[int, int]:
    """(height, width) that flow is computed and kept in."""
    height, width = (max(side // _SHRINK, _MIN_SIDE_PX) for side in config.resolution)
    return height, width


def motion_bytes(config: CoTrackerConfig) -> int:
    """Of one stored frame; 0 for models that are not guided."""
    height, width = motion_size(config)
    return MOTION_PARTS * height * width * 2 if config.guided else 0


def frame_motion(
    frames: np.ndarray, before: np.ndarray | None, config: CoTrackerConfig
) -> tuple[np.ndarray, np.ndarray | None]:
    """The motion into each of some frames, and back.

    Args:
        frames: uint8 (n, H, W, 3) RGB, of any size
        before: the grey frame before the first, as this function returned it; None = there is none
        config: of the model

    Returns:
        float16 (n, 4, h, w) in feature pixels, zeros where there is no frame before; and
        the last grey frame
    """
    import cv2

    from ...shared.query_matching import LEFT_OUT

    height, width = motion_size(config)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(0)
    # pixels of the flow's frames to feature pixels
    scale = np.array(config.grid_size[::-1], np.float32) / (width, height)
    motion = np.zeros((len(frames), MOTION_PARTS, height, width), np.float16)
    for i, frame in enumerate(frames):
        small = cv2.resize(np.ascontiguousarray(frame), (width, height), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        if before is not None:
            for part, (first, second) in enumerate(((before, grey), (grey, before))):
                moved = flow.calc(first, second, LEFT_OUT) * scale  # (h, w, 2)
                motion[i, 2 * part : 2 * part + 2] = moved.transpose(2, 0, 1)
        before = grey
    return motion, before


def motion_of_flow(
    there: np.ndarray, back: np.ndarray, size_px: tuple[int, int], config: CoTrackerConfig
) -> np.ndarray:
    """The motion into a frame and back, of flow that was computed elsewhere.

    Args:
        there: (h', w', 2) float32 from the frame before, in pixels of a frame of `size_px`
        back: (h'', w'', 2) float32 to it, likewise
        size_px: (width, height)
        config: of the model

    Returns:
        float16 (4, h, w) in feature pixels
    """
    import cv2

    height, width = motion_size(config)
    scale = np.array(config.grid_size[::-1], np.float32) / size_px
    parts = [cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA) * scale for flow in (there, back)]
    return np.concatenate(parts, axis=2).transpose(2, 0, 1).astype(np.float16)


def clip_motion(video: Tensor, config: CoTrackerConfig) -> Tensor:
    """The motion into each frame of a batch of clips.

    Args:
        video: (B, T, 3, H, W) uint8
        config: of the model; of its resolution only the ratio to `video` matters

    Returns:
        (B, T, 4, h, w) float16 in feature pixels of clips of this size
    """
    config = replace(config, resolution=(video.shape[-2], video.shape[-1]))
    frames = video.permute(0, 1, 3, 4, 2).cpu().numpy()
    with ThreadPoolExecutor(min(len(frames), os.cpu_count() or 1)) as pool:  # OpenCV lets other threads run
        motion = list(pool.map(lambda clip: frame_motion(clip, None, config)[0], frames))
    return torch.from_numpy(np.stack(motion)).to(video.device)


@torch.no_grad()
def carry_along(state: TrackState, maps: FeatureMaps, settled: Tensor, config: CoTrackerConfig) -> TrackState:
    """Moves the guess for frames that are not settled with the flow.

    Args:
        state: (B, N, S) initial guess of a window
        maps: of its S frames
        settled: (B, N) int64, the last frame that is not to be moved
        config: of the model

    Returns:
        the guess; its visibility is raised where the flow there and back closes, and lowered from where it
        does not
    """
    assert maps.motion is not None
    xy = [state.xy[:, :, 0]]
    height, width = (side * config.stride for side in maps.levels[0].shape[2:4])
    edge = xy[0].new_tensor([width - 1, height - 1]) / config.stride  # feature pixels
    slots = maps.frames.tolist()
    closed = torch.ones_like(settled, dtype=torch.bool)
    logits = [torch.zeros_like(state.visibility[:, :, 0])]
    for i in range(1, maps.num_frames):
        guessed = settled < i  # (B, N)
        there, back = _between(maps, slots[i - 1], slots[i])  # (B, 2, h, w) each
        moved = xy[-1] + _sampled(there, xy[-1], edge)
        returned = moved + _sampled(back, moved, edge)
        inside = ((moved >= 0) & (moved <= edge)).all(dim=-1)
        closes = (returned - xy[-1]).norm(dim=-1) * config.stride < _CLOSES_PX
        closed = torch.where(guessed, closed & closes & inside, closed)
        xy.append(torch.where(guessed[..., None], moved, state.xy[:, :, i]))
        evidence = (2 * closed.to(logits[0].dtype) - 1) * _CLOSED_LOGIT
        logits.append(torch.where(guessed, evidence, 0.0))
    return type(state)(
        torch.stack(xy, dim=2), state.visibility.detach() + torch.stack(logits, dim=2), state.confidence.detach()
    )


@torch.no_grad()
def follow_guide(state: TrackState, start: TrackState, guide: Guide, settled: Tensor, t: Tensor) -> TrackState:
    """Puts points where another tracker has them.

    Args:
        state: (B, N, S), the guess after `carry_along`
        start: the same before it
        guide: of the same points and frames
        settled: (B, N) int64, the last frame that is not to be moved where the network is sure of the point
        t: (B, N) int64 query frames, from the start of the window

    Returns:
        the guess; its visibility is raised where the guide was followed
    """
    frames = torch.arange(state.xy.shape[2], device=settled.device)
    sure = torch.sigmoid(start.visibility[..., 0]) * torch.sigmoid(start.confidence[..., 0])  # (B, N)
    use = guide.kept & (frames > torch.where(sure < _UNSURE, t, settled)[..., None])  # (B, N, S)
    xy = torch.where(use[..., None], guide.xy, state.xy)
    visibility = torch.where(use, start.visibility.clamp(min=0) + _CLOSED_LOGIT, state.visibility)
    return type(state)(xy, visibility, state.confidence)


def _between(maps: FeatureMaps, earlier: int, later: int) -> tuple[Tensor, Tensor]:
    """Motion from one stored frame to the next of a clip, and back; none where a frame is repeated."""
    assert maps.motion is not None
    if earlier == later:
        still = torch.zeros_like(maps.motion[:, later, :2], dtype=torch.float32)
        return still, still
    stored = maps.motion[:, earlier if maps.backwards else later].float()
    there, back = stored[:, :2], stored[:, 2:]
    return (back, there) if maps.backwards else (there, back)


def _sampled(motion: Tensor, xy: Tensor, edge: Tensor) -> Tensor:
    """The motion at (B, N, 2) feature pixels; beyond the border that of the border."""
    grid = (2 * xy / edge - 1)[:, :, None]  # (B, N, 1, 2)
    return F.grid_sample(motion, grid, padding_mode="border", align_corners=True)[..., 0].transpose(1, 2)
