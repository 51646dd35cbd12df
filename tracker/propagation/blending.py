"""Two carried paths made into one that passes through both keyframes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .carrying import Carried
from .masks import blend_masks
from .options import Rules
from .shapes import Box, MaskedBox, Shape, agreement

_LEAST_WEIGHT = 1e-12


@dataclass(frozen=True, eq=False)
class BlendedPath:
    """One object between two keyframes, both included: S frames.

    Args:
        vectors: (S, P) float64, the shape's `vector`; NaN where not known
        weights: (S, 3) float64 shares of the path from before, the one from after, and the straight one
        enough: (S,) bool, whether enough points are seen from either side
        visible_share: (S,) float64
        confidence: (S,) float64
    """

    vectors: np.ndarray
    weights: np.ndarray
    enough: np.ndarray
    visible_share: np.ndarray
    confidence: np.ndarray


def straight_vectors(drawn: tuple[Shape, Shape], after: np.ndarray) -> np.ndarray:
    """Plain linear interpolation, of the sides of a box and of the positions of points.

    Args:
        drawn: shapes of the keyframe before and the one after, of equal length
        after: (S, 1) shares of the way from one to the other

    Returns:
        (S, P) `vector` of the shapes; a point that only one of the two knows stays there
    """
    one, other = drawn
    if isinstance(one, Box) and isinstance(other, Box):
        xyxy = one.xyxy + (other.xyxy - one.xyxy) * after  # (S, 4)
        sides = xyxy[:, 2:] - xyxy[:, :2]
        return np.concatenate([xyxy[:, :2] + sides / 2, np.log(sides)], axis=1)
    first, last = one.vector, other.vector
    first, last = np.where(np.isnan(first), last, first), np.where(np.isnan(last), first, last)
    return first + (last - first) * after


@dataclass(frozen=True, eq=False)
class _Side:
    """What one keyframe's points say: S frames, from the one before to the one after."""

    deviation: np.ndarray
    known: np.ndarray
    trust: float
    enough: np.ndarray
    visible_share: np.ndarray
    confidence: np.ndarray


def blend_paths(
    drawn: tuple[Shape, Shape],
    ends: tuple[int, int],
    carried: tuple[Carried | None, Carried | None],
    rules: Rules,
) -> BlendedPath:
    """Bends each path so that it ends where the other keyframe was drawn, and weighs them by distance and trust.

    A path that is wrong at the other keyframe is trusted less; one that loses its points goes straight from there.
    With no path at all, what is left is plain linear interpolation.

    Args:
        drawn: shapes of the keyframe before and the one after, of equal length
        ends: their frame indices
        carried: what their points say, or None
        rules: constants

    Returns:
        all frames from one keyframe to the other; exact in both
    """
    frames = np.arange(ends[0], ends[1] + 1)
    after = ((frames - ends[0]) / (ends[1] - ends[0]))[:, None]  # (S, 1)
    first, last = drawn[0].vector, drawn[1].vector
    straight = straight_vectors(drawn, after)
    both_known = np.isfinite(first) & np.isfinite(last)
    sides = [
        None if one is None else _side(one, drawn, ends, side, straight, both_known, rules)
        for side, one in enumerate(carried)
    ]
    weights = _weights(sides, after[:, 0], rules)
    if sides[0] is not None and sides[1] is not None:
        paths = (straight + sides[0].deviation, straight + sides[1].deviation)
        weights[:, 2] += rules.disagreement_weight * (1 - _agreements(drawn[0], *paths))
    total = np.zeros_like(straight)
    amount = np.broadcast_to(np.where(both_known, weights[:, 2:], 0.0), straight.shape).copy()
    for side, weight in zip(sides, weights.T, strict=False):
        if side is not None:
            total += np.where(side.known, weight[:, None] * side.deviation, 0)
            amount += np.where(side.known, weight[:, None], 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        vectors = straight + total / amount
    vectors[0], vectors[-1] = first, last
    shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), _LEAST_WEIGHT)
    return BlendedPath(vectors, shares, *_seen(sides, weights))


