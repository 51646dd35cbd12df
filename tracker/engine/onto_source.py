"""Tracks of a preprocessed copy, moved onto the frames of the video it was made from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..coordinates import edge_aligned
from ..types import Tracks


@dataclass(frozen=True, eq=False)
class SourceTracks:
    """Tracks on a source's frames.

    Args:
        tracks: R rows, N points, in pixels of the source's displayed frame
        frame_numbers: (R,) the source's frame number of each row
        interpolated: (R,) bool, rows that were not tracked but filled in; None where none was
    """

    tracks: Tracks
    frame_numbers: np.ndarray
    interpolated: np.ndarray | None = None


def onto_source(
    tracks: Tracks,
    frame_numbers: np.ndarray,
    copy_size_px: tuple[int, int],
    source_size_px: tuple[int, int],
    *,
    interpolate: bool,
) -> SourceTracks:
    """Moves tracks from a copy onto the frames of its source.

    Args:
        tracks: T rows, N points, in pixels of the copy's frame
        frame_numbers: (T,) the source's frame number (from 1) that each row shows
        copy_size_px, source_size_px: (width, height) of the displayed frames
        interpolate: also fill the frames in between, linearly by frame number, where a
            point is visible in the tracked frames on both sides; its confidence is the lower
            of the two. Sources of a variable rate are no exception: their time stamps are
            only known where the source can be read

    Returns:
        the same points on the source
    """
    xy = edge_aligned(tracks.xy.astype(np.float64), copy_size_px, source_size_px)
    moved = replace(tracks, xy=xy)
    if not interpolate or len(frame_numbers) < 2:
        return SourceTracks(moved, frame_numbers)
    return _filled(moved, frame_numbers)


def _filled(tracks: Tracks, numbers: np.ndarray) -> SourceTracks:
    every = np.arange(numbers[0], numbers[-1] + 1)  # (R,)
    before = np.clip(np.searchsorted(numbers, every, side="right") - 1, 0, len(numbers) - 2)
    after = before + 1
    share = ((every - numbers[before]) / (numbers[after] - numbers[before]))[:, None]  # (R, 1)
    tracked = np.isin(every, numbers)
    both = tracks.visible[before] & tracks.visible[after]  # (R, N)
    xy = tracks.xy[before] * (1 - share[..., None]) + tracks.xy[after] * share[..., None]  # (R, N, 2)
    xy[~both] = np.nan
    confidence = np.where(both, np.minimum(tracks.confidence[before], tracks.confidence[after]), 0)
    visible = both.copy()
    xy[tracked], visible[tracked], confidence[tracked] = tracks.xy, tracks.visible, tracks.confidence
    filled = replace(tracks, xy=xy, visible=visible, confidence=confidence)
    return SourceTracks(filled, every, ~tracked)
