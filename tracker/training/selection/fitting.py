"""Trees and confidences, fitted to candidates whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from ...metrics.truth import TrackTruth
from ...models.pt_fused_2.candidates import CHAIN, NETWORK, Candidates, distance_px
from ...models.pt_fused_2.estimate import Estimate, Forest
from ...models.pt_fused_2.selection import SelectedFrame, SelectionRules, Selector

THRESHOLDS_PX = np.array([1, 2, 4, 8, 16])
WITHIN_PX = 4.0
_MOST_ROWS = 250_000
_TREES = {
    "max_iter": 140,
    "learning_rate": 0.09,
    "max_leaf_nodes": 16,
    "max_depth": 6,
    "min_samples_leaf": 60,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 0,
}
_TABLE_STEPS = 24


@dataclass(frozen=True, eq=False)
class Rows:
    """Candidates with what they are worth.

    Args:
        features: (R, F) float32
        good: (R,) mean over 1, 2, 4, 8, 16 px of (error below)
        visible: (R,) bool
    """

    features: np.ndarray
    good: np.ndarray
    visible: np.ndarray


def rows_of(found: Iterable[Candidates], truth: TrackTruth, size_px: tuple[int, int]) -> Rows:
    """All candidates of a clip that the truth tells something about."""
    features, good, visible = [], [], []
    for one in found:
        t = one.frame_index
        counts = (one.rows >= 0) & (one.since_query > 0)[:, None] & truth.known[t][:, None]
        shared = one.rows[:, CHAIN] == one.rows[:, NETWORK]
        counts[shared, NETWORK] = False
        points, which = np.nonzero(counts)
        error = distance_px(one.xy[points, which], truth.xy[t, points].astype(np.float32), size_px)
        features.append(one.features[one.rows[points, which]])
        good.append((np.nan_to_num(error, nan=np.inf)[:, None] < THRESHOLDS_PX).mean(axis=1))
        visible.append(truth.visible[t, points])
    return Rows(np.concatenate(features), np.concatenate(good), np.concatenate(visible))


def fit_estimate(clips: Iterable[Rows], fitted_to: str) -> Estimate:
    """Fits both forests; the table of confidences is the identity.

    Args:
        clips: rows of each clip
        fitted_to: checksum of the network's weights
    """
    parts = list(clips)
    rows = Rows(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("features", "good", "visible")))
    seen = _fit(rows.features, rows.good * rows.visible)
    place = _fit(rows.features[rows.visible], rows.good[rows.visible])
    steps = np.linspace(0, 1, 2, dtype=np.float32)
    return Estimate(seen, place, steps, steps, fitted_to)


def _fit(features: np.ndarray, target: np.ndarray) -> Forest:
    from sklearn.ensemble import HistGradientBoostingRegressor

    if len(features) > _MOST_ROWS:
        some = np.random.default_rng(0).permutation(len(features))[:_MOST_ROWS]
        features, target = features[some], target[some]
    model = HistGradientBoostingRegressor(**_TREES).fit(features, target)
    trees = [stage[0].nodes for stage in model._predictors]
    size = max(len(nodes) for nodes in trees)

    def packed(read: Callable[[np.ndarray], np.ndarray], dtype: type) -> np.ndarray:
        return np.stack([np.pad(read(nodes), (0, size - len(nodes))) for nodes in trees]).astype(dtype)

    leaf = packed(lambda nodes: nodes["is_leaf"], bool)
    leaf[:, :] |= np.arange(size) >= np.array([len(nodes) for nodes in trees])[:, None]
    own = np.broadcast_to(np.arange(size), leaf.shape)
    return Forest(
        feature=np.where(leaf, -1, packed(lambda nodes: nodes["feature_idx"], np.int16)).astype(np.int16),
        threshold=packed(lambda nodes: nodes["num_threshold"], np.float32),
        left=np.where(leaf, own, packed(lambda nodes: nodes["left"], np.int16)).astype(np.int16),
        right=np.where(leaf, own, packed(lambda nodes: nodes["right"], np.int16)).astype(np.int16),
        unknown_left=packed(lambda nodes: nodes["missing_go_to_left"], bool),
        value=np.where(leaf, packed(lambda nodes: nodes["value"], np.float32), 0).astype(np.float32),
        base=float(np.ravel(model._baseline_prediction)[0]),
    )


def select(
    found: Iterable[Candidates], estimate: Estimate, size_px: tuple[int, int], rules: SelectionRules | None = None
) -> list[SelectedFrame]:
    """What is chosen of a clip's candidates."""
    selector = Selector(estimate, size_px, rules)
    selected = [selector.push(one) for one in found]
    return [one for one in selected if one is not None] + selector.finish()


