"""MOT challenge: boxes of tracked objects as lines of numbers (.txt), and what the sequence is beside it (.ini).

Lines `frame, id, left, top, width, height, flag, class, visibility`, the form of ground truth; frames, left and top
count from 1. flag is 1; visibility is 0 for a box that is occluded, else 1. `<name>.ini` is the sequence's
seqinfo.ini, with the names of classes in a section of its own. Of others also the form of results is read: `frame,
id, left, top, width, height, conf, x, y, z`. Source: MOT challenge's "Instructions", motmetrics' loader.
"""

from __future__ import annotations

import configparser
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import FormatError
from ..conventions import CONVENTIONS
from ..output_files import check_free, complete_file
from .tracked_shapes import AnnotatedVideo, ShapeTrack, TrackedShape

_RESULTS = 10
_FEWEST = 6
_LARGEST = 10**9
_CLASSES = "Classes"
UNLABELLED = "object"


@dataclass(frozen=True)
class MotSequence:
    """What such a file holds.

    Args:
        tracks: of boxes, by id
        size_px: (width, height) of the video; None where no .ini says
        num_frames: of the video; None where no .ini says
    """

    tracks: tuple[ShapeTrack, ...]
    size_px: tuple[int, int] | None
    num_frames: int | None


def write_mot_boxes(
    path: Path,
    video: AnnotatedVideo,
    tracks: Sequence[ShapeTrack],
    *,
    fps: float | None,
    first_frame: int,
    overwrite: bool,
) -> None:
    """Writes the boxes of tracks; shapes of other kinds are not among them.

    Args:
        path: of the .txt file
        video: that they are of
        tracks: no two of one number
        fps: frames per second of the video; None where not known
        first_frame: the number that the video's first frame has
        overwrite: replace files that are there

    Raises:
        OutputError
    """
    classes = {label: number for number, label in enumerate(sorted({track.label for track in tracks}), start=1)}
    rows = sorted(_rows(tracks, classes, video.size_px, first_frame))
    check_free(path, overwrite=overwrite)
    with complete_file(path.with_suffix(".ini"), overwrite=overwrite) as file:
        file.write(_sequence_info(path, video, fps, classes))
    with complete_file(path, overwrite=overwrite) as file:
        for frame, number, *sides, label, visibility in rows:
            texts = ",".join(f"{side:.3f}".rstrip("0").rstrip(".") for side in sides)
            file.write(f"{frame},{number},{texts},1,{label},{visibility}\n")


def _rows(
    tracks: Iterable[ShapeTrack], classes: Mapping[str, int], size_px: tuple[int, int], first_frame: int
) -> Iterator[tuple[int | float, ...]]:
    for track in tracks:
        for shape in track.shapes:
            if shape.kind == "box" and not shape.outside:
                left, top = CONVENTIONS["mot"].to_file(shape.xy[0], size_px).tolist()
                width, height = (shape.xy[1] - shape.xy[0]).tolist()
                frame = shape.frame_index + first_frame
                yield frame, track.number, left, top, width, height, classes[track.label], int(not shape.occluded)


def _sequence_info(path: Path, video: AnnotatedVideo, fps: float | None, classes: Mapping[str, int]) -> str:
    width, height = video.size_px
    lines = [
        "[Sequence]",
        f"name={path.stem}",
        "imDir=img1",
        f"frameRate={fps or 0:g}",
        f"seqLength={video.num_frames}",
        f"imWidth={width}",
        f"imHeight={height}",
        "imExt=.jpg",
        "",
        f"[{_CLASSES}]",
        *(f"{number}={' '.join(label.split())}" for label, number in classes.items()),
    ]
    return "\n".join(lines) + "\n"


def read_mot_boxes(path: Path, *, first_frame: int) -> MotSequence:
    """Reads the boxes of a file, and its .ini where there is one.

    Args:
        path: of the .txt file
        first_frame: the number that the video's first frame has

    Raises:
        FormatError: if it is no such file; names the line
    """
    info = _read_info(path.with_suffix(".ini"))
    classes = dict(info[_CLASSES]) if info.has_section(_CLASSES) else {}
    shapes: dict[int, dict[int, TrackedShape]] = {}
    labels: dict[int, str] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as text: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        values = _values(line, f"{path}, line {number}")
        frame, track = int(values[0]) - first_frame, int(values[1])
        if frame < 0 or track < 0:
            raise FormatError(
                f"{path}, line {number}: frame {values[0]:g} and id {values[1]:g}. Expected whole numbers"
            )
        if frame in shapes.setdefault(track, {}):
            raise FormatError(f"{path}, line {number}: id {track} stands there twice in frame {values[0]:g}")
        shapes[track][frame] = _shape(values, frame)
        if 8 <= len(values) < _RESULTS:
            labels.setdefault(track, classes.get(str(int(values[7])), f"class_{int(values[7])}"))
    tracks = tuple(
        ShapeTrack(track, labels.get(track, UNLABELLED), tuple(by_frame[frame] for frame in sorted(by_frame)))
        for track, by_frame in sorted(shapes.items())
    )
    return MotSequence(tracks, *_size_of(info))


def _values(line: str, place: str) -> list[float]:
    try:
        values = [float(part) for part in line.replace(";", ",").split(",")]
    except ValueError:
        raise FormatError(f"{place}: {line!r:.60}. Expected numbers with commas between them") from None
    if len(values) < _FEWEST:
        raise FormatError(f"{place}: {len(values)} numbers. Expected frame, id, left, top, width, height, ...")
    if not all(math.isfinite(value) and abs(value) < _LARGEST for value in values):
        raise FormatError(f"{place}: {line!r:.60} holds numbers that are none, or too large")
    if min(values[4:6]) < 0:
        raise FormatError(f"{place}: a box of {values[4]:g} x {values[5]:g} pixels. Expected a width and height from 0")
    if values[0] != int(values[0]) or values[1] != int(values[1]):
        raise FormatError(f"{place}: frame {values[0]:g} and id {values[1]:g}. Expected whole numbers")
    return values


def _shape(values: Sequence[float], frame: int) -> TrackedShape:
    left_top = CONVENTIONS["mot"].from_file(np.array(values[2:4]), (1, 1))
    is_truth = 9 <= len(values) < _RESULTS
    confidence = values[6] if len(values) > 6 and not is_truth and 0 <= values[6] <= 1 else None
    return TrackedShape(
        frame,
        "box",
        np.stack([left_top, left_top + values[4:6]]),
        occluded=is_truth and values[8] <= 0,
        notes={} if confidence is None else {"confidence": confidence},
    )


def _read_info(path: Path) -> configparser.ConfigParser:
    info = configparser.ConfigParser(interpolation=None)
    try:
        if path.is_file():
            info.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise FormatError(f"{path} cannot be read as seqinfo.ini: {error}") from error
    return info


def _size_of(info: configparser.ConfigParser) -> tuple[tuple[int, int] | None, int | None]:
    try:
        width, height = (info.getint("Sequence", name, fallback=0) for name in ("imWidth", "imHeight"))
        length = info.getint("Sequence", "seqLength", fallback=0)
    except ValueError as error:
        raise FormatError(f"The sequence's .ini file holds other things than numbers: {error}") from error
    return (width, height) if width > 0 and height > 0 else None, length or None
