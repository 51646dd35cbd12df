"""The document of a frame with some of its tracks changed; what is said of the others stays byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bson import ObjectId, decode
from bson.raw_bson import RawBSONDocument

from ..tracks.keypoints import keypoints_document, single_point_document

_NAN = float("nan")
_MADE_HERE = ("keyframe", "corrected", "interpolated")


@dataclass(frozen=True)
class Placed:
    """A track is somewhere.

    Args:
        xy_norm: of the displayed frame, in FiftyOne's unit square; None = not known, and not visible
        confidence: 0 to 1
        visible: whether it is seen there
        corrected: whether a person said so
    """

    xy_norm: tuple[float, float] | None
    confidence: float
    visible: bool = True
    corrected: bool = False


@dataclass(frozen=True)
class Hidden:
    """A track is not seen; where hidden points are stored, it stays where it is."""


@dataclass(frozen=True)
class Removed:
    """There is no such track any more."""


Change: TypeAlias = Placed | Hidden | Removed


@dataclass(frozen=True)
class Style:
    """How the tracks of a sample are stored.

    Args:
        layout: "points" or "objects"
        keep_hidden: whether hidden points are stored too, as `occluded`
        examples: index of a track -> a keypoint with a point of it
    """

    layout: str
    keep_hidden: bool = False
    examples: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


def style_of(labels: Mapping[int, Mapping[str, Any]], layout: str) -> Style:
    """How the tracks of a sample are stored, by what is stored of them.

    Args:
        labels: frame number -> label document
        layout: "points" or "objects"
    """
    examples: dict[int, Mapping[str, Any]] = {}
    keep_hidden = False
    for label in labels.values():
        for keypoint in label.get("keypoints") or ():
            keep_hidden |= layout == "points" and keypoint.get("occluded") is not None
            for _, index in track_places(keypoint, layout):
                examples.setdefault(index, keypoint)
    return Style(layout, keep_hidden, examples)


def track_places(keypoint: Mapping[str, Any], layout: str) -> Iterator[tuple[int, int]]:
    """(place among its points, index of the track) of all points of a keypoint that are tracked."""
    if layout == "points":
        if isinstance(keypoint.get("index"), int):
            yield 0, keypoint["index"]
        return
    for place, index in enumerate(keypoint.get("track_numbers") or ()):
        if index:
            yield place, index


def edited_label(label: Mapping[str, Any] | None, changes: Mapping[int, Change], style: Style) -> dict[str, Any] | None:
    """The document of a frame after some changes.

    Args:
        label: the document, encoded or not; None where the frame holds none
        changes: index of a track -> what becomes of it
        style: of the sample

    Returns:
        the new document; the same keypoints keep their ids and their places
    """
    plain = decode(label.raw) if isinstance(label, RawBSONDocument) else label
    document = dict(plain) if plain is not None else keypoints_document([])
    left = dict(changes)
    edit = _edited_point if style.layout == "points" else _edited_object
    kept = []
    for keypoint in document.get("keypoints") or ():
        own = {place: left.pop(index) for place, index in track_places(keypoint, style.layout) if index in left}
        edited = edit(keypoint, own, style) if own else keypoint
        if edited is not None:
            kept.append(edited)
    for index in sorted(left):
        if index not in left:  # a point of the same object came with an earlier one
            continue
        made = _new_keypoint(index, style)
        own = {place: left.pop(other) for place, other in track_places(made, style.layout) if other in left}
        if any(isinstance(change, Placed) and change.xy_norm is not None for change in own.values()):
            edited = edit(made, own, style)
            if edited is not None:
                kept.append(edited)
    document["keypoints"] = kept
    return document if kept or label is not None else None


def num_positions(label: Mapping[str, Any] | None) -> int:
    """How many positions of points a document holds."""
    points = [xy for keypoint in (label or {}).get("keypoints") or () for xy in keypoint.get("points") or ()]
    return sum(isinstance(x, float | int) and x == x for x, _ in points)


def _edited_point(keypoint: Mapping[str, Any], own: Mapping[int, Change], style: Style) -> dict[str, Any] | None:
    (change,) = own.values()
    plain = {name: value for name, value in keypoint.items() if name not in _MADE_HERE}
    if isinstance(change, Hidden) and style.keep_hidden:
        return {**plain, "occluded": True}
    if not isinstance(change, Placed) or change.xy_norm is None or not (change.visible or style.keep_hidden):
        return None
    plain |= {"points": [list(change.xy_norm)], "confidence": [change.confidence]}
    if style.keep_hidden:
        plain["occluded"] = not change.visible
    return {**plain, "keyframe": True, "corrected": True} if change.corrected else plain


def _edited_object(keypoint: Mapping[str, Any], own: Mapping[int, Change], _: Style) -> dict[str, Any] | None:
    points = [list(xy) for xy in keypoint["points"]]
    numbers = list(keypoint["track_numbers"])
    confidence = list(keypoint.get("confidence") or [0.0] * len(points))
    corrected = list(keypoint.get("corrected") or [False] * len(points))
    for place, change in own.items():
        seen = isinstance(change, Placed) and change.visible and change.xy_norm is not None
        points[place], confidence[place], corrected[place] = [_NAN, _NAN], 0.0, False
        if seen:
            assert isinstance(change, Placed)
            assert change.xy_norm is not None
            points[place], confidence[place] = list(change.xy_norm), change.confidence
            corrected[place] = change.corrected
        if isinstance(change, Removed):
            numbers[place] = 0
    if not any(numbers):
        return None
    plain = {name: value for name, value in keypoint.items() if name not in ("keyframe", "corrected")}
    plain |= {"points": points, "confidence": confidence, "track_numbers": numbers}
    return {**plain, "keyframe": True, "corrected": corrected} if any(corrected) else plain


def _new_keypoint(index: int, style: Style) -> dict[str, Any]:
    """A keypoint for a frame that holds none of the track yet, without a position."""
    example = style.examples.get(index, {})
    if style.layout == "points" or not example:
        names = {name: example[name] for name in ("object", "node", "instance") if name in example}
        document = single_point_document([_NAN, _NAN], 0.0, index, None, False, example.get("label") or "point")
        if style.layout == "objects":
            del document["index"]  # that of a prompt's label, and none is known
            names["track_numbers"] = [index]
        return {**document, **names}
    points = [[_NAN, _NAN] for _ in example["points"]]
    plain = {name: value for name, value in example.items() if name not in _MADE_HERE}
    return {**plain, "_id": ObjectId(), "points": points, "confidence": [0.0] * len(points)}
