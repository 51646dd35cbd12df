"""Reads "CVAT for video 1.1" XML, written by CVAT, FiftyOne or `cvat_video`; units and origin as there.

Tracks of boxes, polylines, polygons and points are read; shapes of single frames without a track, skeletons, masks,
ellipses and cuboids are not, and are counted.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from ...errors import FormatError, ShapeError
from ..conventions import CONVENTIONS
from .cvat_video import NOTES
from .tracked_shapes import KINDS, AnnotatedVideo, ShapeTrack, TrackedShape, Value
from .xml_stream import parts_of_root

_SIDES = ("xtl", "ytl", "xbr", "ybr")
_FLAGS = {"0": False, "1": True, "false": False, "true": True}
# a frame beyond this is no frame of a video
_MAX_FRAME = 10**8
_HEAD = ("version", "meta")


@dataclass
class CvatVideo:
    """An open file.

    Args:
        video: what it says of its video
        tracks: to be gone through once; each is checked as it is reached
        labels: that it declares
        left_out: what of the file is not read, counted while `tracks` is gone through
    """

    video: AnnotatedVideo
    tracks: Iterator[ShapeTrack]
    labels: frozenset[str] = frozenset()
    left_out: Counter[str] = field(default_factory=Counter)


def read_cvat_video(path: str | os.PathLike[str]) -> CvatVideo:
    """Opens a file; its tracks are read one by one.

    Args:
        path: of the .xml file

    Returns:
        what is said of the video, and the tracks

    Raises:
        FormatError: if it is no such file, is damaged, has a document type, or numbers that are none; the tracks
            raise the same, naming the track and the frame
    """
    path = Path(path)
    parts = parts_of_root(path, "annotations")
    first: Element | None = None
    meta: Element | None = None
    for part in parts:
        if part.tag == "meta":
            meta = part
        elif part.tag not in _HEAD:
            first = part
            break
    if meta is None:
        raise FormatError(f"{path} does not say what video it is of. Expected CVAT's 'CVAT for video 1.1' export")
    labels = frozenset(label.findtext("name") or "" for label in meta.iter("label"))
    opened = CvatVideo(_video_of(meta, path), iter(()), labels)
    reader = _TrackReader(path, _input_types(meta), opened.left_out)
    opened.tracks = reader.tracks(first, parts)
    return opened


def _video_of(meta: Element, path: Path) -> AnnotatedVideo:
    size = meta.find(".//original_size")
    task = next((found for name in ("task", "job", "project") if (found := meta.find(name)) is not None), meta)
    if size is None:
        raise FormatError(
            f"{path} does not give the size of the video (original_size). Export one task as 'CVAT for video 1.1'"
        )
    width, height = (_whole(size.findtext(name), f"{path}: the video's {name}") for name in ("width", "height"))
    if not width or not height:
        raise FormatError(f"{path} gives the video's size as {width} x {height}")
    frames = (task.findtext("size") or "").strip()
    return AnnotatedVideo(
        name=(task.findtext("name") or "").strip(),
        num_frames=_whole(frames, f"{path}: the number of frames") if frames else None,
        size_px=(width, height),
    )


def _input_types(meta: Element) -> dict[tuple[str, str], str]:
    """(label, attribute) -> how it is entered."""
    found = {}
    for label in meta.iter("label"):
        for attribute in label.iter("attribute"):
            key = (label.findtext("name") or "", attribute.findtext("name") or "")
            found[key] = (attribute.findtext("input_type") or "").strip()
    return found


@dataclass
class _TrackReader:
    """Reads tracks with what the head of the file says of their attributes."""

    path: Path
    input_types: Mapping[tuple[str, str], str]
    left_out: Counter[str]
    numbers: set[int] = field(default_factory=set)

    def tracks(self, first: Element | None, rest: Iterator[Element]) -> Iterator[ShapeTrack]:
        for part in chain([] if first is None else [first], rest):
            yield from self._part(part)

    def _part(self, part: Element) -> Iterator[ShapeTrack]:
        if part.tag == "track":
            track = self._track(part)
            if track.shapes:
                yield track
        elif part.tag not in _HEAD:
            self.left_out["shapes of single images" if part.tag == "image" else f"<{part.tag}>"] += 1

    def _track(self, part: Element) -> ShapeTrack:
        number = _whole(part.get("id"), f"{self.path}: the id of a track")
        place = f"{self.path}, track {number}"
        label = part.get("label")
        if label is None:
            raise FormatError(f"{place} has no label")
        if number in self.numbers:
            raise FormatError(f"{place} stands there twice")
        self.numbers.add(number)
        shapes: dict[int, TrackedShape] = {}
        for element in part:
            if element.tag not in KINDS:
                self.left_out[f"<{element.tag}> in tracks"] += 1
                continue
            shape = self._shape(element, label, place)
            if shape.frame_index in shapes:
                raise FormatError(f"{place} has two shapes in frame {shape.frame_index}")
            shapes[shape.frame_index] = shape
        ordered = tuple(shapes[frame] for frame in sorted(shapes))
        return ShapeTrack(number, label, ordered, part.get("source") or "manual")

    def _shape(self, element: Element, label: str, place: str) -> TrackedShape:
        frame = _whole(element.get("frame"), f"{place}: a frame number")
        place = f"{place}, frame {frame}"
        if frame > _MAX_FRAME:
            raise FormatError(f"{place}: no video has such a frame")
        attributes: dict[str, Value] = {}
        notes: Mapping[str, Any] = {}
        for attribute in element.iter("attribute"):
            name, text = attribute.get("name") or "", attribute.text or ""
            if name == NOTES:
                notes = _notes(text, place)
            elif name:
                attributes[name] = _value(text, self.input_types.get((label, name), ""))
        flags = {
            name: _flag(element.get(name), default, place)
            for name, default in (("outside", False), ("occluded", False), ("keyframe", True))
        }
        try:
            xy = CONVENTIONS["cvat"].from_file(_positions(element), (1, 1))
            return TrackedShape(frame, element.tag, xy, attributes=attributes, notes=notes, **flags)  # type: ignore[arg-type]
        except (ValueError, ShapeError) as error:
            raise FormatError(f"{place} has a <{element.tag}> whose positions cannot be read: {error}") from error


def _positions(element: Element) -> np.ndarray:
    if element.tag == "box":
        return np.array([float(element.get(side, "")) for side in _SIDES]).reshape(2, 2)
    pairs = [[float(part) for part in pair.split(",")] for pair in element.get("points", "").split(";")]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("expected pairs x,y with ; between them")
    return np.array(pairs)  # (K, 2)


def _whole(text: str | None, what: str) -> int:
    stripped = (text or "").strip()
    # int() also takes other scripts' digits, signs and underscores, and numbers of any length
    if not stripped.isascii() or not stripped.isdigit() or len(stripped) > 18:
        raise FormatError(f"{what} is {text!r:.40}. Expected a whole number from 0")
    return int(stripped)


def _flag(text: str | None, default: bool, place: str) -> bool:
    if text is None:
        return default
    value = _FLAGS.get(text.strip().lower())
    if value is None:
        raise FormatError(f"{place}: {text!r:.40} is neither 0 nor 1")
    return value


def _notes(text: str, place: str) -> Mapping[str, Any]:
    if not text.strip():
        return {}
    try:
        notes = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{place}: the attribute {NOTES!r} was changed and is no JSON. Clear it there") from error
    if not isinstance(notes, dict):
        raise FormatError(f"{place}: the attribute {NOTES!r} was changed. Clear it there")
    return notes


def _value(text: str, input_type: str) -> Value:
    """An attribute's value: of the type that its label declares, else as it reads best."""
    stripped = text.strip()
    if input_type in ("", "checkbox") and stripped.lower() in ("true", "false"):
        return stripped.lower() == "true"
    if input_type in ("", "number"):
        if stripped.removeprefix("-").isascii() and stripped.removeprefix("-").isdigit() and len(stripped) <= 18:
            return int(stripped)
        try:
            number = float(stripped)
        except ValueError:
            return text
        return number if math.isfinite(number) else text
    return text
