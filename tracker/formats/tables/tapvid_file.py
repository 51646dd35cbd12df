"""TAP-Vid's pickle of one clip with its video, and the clips of such a file.

Positions are shares of the raster, 0 and 1 its outer edges; row t is frame t of the video in the file. Read without
running what it holds (`formats.tap_vid`). Source: the TAP-Vid benchmark, arXiv:2211.03726.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ...errors import FormatError, OutputError, TruthError
from ...types import Tracks
from ..clip import TrackedClip
from ..options import ReadOptions, WriteOptions
from ..output_files import check_free
from ..pictures import frame_pictures
from ..tap_vid import TapVidClip, encode_jpeg, placed_clip, raster_to_pixels, read_tap_vid, write_tap_vid


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes clips with their videos, as JPEG files.

    Raises:
        FormatError: if two clips have one name
        VideoError: if a video cannot be read
        OutputError
    """
    check_free(path, overwrite=options.overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tap_vid(path, map(_written, clips))
    except TruthError as error:
        raise FormatError(str(error)) from error
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _written(clip: TrackedClip) -> TapVidClip:
    pictures = [encode_jpeg(picture) for picture in frame_pictures(clip.path, clip.frames)]
    return placed_clip(Path(clip.path).stem, pictures, clip.tracks.xy, clip.tracks.visible, clip.size_px or (1, 1))


def read_clips(path: Path, options: ReadOptions) -> Iterator[TrackedClip]:
    """Yields the clips of a file.

    Raises:
        FormatError: if it is no such file, or asks for code
    """
    for clip in _read(path):
        size_px = _size_of(clip)
        xy = np.moveaxis(raster_to_pixels(clip.points, size_px), 1, 0)  # (T, N, 2)
        visible = ~clip.occluded.T & np.isfinite(xy).all(axis=2)
        # hidden points at the raster's corner have no position
        known = visible | (np.isfinite(xy).all(axis=2) & (np.moveaxis(clip.points, 1, 0) != 0).any(axis=2))
        yield TrackedClip(
            Tracks(np.where(known[..., None], xy, np.nan), visible, known.astype(np.float32)),
            np.arange(clip.num_frames),
            np.arange(1, xy.shape[1] + 1),
            size_px,
            num_frames=clip.num_frames,
            path=clip.name,
        )


def read_keys(path: Path) -> list[tuple[str, str]]:
    """("", name) of each clip in a file."""
    return [("", clip.name) for clip in _read(path)]


def _read(path: Path) -> list[TapVidClip]:
    try:
        return read_tap_vid(path)
    except TruthError as error:
        raise FormatError(str(error)) from error


def _size_of(clip: TapVidClip) -> tuple[int, int]:
    try:
        height, width = next(clip.frames()).shape[:2]
    except TruthError as error:
        raise FormatError(str(error)) from error
    return width, height
