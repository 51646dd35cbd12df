"""The pictures of a video's frames, for formats that hold them beside the tracks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..errors import FormatError, OutputError, OutputExistsError
from ..video.frames import VideoFrames

_FRAMES_AT_ONCE = 32


def frame_pictures(path: str, frames: np.ndarray) -> Iterator[np.ndarray]:
    """Yields some frames of a video; few are held at once.

    Args:
        path: of the video
        frames: (K,) int, increasing frame indices

    Yields:
        uint8 (H, W, 3) RGB, upright

    Raises:
        VideoError: if it cannot be read, or has no such frame
    """
    video = VideoFrames(path)
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        yield from video.read(frames[start : start + _FRAMES_AT_ONCE])


@contextmanager
def complete_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder that appears under its name only when it is complete.

    Args:
        path: of the folder
        overwrite: put files into one that is there, in place of those of the same names; all others stay

    Raises:
        OutputExistsError: if it is there, and that was not asked for
        OutputError: if it cannot be written
    """
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path} exists. Use overwrite=True to replace its files, or choose another path")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            part.mkdir(parents=True)
            yield part
            if path.is_dir():
                _move_files(part, path)
            else:
                os.replace(part, path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _move_files(source: Path, target: Path) -> None:
    """Moves files in the order in which they were written: what names the others comes last."""
    for file in sorted((one for one in source.rglob("*") if one.is_file()), key=lambda one: one.stat().st_mtime_ns):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, place)


def write_pictures(video_path: str, frames: np.ndarray, folder: Path, names: list[str]) -> None:
    """Writes frames of a video as PNG files.

    Args:
        video_path: of the video
        frames: (K,) int, increasing frame indices
        folder: that is there
        names: of the files

    Raises:
        VideoError: if the video cannot be read
        OutputError: if a file cannot be written
    """
    import cv2

    for name, picture in zip(names, frame_pictures(video_path, frames), strict=True):
        done, data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
        if not done:
            raise FormatError(f"A picture of shape {picture.shape} cannot be written as PNG")
        (folder / name).write_bytes(data.tobytes())
