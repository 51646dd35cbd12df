"""TAP-Vid's pickle files: read without running what they hold, and written.

A file holds clips, as a dict name -> clip (DAVIS, RoboTAP) or a list (RGB-Stacking,
Kinetics). A clip is a dict of `video`, uint8 (T, H, W, 3) or T JPEG files as
bytes, `points` (N, T, 2) and `occluded` (N, T). Points are x, y from 0 to 1 of
the raster: 0 is the outer edge of the first pixel, 1 that of the last.

Pickles are programs. Only numpy arrays (`pickled_arrays`) and plain values are built
here; anything else that a file names ends the reading, before it is imported.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DependencyError, TruthError
from .conventions import CONVENTIONS
from .pickled_arrays import array_builder

# what pickles of plain values name; all of it only builds values
_ALLOWED = {
    *(("builtins", name) for name in ("bool", "bytearray", "bytes", "complex", "dict", "float", "int", "list", "str")),
    *(("builtins", name) for name in ("frozenset", "set", "tuple")),
    ("collections", "OrderedDict"),
}
_KEYS = ("video", "points", "occluded")


@dataclass(frozen=True, eq=False)
class TapVidClip:
    """One clip of a TAP-Vid file.

    Args:
        name: its key, or the file's name with a number
        video: uint8 (T, H, W, 3) RGB, or a sequence of T JPEG files as bytes
        points: (N, T, 2) float64, x, y from 0 to 1 of the raster
        occluded: (N, T) bool
    """

    name: str
    video: np.ndarray | Sequence[bytes]
    points: np.ndarray
    occluded: np.ndarray

    @property
    def num_frames(self) -> int:
        return len(self.video)

    def frames(self) -> Iterator[np.ndarray]:
        """Yields uint8 (H, W, 3) RGB frames.

        Raises:
            TruthError: if a picture cannot be decoded
            DependencyError: if the frames are JPEG files and OpenCV is not installed
        """
        for t, frame in enumerate(self.video):
            if isinstance(frame, np.ndarray) and frame.ndim == 3:
                yield frame
            else:
                yield _decode_jpeg(frame, f"frame {t} of {self.name!r}")


def placed_clip(
    name: str, video: np.ndarray | Sequence[bytes], xy_px: np.ndarray, visible: np.ndarray, size_px: tuple[int, int]
) -> TapVidClip:
    """A clip of tracks in pixels.

    Args:
        name: of the clip
        video: as `TapVidClip` has it
        xy_px: (T, N, 2) float pixels; NaN where not known
        visible: (T, N) bool
        size_px: (width, height) of the frame
    """
    xy = np.moveaxis(xy_px, 0, 1)  # (N, T, 2)
    placed: np.ndarray = np.asarray(np.isfinite(xy).all(axis=2))
    # what is hidden somewhere is kept at the upper left, as the benchmark's own files do
    points = np.where(placed[..., None], pixels_to_raster(xy, size_px), 0.0)
    return TapVidClip(name, video, points, ~(visible.T & placed))


class _ArraysOnly(pickle.Unpickler):
    """Builds numpy arrays and plain values, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return _encode_latin1  # how Python 2 compatible pickles hold bytes
        builder = array_builder(module, name)
        if builder is not None:
            return builder
        if (module, name) not in _ALLOWED:
            raise TruthError(
                f"This pickle asks for {module}.{name}, which no TAP-Vid file needs. It was not read: "
                "pickles can run anything. Only numpy arrays and plain values are allowed"
            )
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        raise TruthError("This pickle refers to objects outside of itself, which no TAP-Vid file needs")


