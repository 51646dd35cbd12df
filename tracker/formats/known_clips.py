"""Clips with known tracks as a pair of files: NAME.mp4 and NAME.npz.

The npz holds `kind`, `hw` (height, width), `fps`, `query_t` (N,), `query_xy`
(N, 2) and either `tracks` (N, T, 2), `visible` and `valid` (N, T), or the
object's masks alone: `mask_bits` (T, bytes; `np.unpackbits(axis=1)[:, :h * w]`)
and `mask_hw`. Pixel (0, 0) is the centre of the top-left pixel.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ShapeError, TruthError
from ..metrics.truth import TrackTruth
from ..types import Queries
from .npz_arrays import read_arrays

_NEEDED = ("kind", "hw", "query_t", "query_xy")
_TRACK_ARRAYS = ("tracks", "visible", "valid")
_MASK_ARRAYS = ("mask_bits", "mask_hw")


@dataclass(frozen=True, eq=False)
class KnownClip:
    """What is known about one clip.

    Args:
        name: what both files are called, without their endings
        kind: of truth; kinds are never averaged together
        video_path: the video whose points are known
        size_px: (width, height) of the displayed frame
        source_indices: (T,) int, frame index in the video of each row
        queries: points to track, in pixels; their frames are rows
        truth: tracks of the queries, or None for a clip with masks only
        masks: (T, H', W') bool, or None for a clip without
    """

    name: str
    kind: str
    video_path: Path
    size_px: tuple[int, int]
    source_indices: np.ndarray
    queries: Queries
    truth: TrackTruth | None
    masks: np.ndarray | None

    def every(self, nth: int) -> KnownClip:
        """The clip with every n-th frame only, from the phase in which most queries lie; other queries are dropped."""
        query_t = self.queries.t
        phase = int(np.bincount(query_t % nth).argmax()) if len(query_t) else 0
        kept = query_t % nth == phase
        rows = slice(phase, None, nth)
        queries = Queries((query_t[kept] - phase) // nth, self.queries.xy[kept])
        truth = None
        if self.truth is not None:
            kept_truth = self.truth.columns(kept)
            truth = TrackTruth(
                queries.t, kept_truth.xy[rows], kept_truth.visible[rows], self.size_px, kept_truth.known[rows]
            )
        masks = None if self.masks is None else self.masks[rows]
        return KnownClip(
            self.name, self.kind, self.video_path, self.size_px, self.source_indices[rows], queries, truth, masks
        )


def read_known_clip(path: str | os.PathLike[str]) -> KnownClip:
    """Reads what is known about a clip.

    Args:
        path: the .npz file; the video lies beside it

    Returns:
        the clip at full rate

    Raises:
        TruthError: if the file cannot be read, or arrays are missing or do not fit together
    """
    path = Path(path)
    arrays = _read_arrays(path)
    try:
        return _clip_of(path, arrays)
    except (ValueError, TypeError, IndexError) as error:
        raise TruthError(f"The arrays in {path} do not fit together: {error}") from error


def _clip_of(path: Path, arrays: dict[str, np.ndarray]) -> KnownClip:
    height, width = (int(side) for side in arrays["hw"])
    if min(height, width) < 1:
        raise ShapeError(f"Invalid hw ({height}, {width}). Expected the height and width of a frame")
    num_frames = arrays["tracks"].shape[1] if "tracks" in arrays else len(arrays["mask_bits"])
    queries = Queries(arrays["query_t"], arrays["query_xy"])
    if len(queries) and queries.t.max() >= num_frames:
        raise ShapeError(f"Invalid query_t ({queries.t.max()}). The clip has {num_frames} frames, counted from 0")
    truth = None
    if "tracks" in arrays:
        xy, visible, valid = (np.moveaxis(arrays[name], 1, 0) for name in _TRACK_ARRAYS)
        truth = TrackTruth(queries.t, xy, visible, (width, height), valid)
    masks = _unpack_masks(arrays) if "mask_bits" in arrays and len(arrays["mask_bits"]) == num_frames else None
    return KnownClip(
        path.stem,
        str(arrays["kind"]),
        path.with_suffix(".mp4"),
        (width, height),
        np.arange(num_frames),
        queries,
        truth,
        masks,
    )


def known_clips(folder: str | os.PathLike[str]) -> list[Path]:
    """The .npz files of the clips in a folder, sorted by name.

    Raises:
        TruthError: if there are none
    """
    paths = sorted(path for path in Path(folder).glob("*.npz") if path.with_suffix(".mp4").exists())
    if not paths:
        raise TruthError(f"There are no clips in {folder}. Expected pairs of files NAME.mp4 and NAME.npz")
    return paths


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    arrays = read_arrays(path, (*_NEEDED, *_TRACK_ARRAYS, *_MASK_ARRAYS), TruthError, "a truth file (.npz)")
    missing = [name for name in _NEEDED if name not in arrays]
    if not missing:
        held = [name for name in ("mask_bits", "tracks") if name in arrays]
        wanted = {"mask_bits": _MASK_ARRAYS, "tracks": _TRACK_ARRAYS}
        missing = [name for key in held or ["tracks"] for name in wanted[key] if name not in arrays]
    if missing:
        raise TruthError(f"{path} lacks the arrays {', '.join(missing)}")
    return arrays


def _unpack_masks(arrays: dict[str, np.ndarray]) -> np.ndarray:
    height, width = (int(side) for side in arrays["mask_hw"])
    bits = np.unpackbits(arrays["mask_bits"], axis=1)[:, : height * width]
    return bits.reshape(-1, height, width).astype(bool)
