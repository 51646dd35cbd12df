"""The best path of a point through its candidates, decided a fixed number of frames later.

Viterbi's algorithm over (candidates per frame), with what is known at most
`look_ahead` frames later: memory and delay do not grow with the video.
"""

from __future__ import annotations

from collections import deque

import numpy as np

_LEAST = 0.02  # estimates below are all alike
_IMPOSSIBLE = 20.0  # cost of a candidate that does not exist


class BestPath:
    """Paths of N points.

    Args:
        num_candidates: K per point and frame
        weight: cost of leaving the flow altogether, beside -log of an estimate
        cap_px: distance from where the flow leads at which it is left altogether, pixels of a 256 x 256 frame
    """

    def __init__(self, num_candidates: int, weight: float, cap_px: float) -> None:
        self._weight, self._cap_px = weight, cap_px
        self._cost = np.zeros((0, num_candidates), np.float32)
        self._back: deque[np.ndarray] = deque()  # per undecided frame, (N, K): the candidate before the best way here

    def __len__(self) -> int:
        """Frames that are not decided yet."""
        return len(self._back)

    def push(self, estimate: np.ndarray, leaps_px: np.ndarray, fresh: np.ndarray) -> None:
        """Adds a frame.

        Args:
            estimate: (N, K) from 0 to 1, NaN where there is no such candidate; N may have grown
            leaps_px: (N, K, K), from where the flow takes each candidate of the frame before to each of this one;
                NaN where that is not known
            fresh: (N,) bool, points whose path begins here or later
        """
        count = len(estimate) - len(self._cost)
        self._cost = np.pad(self._cost, ((0, count), (0, 0)))
        share = np.minimum(np.nan_to_num(leaps_px, nan=np.inf) / self._cap_px, 1.0)
        ways = self._cost[:, :, None] + self._weight * share  # (N, K before, K)
        back = ways.argmin(axis=1)
        cost = np.take_along_axis(ways, back[:, None], axis=1)[:, 0]
        cost += np.where(np.isnan(estimate), _IMPOSSIBLE, -np.log(np.clip(np.nan_to_num(estimate), _LEAST, 1)))
        cost[fresh] = 0
        self._cost = (cost - cost.min(axis=1, keepdims=True)).astype(np.float32)
        self._back.append(back)

    def pop(self) -> np.ndarray:
        """Decides the earliest frame that is undecided, by all that were pushed.

        Returns:
            (M,) int, the candidate on the best path of each of the M points known in that frame
        """
        chosen = self._cost.argmin(axis=1)
        for back in list(self._back)[:0:-1]:
            known = len(back)
            chosen = np.concatenate([back[np.arange(known), chosen[:known]], chosen[known:]])
        return chosen[: len(self._back.popleft())]
