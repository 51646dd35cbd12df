"""Finds points anywhere in a frame, by the features of a network's encoder.

A point's feature in its query frame is compared with every cell of another
frame's map. A match is worth something where the best cell's own feature, looked
for in the query frame in the same way, comes back to the point, and where no
second place looks as alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..shared.query_matching import REFERENCE_SIDE_PX

_SHARPNESS = 25.0  # of the centroid that places a peak between cells
_PEAK_CELLS = 2  # what lies so near the best cell is the same peak
_BLOCK_VALUES = 8_000_000  # likenesses that exist together
_TINY = 1e-6

MOST_PER_FRAME = 512
"""Points that are looked for in one frame at most; see `in_turn`."""


@dataclass(frozen=True, eq=False)
class Matches:
    """The best match of some points in one frame.

    Args:
        xy: (K, 2) float32, pixels of the video
        likeness: (K,) float32, cosine of the best cell and the point's feature
        lead: (K,) float32, by how much that is above the second peak
        way_back_px: (K,) float32, how far from the point the way back ends, in pixels of a 256 x 256 frame; NaN
            where the query frame's map is not kept
    """

    xy: np.ndarray
    likeness: np.ndarray
    lead: np.ndarray
    way_back_px: np.ndarray

    def __len__(self) -> int:
        return len(self.likeness)


class GlobalMatcher:
    """Keeps the features of points, and the maps of the frames they were given in.

    Memory: a feature per point, and a map in half precision per frame that holds
    queries, up to a budget; of frames beyond it the way back is not known.

    Args:
        size_px: (width, height) of the video
        to_cells: (2,) cells per pixel of the video, in x and y; the centres of the corners coincide
        map_budget_bytes: for maps of query frames
    """

    def __init__(self, size_px: tuple[int, int], to_cells: np.ndarray, map_budget_bytes: int) -> None:
        self._to_cells = to_cells.astype(np.float32)
        self._to_reference = (REFERENCE_SIDE_PX / np.array(size_px)).astype(np.float32)
        self._map_budget = map_budget_bytes
        self._query_t = np.zeros(0, np.int64)
        self._query_xy = np.zeros((0, 2), np.float32)
        self._features: Tensor | None = None  # (N, C), unit length
        self._maps: dict[int, Tensor] = {}  # query frame -> (h, w, C), half precision
        self._map_bytes = 0

    def add(self, query_t: np.ndarray, query_xy: np.ndarray) -> None:
        """Adds points, of which nothing is known until `learn`.

        Args:
            query_t: (K,) int, frame index of each
            query_xy: (K, 2) pixels of the video
        """
        self._query_t = np.concatenate([self._query_t, query_t])
        self._query_xy = np.concatenate([self._query_xy, query_xy]).astype(np.float32)
        if self._features is not None:
            self._features = F.pad(self._features, (0, 0, 0, len(query_t)))  # (N + K, C)

    def learn(self, points: np.ndarray, frame_index: int, features: Tensor) -> None:
        """Learns what points look like.

        Args:
            points: (K,) int, those whose query frame this is
            frame_index: of the frame
            features: (h, w, C), its map, features of unit length
        """
        if self._features is None:
            self._features = features.new_zeros(len(self._query_t), features.shape[-1], dtype=torch.float32)
        self._features[torch.from_numpy(points)] = self._read(features, self._query_xy[points])
        size = features.numel() * 2
        if self._map_bytes + size <= self._map_budget:
            self._maps[frame_index] = features.half()
            self._map_bytes += size

    def likeness(self, points: np.ndarray, xy: np.ndarray, features: Tensor) -> np.ndarray:
        """How much places look like the points.

        Args:
            points: (K,) int
            xy: (K, 2) pixels of the video
            features: (h, w, C), the map of the frame they lie in

        Returns:
            (K,) float32 cosines
        """
        if not len(points):
            return np.zeros(0, np.float32)
        own = self._own(points)
        return (self._read(features, xy) * own).sum(dim=1).cpu().numpy()

    def match(self, points: np.ndarray, features: Tensor) -> Matches:
        """Looks for points in a whole frame.

        Args:
            points: (K,) int
            features: (h, w, C), the frame's map

        Returns:
            K matches
        """
        block = max(_BLOCK_VALUES // (features.shape[0] * features.shape[1]), 1)
        parts = [self._match(points[i : i + block], features) for i in range(0, max(len(points), 1), block)]
        columns = zip(*((one.xy, one.likeness, one.lead, one.way_back_px) for one in parts), strict=True)
        return Matches(*(np.concatenate(column) for column in columns))

    def _match(self, points: np.ndarray, features: Tensor) -> Matches:
        if not len(points):
            none = np.zeros(0, np.float32)
            return Matches(np.zeros((0, 2), np.float32), none, none, none)
        features = features.float()
        scores = _compare(self._own(points), features)  # (K, h, w)
        best, cells, column, row = _peak(scores)
        second = _beside(scores, column, row)
        xy = cells.cpu().numpy() / self._to_cells
        found = self._read(features, xy)
        way_back = np.full(len(points), np.nan, np.float32)
        query_t = self._query_t[points]
        for t in np.unique(query_t):
            stored = self._maps.get(int(t))
            if stored is None:
                continue
            group = np.flatnonzero(query_t == t)
            _, returned, _, _ = _peak(_compare(found[torch.from_numpy(group)], stored.float()))
            miss = returned.cpu().numpy() / self._to_cells - self._query_xy[points[group]]
            way_back[group] = np.linalg.norm(miss * self._to_reference, axis=1)
        return Matches(xy, best.cpu().numpy(), (best - second).cpu().numpy(), way_back)

    def _own(self, points: np.ndarray) -> Tensor:
        assert self._features is not None, "nothing is looked for before it was learnt"
        return self._features[torch.from_numpy(points)]

    def _read(self, features: Tensor, xy: np.ndarray) -> Tensor:
        """Features at (K, 2) pixels of the video, (K, C) of unit length; beyond the border those of the border."""
        height, width, _ = features.shape
        edge = np.maximum(np.array([width, height], np.float32) - 1, 1)
        cells = np.nan_to_num(xy * self._to_cells).astype(np.float32)
        grid = torch.from_numpy(2 * cells / edge - 1)[None, :, None].to(features.device)  # (1, K, 1, 2)
        maps = features.float().permute(2, 0, 1)[None]  # (1, C, h, w)
        read = F.grid_sample(maps, grid, padding_mode="border", align_corners=True)[0, :, :, 0].T  # (K, C)
        return read / read.norm(dim=1, keepdim=True).clamp(min=_TINY)


def in_turn(points: np.ndarray, frame_index: int, most: int = MOST_PER_FRAME) -> np.ndarray:
    """Those of many points whose turn it is: all come up within a few frames, whatever they cost together.

    Args:
        points: (K,) int
        frame_index: of the frame
        most: points per frame

    Returns:
        (at most `most`,) int
    """
    if len(points) <= most:
        return points
    return points[(frame_index * most + np.arange(most)) % len(points)]


def _compare(own: Tensor, features: Tensor) -> Tensor:
    """(K, h, w) cosines of (K, C) features with all cells of (h, w, C)."""
    height, width, channels = features.shape
    return (own @ features.reshape(-1, channels).T).view(-1, height, width)  # (K, h, w)


def _peak(scores: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The maxima of (K, h, w): values, positions between cells (K, 2), and columns and rows of their cells."""
    count, height, width = scores.shape
    best, index = scores.flatten(1).max(dim=1)
    row, column = index // width, index % width
    step = torch.arange(-1, 2, device=scores.device)
    rows = (row[:, None] + step).clamp(0, height - 1)  # (K, 3)
    columns = (column[:, None] + step).clamp(0, width - 1)
    around = scores[torch.arange(count, device=scores.device)[:, None, None], rows[:, :, None], columns[:, None]]
    weight = (around * _SHARPNESS).flatten(1).softmax(dim=1).view(count, 3, 3)
    x = (weight * columns[:, None]).sum(dim=(1, 2))
    y = (weight * rows[:, :, None]).sum(dim=(1, 2))
    return best, torch.stack([x, y], dim=1), column, row


def _beside(scores: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """The second highest peaks of (K, h, w); what surrounds the first is overwritten."""
    count, height, width = scores.shape
    step = torch.arange(-_PEAK_CELLS, _PEAK_CELLS + 1, device=scores.device)
    rows = (row[:, None] + step).clamp(0, height - 1)
    columns = (column[:, None] + step).clamp(0, width - 1)
    scores[torch.arange(count, device=scores.device)[:, None, None], rows[:, :, None], columns[:, None]] = -1.0
    return scores.flatten(1).max(dim=1).values