@dataclass(frozen=True, eq=False)
class Declared:
    """The points declared visible in a clip, queries left out.

    Args:
        estimate: (M,) of each
        confidence: (M,) of each
        right: (M,) bool, visible indeed and within 4 px of a 256 x 256 frame
    """

    estimate: np.ndarray
    confidence: np.ndarray
    right: np.ndarray


def declared(selected: list[SelectedFrame], truth: TrackTruth, size_px: tuple[int, int]) -> Declared:
    """Compares what was declared visible with the truth."""
    xy = np.stack([one.xy for one in selected])
    error = distance_px(xy, truth.xy.astype(np.float32), size_px)
    after = np.arange(len(xy))[:, None] > truth.query_t
    counts = np.stack([one.visible for one in selected]) & truth.known & after
    right = truth.visible & (np.nan_to_num(error, nan=np.inf) < WITHIN_PX)
    estimate, confidence = (np.stack([getattr(one, name) for one in selected]) for name in ("estimate", "confidence"))
    return Declared(estimate[counts], confidence[counts], right[counts])


def fit_confidence(estimate: Estimate, clips: list[Declared]) -> Estimate:
    """Fits the table from estimates to shares within 4 px, with equal weight per clip."""
    from sklearn.isotonic import IsotonicRegression

    clips = [one for one in clips if len(one.right)]
    values = np.concatenate([one.estimate for one in clips])
    right = np.concatenate([one.right for one in clips]).astype(np.float64)
    weight = np.concatenate([np.full(len(one.right), 1 / len(one.right)) for one in clips])
    order = np.argsort(values)
    cuts = np.searchsorted(np.cumsum(weight[order]) / weight.sum(), np.linspace(0, 1, _TABLE_STEPS + 1)[1:-1])
    groups = [group for group in np.split(order, cuts) if len(group)]
    steps = np.array([np.average(values[group], weights=weight[group]) for group in groups])
    share = np.array([np.average(right[group], weights=weight[group]) for group in groups])
    share = IsotonicRegression(y_min=0, y_max=1).fit_transform(steps, share)
    # the slightest rise between steps of one share, so that surer points stay surer
    share = np.clip(share + 1e-4 * np.arange(len(share)), 0, 1)
    steps, share = np.concatenate([[0.0], steps, [1.0]]), np.concatenate([[0.0], share, [1.0]])
    return replace(estimate, seen_steps=steps.astype(np.float32), share_within=share.astype(np.float32))


def calibration_error(clips: list[Declared], bins: int = 10) -> tuple[float, list[tuple[float, float]]]:
    """How far confidence is from the share of points that are right.

    Args:
        clips: with equal weight each
        bins: of equal weight

    Returns:
        expected calibration error; per bin the mean confidence and the share that is right
    """
    clips = [one for one in clips if len(one.right)]
    confidence = np.concatenate([one.confidence for one in clips])
    right = np.concatenate([one.right for one in clips]).astype(np.float64)
    weight = np.concatenate([np.full(len(one.right), 1 / len(one.right)) for one in clips]) / len(clips)
    order = np.argsort(confidence, kind="stable")
    cuts = np.searchsorted(np.cumsum(weight[order]), np.linspace(0, 1, bins + 1)[1:-1])
    curve = [
        (
            float(np.average(confidence[group], weights=weight[group])),
            float(np.average(right[group], weights=weight[group])),
        )
        for group in np.split(order, cuts)
        if len(group)
    ]
    return float(np.mean([abs(said - is_right) for said, is_right in curve])), curve
