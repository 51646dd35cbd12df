"""Pictures in memory into a video that every browser plays: H.264, yuv420p, mp4 with its index in front."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from ..errors import OptionError, OutputExistsError, ShapeError, VideoError
from .output_file import output_errors, part_file, publish
from .picture import fit_size
from .timed_output import ENCODER, GOP_FRAMES, check_encoder, open_mp4

_MAX_CRF = 51


@dataclass(frozen=True)
class EncodedVideo:
    """A finished file.

    Args:
        path: the .mp4 file
        size_px: (width, height); even, so a pixel less than pictures with odd sides
        num_frames: pictures in it
    """

    path: str
    size_px: tuple[int, int]
    num_frames: int


def encode_video(
    pictures: Iterable[np.ndarray],
    target: str | os.PathLike[str],
    *,
    fps: float,
    crf: int = 12,
    overwrite: bool = False,
) -> EncodedVideo:
    """Writes pictures as a video; the file appears under its name only when it is complete.

    Args:
        pictures: uint8 (H, W, 3) RGB, all of one size
        target: path of the file, ending in .mp4, in an existing folder
        fps: frames per second
        crf: x264's quality, from 0 (lossless) to 51; 12 is finer than eyes and trackers need
        overwrite: replace a file of that name

    Returns:
        the file

    Raises:
        ShapeError: if a picture has another type or size than the first
        VideoError: if there are no pictures
        OptionError: for a rate or quality outside what is supported
        OutputExistsError: if there is a file of that name and overwrite is False
        OutputError: if the file cannot be written
        DependencyError: if this build of PyAV has no H.264 encoder
    """
    path = Path(target)
    if not isinstance(fps, (int, float)) or isinstance(fps, bool) or not 0 < fps <= 1000:
        raise OptionError(f"Invalid fps ({fps!r}). Supported are numbers above 0, up to 1000")
    if not isinstance(crf, int) or isinstance(crf, bool) or not 0 <= crf <= _MAX_CRF:
        raise OptionError(f"Invalid crf ({crf!r}). Supported are whole numbers from 0 to {_MAX_CRF}")
    if not overwrite and os.path.lexists(path):
        raise OutputExistsError(f"{path} exists. Choose another folder, or overwrite=True to replace it")
    check_encoder()
    with part_file(path) as part, output_errors(part):
        encoded = _write(part, path, pictures, fps, crf)
        publish(part, path, overwrite=overwrite)
    return encoded


def _write(part: Path, path: Path, pictures: Iterable[np.ndarray], fps: float, crf: int) -> EncodedVideo:
    shape, size_px, count = None, (0, 0), 0
    with open_mp4(part) as output:
        stream: Any = None
        for picture in pictures:
            if shape is None:
                shape = picture.shape
                size_px = _checked_size(picture)
                settings = {"preset": "veryfast", "crf": str(crf), "g": str(GOP_FRAMES)}
                stream = output.add_stream(ENCODER, rate=Fraction(fps).limit_denominator(1001), options=settings)
                stream.width, stream.height = size_px
                stream.pix_fmt = "yuv420p"
            elif picture.shape != shape:
                raise ShapeError(f"Picture {count} has the shape {picture.shape}, the first one {shape}")
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            output.mux(stream.encode(frame.reformat(*size_px, "yuv420p", interpolation="AREA")))
            count += 1
        if stream is None:
            raise VideoError(f"There are no pictures to write to {path}")
        output.mux(stream.encode(None))
    return EncodedVideo(str(path), size_px, count)


def _checked_size(picture: np.ndarray) -> tuple[int, int]:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or min(picture.shape) < 2:
        raise ShapeError(
            f"Invalid picture of shape {picture.shape} and type {picture.dtype}. Expected uint8 (H, W, 3) RGB"
        )
    return fit_size((picture.shape[1], picture.shape[0]), None)
