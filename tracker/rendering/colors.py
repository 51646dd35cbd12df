"""Which point has which colour, the same in every frame, run and video."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np

from ..errors import FieldError
from ..types import Tracks

NUM_HUES = 48
NUM_SPEEDS = 16
# steps by this share of the circle keep neighbours apart, however many there are
_GOLDEN_SHARE = 0.618034
# speeds above this percentile of a clip have the last colour
_FASTEST_PERCENT = 95
_NAMELESS = (200, 200, 200)


@dataclass(frozen=True, eq=False)
class Colors:
    """The colours of a clip's points.

    Args:
        palette: (K, 3) uint8 RGB
        index: (N,) int into the palette, or (T, N) where points change their colour
    """

    palette: np.ndarray
    index: np.ndarray

    def rows(self, first: int, last: int) -> np.ndarray:
        """(last - first, N) int into the palette, of the frames from `first` up to before `last`."""
        if self.index.ndim == 2:
            return self.index[first:last]
        return np.broadcast_to(self.index, (last - first, len(self.index)))


def colors_of(tracks: Tracks, color_by: str) -> Colors:
    """Gives every point its colour.

    Args:
        tracks: of one clip
        color_by: one of `COLORINGS`

    Returns:
        the colours

    Raises:
        FieldError: if the tracks do not say what they are to be told apart by
    """
    return COLORINGS[color_by](tracks)


def _by_track(tracks: Tracks) -> Colors:
    return Colors(_palette(), np.arange(tracks.num_points) % NUM_HUES)


def _by_label(tracks: Tracks) -> Colors:
    return _by_name(tracks.labels, "label", lambda label: crc32(label.encode()))


def _by_object(tracks: Tracks) -> Colors:
    return _by_name(tracks.objects, "object", int)


def _by_name(names: np.ndarray | None, called: str, slot_of: Callable[[Any], int]) -> Colors:
    """A colour per name; two names of a clip share one only where all are taken."""
    if names is None:
        raise FieldError(f"These tracks carry no {called}s to be coloured by. Colour them by 'track' or 'speed'")
    taken: dict[int, Any] = {}
    slots: dict[Any, int] = {None: NUM_HUES}
    for name in sorted({name for name in names.tolist() if name is not None}):
        slot = slot_of(name) % NUM_HUES
        free = (s % NUM_HUES for s in range(slot, slot + NUM_HUES))
        slots[name] = next((s for s in free if s not in taken), slot)
        taken[slots[name]] = name
    palette = np.concatenate([_palette(), np.array([_NAMELESS], dtype=np.uint8)])  # (NUM_HUES + 1, 3)
    return Colors(palette, np.array([slots[name] for name in names.tolist()], dtype=np.int64))


def _by_speed(tracks: Tracks) -> Colors:
    """From blue (at rest) to red (as fast as the fastest of the clip); hidden steps count where both ends are known."""
    index = np.zeros((tracks.num_frames, tracks.num_points), dtype=np.int64)
    if tracks.num_frames > 1 and tracks.num_points:
        speed = np.linalg.norm(np.diff(tracks.xy, axis=0), axis=2)  # (T - 1, N) pixels per frame
        known = np.isfinite(speed)
        fastest = float(np.percentile(speed[known], _FASTEST_PERCENT)) if known.any() else 0.0
        share = np.where(known, speed, 0) / max(fastest, 1e-6)
        index[1:] = np.clip(share * NUM_SPEEDS, 0, NUM_SPEEDS - 1).astype(np.int64)
        index[0] = index[1]
    hues = np.linspace(2 / 3, 0, NUM_SPEEDS)
    return Colors(np.array([_rgb(hue, 0.9, 1.0) for hue in hues], dtype=np.uint8), index)


COLORINGS: dict[str, Callable[[Tracks], Colors]] = {
    "track": _by_track,
    "label": _by_label,
    "object": _by_object,
    "speed": _by_speed,
}


@lru_cache(maxsize=1)
def _palette() -> np.ndarray:
    """(NUM_HUES, 3) uint8 RGB, bright; neighbours far apart."""
    colors = [_rgb(k * _GOLDEN_SHARE % 1, (0.85, 0.6)[k % 2], 1.0) for k in range(NUM_HUES)]
    palette = np.array(colors, dtype=np.uint8)
    palette.flags.writeable = False
    return palette


def _rgb(hue: float, saturation: float, value: float) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))
