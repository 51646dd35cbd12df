"""The losses of the published recipe, and the contrastive loss that trains the encoder.

Source: CoTracker3, arXiv:2410.11831, sec. 3.1 and appendix A. Everything is
float32, whatever the model computes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...models.cotracker.network.model import TrackState

HUBER_DELTA_PX = 6.0
CONFIDENT_PX = 12.0  # a position is to be called certain when it is nearer than this
TEMPERATURE = 0.07


@dataclass(frozen=True, eq=False)
class WindowTruth:
    """What is known about the points in a window's frames.

    Args:
        xy_px: (B, N, S, 2) float32 pixels
        visible: (B, N, S) bool
        counted: (B, N, S) bool, False where nothing is known or asked
        placed: (B, N, S) bool, False also where only visibility is asked
    """

    xy_px: Tensor
    visible: Tensor
    counted: Tensor
    placed: Tensor


@dataclass(frozen=True)
class LossWeights:
    """How the parts of the track loss add up.

    Args:
        gamma: weight of an iteration over that of the next
        visible: of the position loss where the point is seen
        hidden: of the position loss where it is not
        heads: of the losses of visibility and confidence; 0 = not trained
    """

    gamma: float = 0.8
    visible: float = 0.05
    hidden: float = 0.01
    heads: float = 1.0


@dataclass(frozen=True, eq=False)
class TrackLoss:
    """The parts of the loss, each a scalar with its gradient, unweighted but by gamma."""

    visible: Tensor
    hidden: Tensor
    visibility: Tensor
    confidence: Tensor

    def total(self, weights: LossWeights) -> Tensor:
        """The weighted sum."""
        position = weights.visible * self.visible + weights.hidden * self.hidden
        if weights.heads == 0:
            return position
        return position + weights.heads * (self.visibility + self.confidence)


def track_loss(states: Sequence[TrackState], truth: WindowTruth, stride: int, gamma: float = 0.8) -> TrackLoss:
    """The loss of one window.

    Args:
        states: the guess after each iteration, positions in feature pixels
        truth: of the same window
        stride: pixels per feature pixel
        gamma: weight of an iteration over that of the next

    Returns:
        its parts, each divided by the number of iterations: Huber (delta 6 px)
        where points are visible, L1 where they are hidden, each a mean over its
        own positions and over x and y; cross entropies of visibility and of
        confidence, the latter "nearer than 12 px", where points are visible
    """
    seen, unseen = truth.placed & truth.visible, truth.placed & ~truth.visible
    zero = truth.xy_px.new_zeros(())
    visible, hidden, visibility, confidence = zero, zero, zero, zero
    target = truth.visible.float()
    for i, state in enumerate(states):
        weight = gamma ** (len(states) - 1 - i)
        error = state.xy.float() * stride - truth.xy_px  # (B, N, S, 2)
        huber = F.huber_loss(error, torch.zeros_like(error), reduction="none", delta=HUBER_DELTA_PX).mean(dim=-1)
        visible = visible + weight * masked_mean(huber, seen)
        hidden = hidden + weight * masked_mean(error.abs().mean(dim=-1), unseen)
        bce = F.binary_cross_entropy_with_logits(state.visibility.float(), target, reduction="none")
        visibility = visibility + masked_mean(bce, truth.counted)
        near = (error.detach().norm(dim=-1) < CONFIDENT_PX).float()  # (B, N, S)
        bce = F.binary_cross_entropy_with_logits(state.confidence.float(), near, reduction="none")
        confidence = confidence + masked_mean(bce, seen)
    count = max(len(states), 1)
    return TrackLoss(visible / count, hidden / count, visibility / count, confidence / count)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of values where a mask is set; 0, with gradient 0, where it is nowhere set."""
    weight = mask.to(values.dtype)
    return (values * weight).sum() / weight.sum().clamp(min=1)


def contrastive_loss(
    queries: Tensor, features: Tensor, xy: Tensor, mask: Tensor, temperature: float = TEMPERATURE
) -> Tensor:
    """InfoNCE: a point's feature must find its own cell among all cells of another frame.

    Args:
        queries: (B, N, C) features of the points in their own frames, of unit length
        features: (B, T, h, w, C) maps of the frames to search, of unit length
        xy: (B, T, N, 2) where the points are there, in feature pixels
        mask: (B, T, N) bool, where they are visible
        temperature: similarities are divided by it

    Returns:
        scalar: cross entropy over all cells, its target shared bilinearly by the
        four cells around the true position
    """
    height, width = features.shape[2:4]
    logits = torch.einsum("bnc,btpc->btnp", queries, features.flatten(2, 3)) / temperature  # (B, T, N, h * w)
    log_share = logits.float().log_softmax(dim=-1)
    x = xy[..., 0].clamp(0, width - 1.001)  # (B, T, N)
    y = xy[..., 1].clamp(0, height - 1.001)
    left, top = x.floor(), y.floor()
    right_share, bottom_share = x - left, y - top
    cell = (top * width + left).long()  # (B, T, N)
    loss = torch.zeros_like(x)
    for offset, share in (
        (0, (1 - right_share) * (1 - bottom_share)),
        (1, right_share * (1 - bottom_share)),
        (width, (1 - right_share) * bottom_share),
        (width + 1, right_share * bottom_share),
    ):
        loss = loss - share * log_share.gather(-1, (cell + offset)[..., None])[..., 0]
    return masked_mean(loss, mask)