def _encode_latin1(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1", "iso-8859-1"):
        raise TruthError(f"This pickle asks for the encoding {encoding!r}, which no TAP-Vid file needs")
    return text.encode("latin1")


def read_tap_vid(path: str | os.PathLike[str]) -> list[TapVidClip]:
    """Reads a TAP-Vid file.

    Args:
        path: a .pkl file; it is read into memory as a whole

    Returns:
        its clips, in the order of the file

    Raises:
        TruthError: if the file cannot be read, asks for anything but arrays and
            plain values, or holds no clips; names the first clip that is wrong
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            held = _ArraysOnly(file).load()
    except TruthError:
        raise
    except (
        *(OSError, EOFError, pickle.UnpicklingError, ValueError, TypeError, LookupError, RuntimeError),
        *(AttributeError, ImportError, MemoryError, ArithmeticError),
    ) as error:
        # a damaged pickle fails in any of these ways
        raise TruthError(f"{path} cannot be read as a TAP-Vid pickle: {error or type(error).__name__}") from error
    if isinstance(held, Mapping):
        named = [(str(name), clip) for name, clip in held.items()]
    elif isinstance(held, (list, tuple)):
        named = [(f"{path.stem}_{number:04d}", clip) for number, clip in enumerate(held)]
    else:
        raise TruthError(f"{path} holds a {type(held).__name__}. Expected a dict or a list of clips")
    if not named:
        raise TruthError(f"{path} holds no clips")
    return [_checked(name, clip) for name, clip in named]


def write_tap_vid(path: str | os.PathLike[str], clips: Iterable[TapVidClip], *, as_list: bool = False) -> None:
    """Writes a TAP-Vid file; it appears under its name only when it is complete.

    Args:
        path: of the file; replaced where it exists
        clips: to write
        as_list: a list without names instead of a dict

    Raises:
        TruthError: if two clips have the same name, or there are none
        OSError: if the file cannot be written
    """
    path = Path(path)
    held: dict[str, dict[str, Any]] = {}
    for clip in clips:
        if clip.name in held:
            raise TruthError(f"Two clips are named {clip.name!r}. Rename one, or write a list")
        video = clip.video if isinstance(clip.video, np.ndarray) else list(clip.video)
        held[clip.name] = {"video": video, "points": clip.points.astype(np.float32), "occluded": clip.occluded}
    if not held:
        raise TruthError("There are no clips to write")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            pickle.dump(list(held.values()) if as_list else held, file, protocol=4)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def raster_to_pixels(raster: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Positions of the raster (0 and 1 are the outer edges) as pixels (0 is the centre of the first).

    Args:
        raster: (..., 2) float, x, y
        size_px: (width, height)

    Returns:
        (..., 2) float64
    """
    return CONVENTIONS["tapvid"].from_file(raster, size_px)


def pixels_to_raster(xy_px: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """The inverse of `raster_to_pixels`."""
    return CONVENTIONS["tapvid"].to_file(xy_px, size_px)


def encode_jpeg(picture: np.ndarray, quality: int = 95) -> bytes:
    """Compresses a picture as Kinetics' files hold them.

    Args:
        picture: uint8 (H, W, 3) RGB
        quality: from 1 to 100

    Returns:
        a JPEG file

    Raises:
        DependencyError: if OpenCV is not installed
    """
    done, data = _opencv().imencode(
        ".jpg", np.ascontiguousarray(picture[..., ::-1]), [_opencv().IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise TruthError(f"A picture of shape {picture.shape} cannot be written as JPEG")
    return data.tobytes()


def _checked(name: str, clip: Any) -> TapVidClip:
    missing = [key for key in _KEYS if not isinstance(clip, Mapping) or key not in clip]
    if missing:
        raise TruthError(f"The clip {name!r} lacks {', '.join(missing)}. Expected video, points and occluded")
    video = clip["video"]
    if isinstance(video, np.ndarray):
        video = np.asarray(video)  # no more than an array, so that it can be pickled again
    raw = isinstance(video, np.ndarray) and video.ndim == 4
    if raw and (video.dtype != np.uint8 or video.shape[3] != 3):
        raise TruthError(
            f"The video of {name!r} has the shape {video.shape} and type {video.dtype}. "
            "Expected uint8 (T, H, W, 3), or JPEG files as bytes"
        )
    if not raw and not (isinstance(video, (list, tuple)) or (isinstance(video, np.ndarray) and video.ndim == 1)):
        raise TruthError(f"The video of {name!r} is no uint8 (T, H, W, 3) array and no list of JPEG files")
    if not len(video):
        raise TruthError(f"The video of {name!r} has no frames")
    try:
        points = np.asarray(clip["points"], dtype=np.float64)
        occluded = np.asarray(clip["occluded"]).astype(bool)
    except (TypeError, ValueError) as error:
        raise TruthError(f"The points of {name!r} are no numbers: {error}") from error
    if points.ndim != 3 or points.shape[2] != 2 or points.shape[1] != len(video):
        raise TruthError(
            f"The points of {name!r} have the shape {points.shape}. Expected (N, {len(video)}, 2): "
            "x, y of every point in every frame"
        )
    if occluded.shape != points.shape[:2]:
        raise TruthError(f"occluded of {name!r} has the shape {occluded.shape}. Expected {points.shape[:2]}")
    return TapVidClip(name, video, points, occluded)


def _decode_jpeg(data: Any, place: str) -> np.ndarray:
    cv2 = _opencv()
    picture = None
    if isinstance(data, (bytes, bytearray, np.bytes_)) and len(data):
        picture = cv2.imdecode(np.frombuffer(bytes(data), dtype=np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise TruthError(f"The picture in {place} cannot be decoded. Expected a JPEG file as bytes")
    return picture[..., ::-1]


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise DependencyError("JPEG files need OpenCV: pip install opencv-python-headless") from error
    return cv2
