"""Writes "CVAT for video 1.1" XML.

Units: pixels of the displayed frame. Origin: the same numbers as FiftyOne's own exporter and its CVAT client write
(relative position times width or height, no half pixel added), but not rounded. First frame: 0. After the last frame of
each stretch stands one shape with `outside="1"`, and every shape is written, so that nothing is left to interpolation.
Source: the XML that CVAT documents as "CVAT for videos 1.1" (docs.cvat.ai, formats/format-cvat); what FiftyOne 1.22.1
reads of it was tried.

What CVAT has no place for stands as JSON in one text attribute, `point_tracking`, of each shape: what is noted of a
whole track at its first shape. Every attribute is declared with its label, so that CVAT keeps it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from ...errors import FormatError
from ..conventions import CONVENTIONS
from ..output_files import complete_file
from .tracked_shapes import AnnotatedVideo, ShapeTrack, TrackedShape, Value

NOTES = "point_tracking"
"""The attribute that holds what CVAT has no place for."""
INPUT_TYPES: Mapping[str, type | tuple[type, ...]] = {"checkbox": bool, "number": (int, float), "text": str}


def write_cvat_video(
    path: str | os.PathLike[str],
    video: AnnotatedVideo,
    tracks: Sequence[ShapeTrack],
    *,
    overwrite: bool = False,
) -> None:
    """Writes one video's tracks; the file appears under its name only when it is complete.

    Args:
        path: of the .xml file
        video: what is said of the video
        tracks: in the order in which they shall stand
        overwrite: replace a file that is there

    Raises:
        FormatError: if two tracks share a number, or a text holds characters that XML cannot hold
        OutputExistsError: if the file exists, and replacing it was not asked for
        OutputError: if it cannot be written
    """
    numbers = [track.number for track in tracks]
    if len(set(numbers)) < len(numbers):
        raise FormatError("Two tracks share a number. Give each its own")
    with complete_file(path, overwrite=overwrite) as file:
        _write_head(file, video, _labels_of(tracks))
        for track in tracks:
            _write_track(file, track)
        file.write("</annotations>\n")


def _labels_of(tracks: Iterable[ShapeTrack]) -> dict[str, dict[str, str]]:
    """Label -> attribute -> how it is entered."""
    labels: dict[str, dict[str, str]] = {}
    for track in tracks:
        attributes = labels.setdefault(track.label, {})
        for shape in track.shapes:
            for name, value in shape.attributes.items():
                kind = input_type_of(value)
                attributes[name] = kind if attributes.get(name, kind) == kind else "text"
            if shape.notes:
                attributes[NOTES] = "text"
    return labels


def input_type_of(value: Value) -> str:
    """How CVAT has a person enter such a value."""
    return next(name for name, kind in INPUT_TYPES.items() if isinstance(value, kind))


def _write_head(file: TextIO, video: AnnotatedVideo, labels: Mapping[str, Mapping[str, str]]) -> None:
    width, height = video.size_px
    size = "" if video.num_frames is None else video.num_frames
    file.write(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta>\n<task>\n'
        f"<name>{_text(video.name)}</name>\n<size>{size}</size>\n<mode>interpolation</mode>\n<labels>\n"
    )
    for name, attributes in labels.items():
        file.write(f"<label><name>{_text(name)}</name><attributes>\n")
        for attribute, kind in attributes.items():
            values = "false\ntrue" if kind == "checkbox" else ""
            file.write(
                f"<attribute><name>{_text(attribute)}</name><mutable>True</mutable><input_type>{kind}</input_type>"
                f"<default_value></default_value><values>{values}</values></attribute>\n"
            )
        file.write("</attributes></label>\n")
    file.write(
        f"</labels>\n<original_size><width>{width}</width><height>{height}</height></original_size>\n</task>\n</meta>\n"
    )


def _write_track(file: TextIO, track: ShapeTrack) -> None:
    file.write(f'<track id="{track.number}" label={_quoted(track.label)} source={_quoted(track.source)}>\n')
    for shape in track.shapes:
        flags = " ".join(f'{name}="{int(getattr(shape, name))}"' for name in ("outside", "occluded", "keyframe"))
        tag = shape.kind
        file.write(f'<{tag} frame="{shape.frame_index}" {_place(shape)} {flags} z_order="0">')
        for name, value in shape.attributes.items():
            file.write(f"<attribute name={_quoted(name)}>{_text(_plain(value))}</attribute>")
        if shape.notes:
            file.write(f'<attribute name="{NOTES}">{_text(json.dumps(shape.notes))}</attribute>')
        file.write(f"</{tag}>\n")
    file.write("</track>\n")


def _place(shape: TrackedShape) -> str:
    xy = CONVENTIONS["cvat"].to_file(shape.xy, (1, 1))
    if shape.kind == "box":
        sides = zip(("xtl", "ytl", "xbr", "ybr"), xy.ravel().tolist(), strict=True)
        return " ".join(f'{name}="{_number(value)}"' for name, value in sides)
    return 'points="' + ";".join(f"{_number(x)},{_number(y)}" for x, y in xy.tolist()) + '"'


def _number(value: float) -> str:
    """The fewest digits that read as the same number; what came from float32 needs no more than that has."""
    with np.errstate(over="ignore"):
        short = str(np.float32(value))
    return short if float(short) == value else repr(value)


def _plain(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(text: str) -> str:
    return escape(_checked(text))


def _quoted(text: str) -> str:
    return quoteattr(_checked(text))


def _checked(text: Any) -> str:
    """A text that XML can hold."""
    bad = next((c for c in text if (c < " " and c not in "\t\n\r") or "\ud800" <= c <= "\udfff" or c in "￾￿"), None)
    if bad is not None:
        raise FormatError(f"{text!r:.80} holds the character {bad!r}, which XML cannot hold. Rename it")
    return text
