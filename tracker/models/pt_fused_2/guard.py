"""Hides what is reported visible too easily: at the frame's edge, on blank ground, in stretches that do not hold.

A point that has left the frame is likeliest taken for one inside close to the
edge, or where the chain took it up again somewhere it is not. Such a stretch is
judged as a whole, as far as a fixed number of frames ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .candidates import CHAIN, NETWORK, Candidates, edge_distance_px


@dataclass(frozen=True)
class GuardRules:
    """When a point is hidden.

    Args:
        edge_px: distance from the edge, in pixels of a 256 x 256 frame, up to which a point must be surer
        edge_estimate: how sure there
        stretch_score: what a stretch that began with a match of the whole frame must hold on average
        stretch_estimate: estimate from which it is believed whatever its stretch
        breaking_estimate: estimate below which a point that the chain alone sees must stay with it in the frames known
        shortest_stretch: frames below which such a stretch is taken for a mistake
    """

    edge_px: float = 8.0
    edge_estimate: float = 0.5
    stretch_score: float = 1.6
    stretch_estimate: float = 0.5
    breaking_estimate: float = 0.4
    shortest_stretch: int = 4


def judge_stretches(frames: Sequence[Candidates]) -> tuple[np.ndarray, np.ndarray]:
    """How well the present stretches of points hold, with what is known of the frames that follow.

    Args:
        frames: the present one and those known after it

    Returns:
        (N,) float32 mean scores of the stretches as far as they are known; (N,) int their whole lengths, of stretches
        that do not end in these frames a very large number. Both of the points of the present frame
    """
    now = frames[0]
    count = len(now.stretch)
    total, length = now.stretch_sum.copy(), now.stretch_length.copy()
    goes_on = now.stretch >= 0
    for later in frames[1:]:
        goes_on &= later.stretch[:count] == now.stretch
        if not goes_on.any():
            break
        total[goes_on] = later.stretch_sum[:count][goes_on]
        length[goes_on] = later.stretch_length[:count][goes_on]
    return total / np.maximum(length, 1), np.where(goes_on, np.iinfo(length.dtype).max, length)


def is_doubtful(
    xy: np.ndarray, estimate: np.ndarray, frames: Sequence[Candidates], size_px: tuple[int, int], rules: GuardRules
) -> np.ndarray:
    """Which points must not be reported visible.

    Args:
        xy: (N, 2) where they are reported, pixels of the video
        estimate: (N,) how sure that is
        frames: candidates of the present frame and of those known after it
        size_px: (width, height) of the video
        rules: when to doubt

    Returns:
        (N,) bool
    """
    now = frames[0]
    places = np.stack([xy, now.xy[:, CHAIN], now.xy[:, NETWORK]])
    inwards = np.nan_to_num(edge_distance_px(places, size_px), nan=np.inf).min(axis=0)
    at_edge = (inwards < rules.edge_px) & (estimate < rules.edge_estimate)
    score, length = judge_stretches(frames)
    breaks = (score < rules.stretch_score) | (length < rules.shortest_stretch)
    alone = now.visible[:, CHAIN] & ~now.visible[:, NETWORK]
    lost_soon = np.any([~later.visible[: len(alone), CHAIN] for later in frames[1:]], axis=0) if frames[1:] else False
    at_edge |= alone & lost_soon & (estimate < rules.breaking_estimate)
    return now.blank | at_edge | (now.found_again & breaks & (estimate < rules.stretch_estimate))