def _side(
    carried: Carried,
    drawn: tuple[Shape, Shape],
    ends: tuple[int, int],
    side: int,
    straight: np.ndarray,
    both_known: np.ndarray,
    rules: Rules,
) -> _Side:
    rows = slice(ends[0], ends[1] + 1)
    there = -1 if side == 0 else 0
    vectors, enough = carried.vectors[rows], carried.enough[rows]
    known = np.isfinite(vectors) & enough[:, None]
    deviation = np.where(known, vectors - straight, np.nan)
    trust = rules.unknown_trust
    if enough[there]:
        trust = agreement(drawn[0].with_vector(vectors[there]), drawn[1 - side])
    count = len(straight)
    places = np.arange(count, dtype=np.float64)
    share = places / (count - 1) if side == 0 else 1 - places / (count - 1)
    for i in np.flatnonzero(both_known):
        column = deviation[:, i]
        if np.isfinite(column[there]):
            column = column - column[there] * share
        column[there] = 0.0
        at = np.isfinite(column)
        deviation[:, i] = np.interp(places, places[at], column[at])
        known[:, i] = True
    if isinstance(drawn[side], Box):
        deviation[:, 2:] *= rules.size_weight
    return _Side(deviation, known, trust, enough, carried.visible_share[rows], carried.confidence[rows])


def _weights(sides: list[_Side | None], after: np.ndarray, rules: Rules) -> np.ndarray:
    """(S, 3): of the path from before, from after, and the straight one."""
    weights = np.zeros((len(after), 3))
    for i, side in enumerate(sides):
        if side is not None:
            near = (after if i else 1 - after) ** rules.distance_power
            seen = np.where(side.enough, side.visible_share, 0.0)
            weights[:, i] = near * side.trust**rules.trust_power * np.maximum(seen, rules.lost_weight)
    weights[:, 2] = max(rules.straight_weight, _LEAST_WEIGHT)
    return weights


def _agreements(shape: Shape, paths: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(S,) 0 to 1: how alike two paths of one shape are in each frame; 1 where one of them is not known."""
    found = np.ones(len(paths))
    for row in np.flatnonzero(np.isfinite(paths).any(axis=1) & np.isfinite(others).any(axis=1)):
        found[row] = agreement(shape.with_vector(paths[row]), shape.with_vector(others[row]))
    return found


def _seen(sides: list[_Side | None], weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether enough is seen, visible share and confidence: (S,) each."""
    count = len(weights)
    enough, share, confidence = np.zeros(count, bool), np.zeros(count), np.zeros(count)
    amount = np.maximum(weights[:, :2].sum(axis=1), _LEAST_WEIGHT)
    for side, weight in zip(sides, weights.T, strict=False):
        if side is not None:
            enough |= side.enough
            share = np.maximum(share, side.visible_share)
            confidence += weight / amount * side.trust * side.confidence
    return enough, share, confidence


def shape_at(
    path: BlendedPath,
    row: int,
    drawn: tuple[Shape, Shape],
    carried: tuple[Carried | None, Carried | None],
    t: int,
) -> Shape | None:
    """The shape in one frame of a path, its mask blended as the path is; None where nothing is known of it."""
    if not np.isfinite(path.vectors[row]).any():
        return None
    shape = drawn[0].with_vector(path.vectors[row])
    if not isinstance(shape, MaskedBox) or not isinstance(drawn[0], MaskedBox) or not isinstance(drawn[1], MaskedBox):
        return shape
    own = [drawn[0].mask, drawn[1].mask]
    moved = [mask if one is None else one.masks.get(t, mask) for one, mask in zip(carried, own, strict=True)]
    after = row / (len(path.vectors) - 1)
    before_weight, after_weight, straight_weight = (float(weight) for weight in path.weights[row])
    weights = [before_weight, after_weight, straight_weight * (1 - after), straight_weight * after]
    return MaskedBox(shape.xyxy, blend_masks([*moved, *own], weights))
