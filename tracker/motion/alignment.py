"""How the picture moved over spans of time, by whole pictures laid on each other: where tracks lag, pictures do not.

Tracks are chained from frame to frame. On ground of low contrast the noise and the blocks of a codec, which stay where
they are, hold every link back a little. Over half a second the picture has moved by more than they can hide.

A similarity is fitted by Gauss-Newton steps (Lucas and Kanade, IJCAI 1981) from where the tracks put it, on pictures of
even local contrast, so that light that changes is no motion and faint ground counts as strong ground does. What moves
of its own is an outlier, of less and less weight (Black and Anandan, CVIU 63(1), 1996).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from .background import PictureMotion
from .trajectories import steps_in

# short side of the pictures that are laid on each other; the pixels below are of such pictures
ALIGNED_SIDE_PX = 144
_SPAN_S = 0.5
# smoothing of the pictures, coarse to fine
_SMOOTH_PX = (3.0, 1.5)
_CONTRAST_PX = 8.0
# grey levels of local contrast that count as noise
_NOISE = 4.0
# differences of pictures of even contrast above which a pixel loses weight, one after the other
_OUTLIERS = (1.5, 0.7, 0.35)
_FITS = 6
_AGREES = 0.5
_CELLS = (8, 6)
# of pictures of even contrast: a cell with less counts less
_TEXTURE = 0.1
# share of the cells that must count
_LEAST_TEXTURED = 0.5
_SMALL_TURN, _SMALL_SHIFT_PX = 3e-5, 3e-3
_LEAST_OVERLAP = 0.2
# turns and shifts of steps do not change places: what one round leaves, the next takes out
_CORRECTIONS = 4


@dataclass(frozen=True, eq=False)
class AlignedSpans:
    """How the picture moved over spans that follow each other.

    Args:
        motion: from frame to frame, as tracks tell it, which spans begin with
        bounds: (K + 1,) int, rows of the tracked frames in which spans end and begin
        linear: (K,) complex, turn and growth about the middle of the frame; NaN where pictures tell no more than tracks
        shift_px: (K,) complex, how far what was in the middle went; NaN likewise
    """

    motion: PictureMotion
    bounds: np.ndarray
    linear: np.ndarray
    shift_px: np.ndarray

    def corrected(self, cuts: np.ndarray) -> PictureMotion:
        """The motion that tracks tell, its steps changed alike within a span so that they end where pictures say.

        Args:
            cuts: (C,) steps that are cuts: spans that hold one stay as they are
        """
        linear, shift = self.motion.linear.copy(), self.motion.shift_px.copy()
        for k, (first, last) in enumerate(pairwise(self.bounds)):
            if not np.isfinite(self.linear[k]) or np.any((cuts >= first) & (cuts < last)):
                continue
            for _ in range(_CORRECTIONS):
                told_linear, told_shift = PictureMotion(linear, shift).over(first, last)
                turn = self.linear[k] / told_linear
                rest = self.shift_px[k] - turn * told_shift
                each = np.exp(np.log(turn) / (last - first))
                linear[first:last] *= each
                shift[first:last] = each * shift[first:last] + rest / (last - first)
        return PictureMotion(linear, shift)


def span_bounds(step_s: np.ndarray) -> np.ndarray:
    """The frames of a piece that are laid on each other.

    Args:
        step_s: (R - 1,) seconds from each frame to the next

    Returns:
        (K + 1,) int rows, the first and the last among them
    """
    spans = max(1, round(len(step_s) / steps_in(_SPAN_S, step_s)))
    return np.unique(np.linspace(0, len(step_s), spans + 1).round().astype(int))


def align_pictures(
    pictures: Iterable[np.ndarray], bounds: np.ndarray, motion: PictureMotion, size_px: tuple[int, int]
) -> AlignedSpans:
    """Lays each picture on the one before.

    Args:
        pictures: K + 1 of (h, w, 3) uint8 RGB, in any one size; two are held at a time
        bounds: (K + 1,) int, their rows
        motion: as tracks tell it, from frame to frame
        size_px: (width, height) of the displayed frame, which the motion is in
    """
    linear, shift = (np.full(len(bounds) - 1, np.nan + 0j) for _ in range(2))
    spans = zip(pairwise(bounds), pairwise(map(_Picture.of, pictures)), strict=True)
    for k, ((first, last), (a, b)) in enumerate(spans):
        told_linear, told_shift = motion.over(first, last)
        if not np.isfinite(told_linear):
            continue
        scale = a.width / size_px[0]
        start = told_linear, told_shift * scale
        found = _fitted(a, b, start)
        if found is not None and (agreed := _agreement(a, b, found)) and agreed >= _agreement(a, b, start):
            linear[k], shift[k] = found[0], found[1] / scale
    return AlignedSpans(motion, np.asarray(bounds), linear, shift)


_Similarity = tuple[complex, complex]


@dataclass(frozen=True, eq=False)
class _Picture:
    """A picture of even local contrast, coarse to fine.

    Args:
        levels: (h, w) float32 each
    """

    levels: Sequence[np.ndarray]

    @property
    def width(self) -> int:
        return self.levels[0].shape[1]

    @classmethod
    def of(cls, picture: np.ndarray) -> _Picture:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return cls([_even(cv2.GaussianBlur(grey, (0, 0), smooth)) for smooth in _SMOOTH_PX])


def _even(grey: np.ndarray) -> np.ndarray:
    """A picture without its local mean, over its local contrast."""
    rest = grey - cv2.GaussianBlur(grey, (0, 0), _CONTRAST_PX)
    return rest / (np.sqrt(cv2.GaussianBlur(rest * rest, (0, 0), _CONTRAST_PX)) + _NOISE)


def _fitted(first: _Picture, second: _Picture, start: _Similarity) -> _Similarity | None:
    """The similarity that lays one picture on the next; None where too little of them meets, or nothing tells."""
    linear, shift = start
    for a, b in zip(first.levels, second.levels, strict=True):
        slope = [cv2.Sobel(b, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1))]
        for outlier in _OUTLIERS:
            for _ in range(_FITS):
                met = _Overlap.of(a.shape, (linear, shift))
                if met is None:
                    return None
                x, y = met.x, met.y
                dx, dy = (met.sampled(part) for part in slope)
                error = met.sampled(b) - a[met.inside]
                weight = 1 / (1 + (error / outlier) ** 2) ** 2
                sides = np.stack([dx * x + dy * y, dy * x - dx * y, dx, dy])  # (4, P)
                try:
                    step = np.linalg.solve((sides * weight) @ sides.T, -(sides * weight) @ error)
                except np.linalg.LinAlgError:
                    return None
                more = 1 + complex(step[0], step[1])
                linear, shift = more * linear, more * shift + complex(step[2], step[3])
                if np.abs(step[:2]).sum() < _SMALL_TURN and np.abs(step[2:]).sum() < _SMALL_SHIFT_PX:
                    break
    return linear, shift


def _agreement(first: _Picture, second: _Picture, by: _Similarity) -> float:
    """How well pictures agree, from 0 to 1: the mean of the cells of the first that hold anything.

    By cells, because something small and full of detail is not the picture; 0 where too few of them hold anything.
    """
    a, b = first.levels[-1], second.levels[-1]
    met = _Overlap.of(a.shape, by)
    if met is None:
        return 0.0
    texture = np.where(met.inside, a * a, 0)
    agreeing = np.zeros_like(a)
    agreeing[met.inside] = 1 / (1 + ((met.sampled(b) - a[met.inside]) / _AGREES) ** 2)
    held, agreed, covered = (_cell_means(part) for part in (texture, texture * agreeing, met.inside.astype(np.float32)))
    weight = np.minimum(held / np.maximum(covered, 1e-9) / _TEXTURE, 1) * covered
    if weight.sum() < _LEAST_TEXTURED * weight.size:
        return 0.0
    return float((weight * agreed / np.maximum(held, 1e-9)).sum() / weight.sum())


def _cell_means(values: np.ndarray) -> np.ndarray:
    return cv2.resize(values.astype(np.float32), _CELLS, interpolation=cv2.INTER_AREA)


@dataclass(frozen=True, eq=False)
class _Overlap:
    """Where a picture that was moved lies in another of its size.

    Args:
        inside: (h, w) bool, pixels that stay in it
        x, y: (P,) where these go, from the middle of the picture
        map_x, map_y: (h, w) float32, where all go, in pixels of it
    """

    inside: np.ndarray
    x: np.ndarray
    y: np.ndarray
    map_x: np.ndarray
    map_y: np.ndarray

    @classmethod
    def of(cls, shape: tuple[int, ...], by: _Similarity) -> _Overlap | None:
        """None where too little stays."""
        height, width = shape
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        from_x, from_y = np.arange(width) - middle_x, (np.arange(height) - middle_y)[:, None]
        linear, shift = by
        x = linear.real * from_x - linear.imag * from_y + shift.real
        y = linear.imag * from_x + linear.real * from_y + shift.imag
        map_x, map_y = x + middle_x, y + middle_y
        inside = (map_x >= 1) & (map_x < width - 2) & (map_y >= 1) & (map_y < height - 2)
        if np.count_nonzero(inside) < _LEAST_OVERLAP * inside.size:
            return None
        return cls(inside, x[inside], y[inside], map_x.astype(np.float32), map_y.astype(np.float32))

    def sampled(self, values: np.ndarray) -> np.ndarray:
        """(P,) values of the other picture where the pixels go."""
        return cv2.remap(values, self.map_x, self.map_y, cv2.INTER_LINEAR)[self.inside]
