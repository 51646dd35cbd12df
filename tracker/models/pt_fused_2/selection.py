"""Which candidate is believed, and whether the point is visible there."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from ...coordinates import inside_frame
from ..base import capped_where_hidden
from .candidates import AGREEMENT_PX, CHAIN, MATCH, NETWORK, NUM_CANDIDATES, Candidates, distance_px
from .estimate import Estimate
from .guard import GuardRules, is_doubtful
from .path import BestPath

# flow whose way back closes this surely is the more exact of both: the network's share of the place both have found
_EXACT_FLOW, _SHARE_BESIDE_EXACT, _SHARE = 0.98, 0.25, 0.5


@dataclass(frozen=True)
class SelectionRules:
    """The constants around the estimate; `benchmarks/trackers/fusion_rule.py` chooses them.

    Args:
        low: estimate above which a point is visible where chain and network both see it
        chain_alone: estimate above which it is visible where only the chain sees it
        network_alone: estimate above which it is visible where only the network does
        found_again: estimate above which it is visible where the chain owes its place to a match of the whole frame
        high: estimate above which it is visible anyway
        path_weight: cost of leaving the flow altogether, beside -log of an estimate
        path_cap_px: distance at which the flow is left altogether, in pixels of a 256 x 256 frame
        look_ahead: frames that path and guard look ahead
        guard: when a point is hidden
    """

    low: float = 0.0
    chain_alone: float = 0.1
    network_alone: float = 0.2
    found_again: float = 0.4
    high: float = 0.47
    path_weight: float = 0.25
    path_cap_px: float = 6.0
    look_ahead: int = 4
    guard: GuardRules = field(default_factory=GuardRules)


@dataclass(frozen=True, eq=False)
class SelectedFrame:
    """Where the points are in one frame.

    Args:
        xy: (N, 2) float32 pixels of the video; NaN before the query
        visible: (N,) bool
        confidence: (N,) float32 in [0, 1]
        estimate: (N,) float32, what visibility and confidence follow from
    """

    xy: np.ndarray
    visible: np.ndarray
    confidence: np.ndarray
    estimate: np.ndarray


class Selector:
    """Chooses among the candidates of one frame after the other, a few frames behind.

    Args:
        estimate: how good a candidate is
        size_px: (width, height) of the video
        rules: the constants
    """

    def __init__(self, estimate: Estimate, size_px: tuple[int, int], rules: SelectionRules | None = None) -> None:
        self._estimate, self._size_px, self._rules = estimate, size_px, rules or SelectionRules()
        self._path = BestPath(NUM_CANDIDATES, self._rules.path_weight, self._rules.path_cap_px)
        self._waiting: deque[tuple[Candidates, np.ndarray]] = deque()  # with (N, 3) estimates of being seen

    def push(self, candidates: Candidates) -> SelectedFrame | None:
        """Takes the candidates of the next frame.

        Args:
            candidates: of N points; N may have grown

        Returns:
            the selection of the frame `look_ahead` frames before; None while there is none yet
        """
        rows, shared = candidates.rows, candidates.rows[:, CHAIN] == candidates.rows[:, NETWORK]
        seen = _spread(self._estimate.seen.predict(candidates.features), rows)
        # where there is nothing to choose, the place needs no estimate of its own
        contested = np.unique(rows[(rows >= 0) & ~shared[:, None]])
        by_row = np.ones(len(candidates.features), np.float32)
        by_row[contested] = self._estimate.place.predict(candidates.features[contested])
        self._path.push(_spread(by_row, rows), candidates.leaps_px, candidates.since_query <= 0)
        self._waiting.append((candidates, seen))
        return self._select() if len(self._waiting) > self._rules.look_ahead else None

    def finish(self) -> list[SelectedFrame]:
        """The selections of all frames that are left."""
        return [self._select() for _ in range(len(self._waiting))]

    def _select(self) -> SelectedFrame:
        chosen = self._path.pop()
        frames = [one for one, _ in self._waiting]
        now, seen = self._waiting.popleft()
        points = np.arange(len(chosen))
        chain, network = now.xy[:, CHAIN], now.xy[:, NETWORK]
        with np.errstate(invalid="ignore"):
            near = distance_px(chain, network, self._size_px) <= AGREEMENT_PX
        agreed = near & (chosen != MATCH)
        share = np.where(now.chain_confidence >= _EXACT_FLOW, _SHARE_BESIDE_EXACT, _SHARE)[:, None]
        given, before = now.since_query == 0, now.since_query < 0
        xy = np.where(agreed[:, None], (1 - share) * chain + share * network, now.xy[points, chosen])
        xy = np.where(given[:, None], chain, xy)
        best = np.fmax(seen[:, CHAIN], seen[:, NETWORK])
        estimate = np.clip(np.nan_to_num(np.where(agreed, best, seen[points, chosen])), 0, 1)
        said = np.where(agreed, now.visible.any(axis=1), np.pad(now.visible, ((0, 0), (0, 1)))[points, chosen])
        alone = np.where(now.visible[:, CHAIN], self._rules.chain_alone, self._rules.network_alone)
        needed = np.where(agreed & now.visible.all(axis=1), self._rules.low, alone)
        # the network starts where the chain is: that it agrees says little there
        needed = np.where(now.found_again, np.maximum(needed, self._rules.found_again), needed)
        visible = (said & (estimate > needed)) | (estimate > self._rules.high)
        visible &= ~is_doubtful(xy, estimate, frames, self._size_px, self._rules.guard)
        visible &= inside_frame(xy, self._size_px)
        visible, estimate = (visible | given) & ~before, np.where(given, 1.0, estimate)
        xy, estimate = np.where(before[:, None], np.nan, xy), np.where(before, 0, estimate)
        confidence = capped_where_hidden(self._estimate.confidence(estimate), visible)
        confidence = np.where(before, 0, confidence)
        return SelectedFrame(xy.astype(np.float32), visible, confidence.astype(np.float32), estimate.astype(np.float32))


def _spread(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values of rows as (N, K), NaN where a candidate has no row."""
    return np.append(values, np.float32(np.nan))[rows]
