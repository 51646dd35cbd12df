"""Finds points again by what surrounded them in their query frames.

Used by trackers that carry points from frame to frame and drift or lose them.
OpenCV's pyramidal Lucas-Kanade matches the query frame with the present one
from a guess, and the match is believed only where matching back returns to the
query and both surroundings correlate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

# distances are judged as in the field's benchmarks: in pixels of the frame scaled to 256 x 256
REFERENCE_SIDE_PX = 256

_PATCH_RADIUS_PX = 4
_PATCH_AREA = (2 * _PATCH_RADIUS_PX + 1) ** 2
# below this spread of grey values a patch looks like any other
_MIN_TEXTURE = 2.0
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.01)
# OpenCV takes no image of more than 32767 rows, and a list of positions is one
_REMAP_ROWS = 30_000
# OpenCV's type stubs do not know which of its arguments may be None
LEFT_OUT: Any = None


@dataclass(frozen=True)
class Search:
    """How far and how strictly to search; lengths with `_px` are pixels of a 256 x 256 frame.

    Args:
        window: side of the Lucas-Kanade window, in pixels of the working frame
        levels: pyramid levels above the first
        max_shift_px: farthest from the guess
        max_error_px: largest error of matching there and back
        better_only: whether to believe only matches that look more like the query than the guess does
    """

    window: int
    levels: int
    max_shift_px: float
    max_error_px: float
    better_only: bool


class QueryMatcher:
    """Keeps the query frames and matches later frames with them.

    Memory: one grey frame per frame that holds queries, and a patch per point.

    Args:
        query_t: (N,) int, frame index of each query
        query_xy: (N, 2) float32, pixels of the working frame
        size_px: (width, height) of the working frames
        min_likeness: least correlation of a believed match, from 0 to 1
    """

    def __init__(
        self, query_t: np.ndarray, query_xy: np.ndarray, size_px: tuple[int, int], min_likeness: float
    ) -> None:
        self._query_t, self._query_xy, self._size_px = query_t, query_xy, size_px
        self._min_likeness = min_likeness
        self._frames: dict[int, np.ndarray] = {}
        self._templates = np.zeros((len(query_t), _PATCH_AREA), np.float32)
        self.textured = np.zeros(len(query_t), bool)
        """(N,) bool, which points can be told from their surroundings."""

    def grow(self, query_t: np.ndarray, query_xy: np.ndarray) -> None:
        """Makes room for more points, of which nothing is known until `add`.

        Args:
            query_t: (K,) int, frame index of each query
            query_xy: (K, 2) float32, pixels of the working frame
        """
        self._query_t = np.concatenate([self._query_t, query_t])
        self._query_xy = np.concatenate([self._query_xy, query_xy]).astype(np.float32)
        self._templates = np.concatenate([self._templates, np.zeros((len(query_t), _PATCH_AREA), np.float32)])
        self.textured = np.concatenate([self.textured, np.zeros(len(query_t), bool)])

    def add(self, points: np.ndarray, frame_index: int, grey: np.ndarray) -> None:
        """Learns what points look like.

        Args:
            points: (K,) int, those whose query frame this is
            frame_index: of the frame
            grey: uint8 (H, W)
        """
        self._frames[frame_index] = grey
        self._templates[points], spread = _patches(grey, self._query_xy[points])
        self.textured[points] = spread > _MIN_TEXTURE

    def match(
        self, points: np.ndarray, guess: np.ndarray, grey: np.ndarray, search: Search
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Looks for points in a frame.

        Args:
            points: (K,) int, which points
            guess: (K, 2) float32, where they may be, pixels of the working frame
            grey: uint8 (H, W), the frame
            search: how to search

        Returns:
            (K, 2) float32 positions found; (K,) float32 error of matching there and back in
            pixels of a 256 x 256 frame; (K,) bool whether to believe it
        """
        found, error, sure = guess.copy(), np.zeros(len(points), np.float32), np.zeros(len(points), bool)
        query_t = self._query_t[points]
        for frame_index in np.unique(query_t):
            group = query_t == frame_index
            found[group], error[group], sure[group] = self._match_one(
                int(frame_index), points[group], guess[group], grey, search
            )
        return found, error, sure

    def _match_one(
        self, frame_index: int, points: np.ndarray, guess: np.ndarray, grey: np.ndarray, search: Search
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`match` for points of one query frame."""
        query_frame, origin = self._frames[frame_index], self._query_xy[points]
        found, there = _lucas_kanade(query_frame, grey, origin, guess, search)
        returned, back = _lucas_kanade(grey, query_frame, found, origin, search)
        likeness = self.likeness(points, grey, found)
        error = reference_distance(returned, origin, self._size_px)
        shift = reference_distance(found, guess, self._size_px)
        sure = there & back & inside_raster(found, self._size_px) & (likeness > self._min_likeness)
        sure &= (error < search.max_error_px) & (shift < search.max_shift_px)
        if search.better_only:
            sure &= likeness > self.likeness(points, grey, guess)
        return found, error, sure

    def likeness(self, points: np.ndarray, grey: np.ndarray, xy: np.ndarray) -> np.ndarray:
        """Correlation of what surrounds places with what surrounded the points.

        Args:
            points: (K,) int
            grey: uint8 (H, W), the frame
            xy: (K, 2) float32, pixels of the working frame

        Returns:
            (K,) float32 from -1 to 1
        """
        return (self._templates[points] * _patches(grey, xy)[0]).sum(axis=1)


def is_flat(grey: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Tells which places of a frame look like any other.

    Args:
        grey: uint8 (H, W)
        xy: (K, 2) float32 pixels

    Returns:
        (K,) bool
    """
    return _patches(grey, xy)[1] <= _MIN_TEXTURE


def inside_raster(xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Tells which positions lie on the area of a resized frame, its outermost half pixel included.

    Args:
        xy: (..., 2) float pixels
        size_px: (width, height)

    Returns:
        (...) bool
    """
    return np.all((xy >= -0.5) & (xy <= np.array(size_px) - 0.5), axis=-1)


def reference_distance(first: np.ndarray, second: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Distances in pixels of the frame scaled to 256 x 256.

    Args:
        first, second: (..., 2) float pixels
        size_px: (width, height) of their frame

    Returns:
        (...) float32
    """
    unit = (REFERENCE_SIDE_PX / np.array(size_px)).astype(np.float32)
    return np.linalg.norm((first - second) * unit, axis=-1)


def sample(image: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Reads an image between its pixels, and beyond its border as on it.

    Args:
        image: (H, W) or (H, W, C)
        xy: (N, K, 2) float32 pixels

    Returns:
        (N, K) or (N, K, C), the image's type
    """
    blocks = [
        cv2.remap(image, block, LEFT_OUT, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for block in np.split(xy, range(_REMAP_ROWS, len(xy), _REMAP_ROWS))
    ]
    return np.concatenate(blocks).reshape(*xy.shape[:2], *image.shape[2:])  # (N, K[, C])


def _lucas_kanade(
    first: np.ndarray, second: np.ndarray, origin: np.ndarray, guess: np.ndarray, search: Search
) -> tuple[np.ndarray, np.ndarray]:
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        origin.reshape(-1, 1, 2),
        guess.reshape(-1, 1, 2).copy(),
        winSize=(search.window, search.window),
        maxLevel=search.levels,
        criteria=_STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return found[:, 0], status[:, 0].astype(bool)


def _patches(grey: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cuts out what surrounds each point.

    Args:
        grey: uint8 (H, W)
        xy: (N, 2) float32 pixels

    Returns:
        (N, _PATCH_AREA) float32 with mean 0 and length 1, so that their product is the
        correlation; (N,) float32 standard deviation of the grey values
    """
    side = np.arange(-_PATCH_RADIUS_PX, _PATCH_RADIUS_PX + 1, dtype=np.float32)
    offsets = np.stack(np.meshgrid(side, side), axis=-1).reshape(_PATCH_AREA, 2)
    patches = sample(grey, xy[:, None] + offsets).astype(np.float32)
    patches -= patches.mean(axis=1, keepdims=True)
    length = np.linalg.norm(patches, axis=1)
    return patches / np.maximum(length, 1e-3)[:, None], length / np.sqrt(_PATCH_AREA)
