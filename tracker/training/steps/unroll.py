"""A model unrolled over the windows of training clips, with its losses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ...models.cotracker.network.correlation import FeatureMaps
from ...models.cotracker.network.guidance import clip_motion
from ...models.cotracker.network.model import CoTracker3, TrackState
from ...models.cotracker.running.online import WindowedPoints, window_starts
from ..data.batches import TrainingBatch
from .losses import LossWeights, WindowTruth, contrastive_loss, track_loss

_FAR_OUTSIDE = 0.5  # of positions further out than this share of the frame only visibility is asked


@dataclass(frozen=True, eq=False)
class ClipLoss:
    """The loss of a batch, and figures for the curves.

    Args:
        total: scalar with gradient
        parts: plain scalars by name
    """

    total: Tensor
    parts: dict[str, Tensor]


def model_frames(video: Tensor) -> Tensor:
    """Frames as the encoder takes them.

    Args:
        video: (B, T, 3, H, W) uint8

    Returns:
        (B * T, 3, H, W) float32 in [-1, 1]
    """
    return video.flatten(0, 1).float().mul(2 / 255).sub(1)


def encode_clips(model: CoTracker3, video: Tensor, train_encoder: bool = True) -> FeatureMaps:
    """The feature pyramid of all frames of a batch.

    Args:
        model: with any number of levels
        video: (B, T, 3, H, W) uint8
        train_encoder: whether gradients reach the encoder

    Returns:
        maps of B clips with T frames
    """
    with torch.set_grad_enabled(train_encoder and torch.is_grad_enabled()):
        levels = model.encode(model_frames(video))
    levels = tuple(level.unflatten(0, video.shape[:2]) for level in levels)  # (B, T, h, w, C) each
    motion = clip_motion(video, model.config) if model.config.guided else None
    return FeatureMaps(levels, torch.arange(video.shape[1], device=video.device), motion)


def unrolled_windows(
    model: CoTracker3, maps: FeatureMaps, query_t: Tensor, query_xy_px: Tensor, iterations: int
) -> Iterator[tuple[int, list[TrackState]]]:
    """Tracks a batch through all its windows, as in inference but with gradients.

    Args:
        model: in "online" mode
        maps: of T frames, a window and whole half windows
        query_t: (B, N) int64
        query_xy_px: (B, N, 2)
        iterations: refinements per window

    Yields:
        the window's first frame, and the guess after each iteration
    """
    config = model.config
    points = WindowedPoints(model, query_t, query_xy_px.float() / config.stride)
    for start in window_starts(maps.num_frames, config.window):
        window = maps.part(start, start + config.window)
        yield start, list(points.refine_window(window, iterations))


def window_truth(batch: TrainingBatch, start: int, window: int) -> WindowTruth:
    """What is known in a window; nothing about points that no window has come to yet."""
    frames = slice(start, start + window)
    height, width = batch.video.shape[-2:]
    xy = batch.xy[:, frames].transpose(1, 2).float()  # (B, N, S, 2)
    size = xy.new_tensor([width, height])
    sane = ((xy > -_FAR_OUTSIDE * size) & (xy < (1 + _FAR_OUTSIDE) * size)).all(dim=-1)  # (B, N, S)
    counted = (batch.query_t < start + window)[..., None].expand_as(sane)
    if batch.known is not None:
        counted = counted & batch.known[:, frames].transpose(1, 2)
    placed = counted & sane
    # unknown positions may be NaN, and NaN times 0 is NaN
    xy = torch.where(placed[..., None], xy, torch.zeros_like(xy))
    return WindowTruth(xy, batch.visible[:, frames].transpose(1, 2), counted, placed)


def clip_loss(
    model: CoTracker3,
    batch: TrainingBatch,
    weights: LossWeights,
    *,
    iterations: int,
    train_encoder: bool = True,
    contrastive: float = 0.0,
) -> ClipLoss:
    """The loss of a batch of clips: the mean over their windows.

    Args:
        model: in "online" mode
        batch: its clips
        weights: of the parts of the track loss
        iterations: refinements per window
        train_encoder: whether gradients reach the encoder
        contrastive: weight of the contrastive loss of query features against all frames

    Returns:
        the loss and its parts
    """
    config = model.config
    maps = encode_clips(model, batch.video, train_encoder)
    query_xy = batch.query_xy
    losses, errors_px = [], []
    for start, states in unrolled_windows(model, maps, batch.query_t, query_xy, iterations):
        truth = window_truth(batch, start, config.window)
        losses.append(track_loss(states, truth, config.stride, weights.gamma))
        error = (states[-1].xy.detach().float() * config.stride - truth.xy_px).norm(dim=-1)
        errors_px.append(error[truth.visible & truth.placed])
    count = len(losses)
    parts = {
        name: torch.stack([getattr(loss, name).detach() for loss in losses]).mean()
        for name in ("visible", "hidden", "visibility", "confidence")
    }
    if not batch.train_visibility:
        weights = LossWeights(weights.gamma, weights.visible, weights.hidden, heads=0)
    total = torch.stack([loss.total(weights) for loss in losses]).sum() / count
    error_px = torch.cat(errors_px)
    parts["error_px"] = error_px.median() if len(error_px) else total.new_zeros(())
    if contrastive > 0:
        centre = maps_at(maps, batch.query_t, query_xy / config.stride)  # (B, N, C)
        mask = batch.visible if batch.known is None else batch.visible & batch.known
        where = torch.nan_to_num(batch.xy.float()) / config.stride
        parts_loss = contrastive_loss(centre, maps.levels[0], where, mask)
        parts["contrastive"] = parts_loss.detach()
        total = total + contrastive * parts_loss
    return ClipLoss(total, parts)


def maps_at(maps: FeatureMaps, t: Tensor, xy: Tensor) -> Tensor:
    """Features of the finest level at positions, (B, N, C)."""
    from ...models.cotracker.network.correlation import sample_templates

    finest = FeatureMaps(maps.levels[:1], maps.frames)
    return sample_templates(finest, t, xy, radius=0)[:, :, 0, 0]
