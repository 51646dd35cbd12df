"""Tracks as the documents FiftyOne stores, and back.

Adding a layout: add its name to `LAYOUTS`, a branch to `frame_documents`,
`document_bytes` and to `reader`, and its row to the README.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from bson import ObjectId, encode

from ...tracker.coordinates import inside_frame, normalize_xy, track_index_of
from ...tracker.errors import LimitError, OptionError
from ...tracker.types import Tracks
from .track_names import DEFAULT_LABEL, PromptLabel, TrackNames, name_elements

Layout = Literal["points", "frame", "objects"]
LAYOUTS: tuple[str, ...] = get_args(Layout)

# MongoDB refuses documents above 16 MiB; the rest is left for other labels of the frame.
MAX_FRAME_BYTES = 15 * 2**20
# From here on one Keypoint per point makes the App slow (measured: 3 x the draw time at 2500).
SUGGEST_FRAME_LAYOUT_FROM = 2000


def check_layout(layout: str, keep_hidden: bool) -> None:
    """Refuses a layout that does not exist, or cannot hold what is asked.

    Args:
        layout: one of `LAYOUTS`
        keep_hidden: whether hidden points shall be stored too

    Raises:
        OptionError: saying what is supported
    """
    if layout not in LAYOUTS:
        raise OptionError(f"Invalid layout ({layout!r}). Supported values are {', '.join(LAYOUTS)}")
    if layout != "points" and keep_hidden:
        raise OptionError(
            f"keep_hidden=True needs layout='points': the layout {layout!r} marks a hidden point by having no position"
        )


def check_document_size(
    num_points: int,
    layout: str,
    keep_hidden: bool = False,
    interpolate: bool = False,
    names: TrackNames | None = None,
) -> None:
    """Refuses more points than a frame's document can hold.

    Args:
        num_points: tracks
        layout: one of `LAYOUTS`
        keep_hidden: whether keypoints carry the attribute `occluded`
        interpolate: whether they carry the attribute `interpolated`
        names: what the tracks are called; None = as `DEFAULT_LABEL` says

    Raises:
        LimitError: naming the limit and the layout that fits
    """
    needed = document_bytes(num_points, layout, keep_hidden, interpolate, names)
    if needed <= MAX_FRAME_BYTES:
        return
    other_fits = layout == "points" and document_bytes(num_points, "frame", False, interpolate) <= MAX_FRAME_BYTES
    remedy = "Use layout='frame', which fits" if other_fits else "Track fewer points"
    raise LimitError(
        f"{num_points:,} points need {needed / 2**20:.1f} MiB per frame in the layout {layout!r}, and MongoDB stores "
        f"at most 16 MiB per frame ({MAX_FRAME_BYTES / 2**20:.0f} MiB of it for tracks). {remedy}"
    )


def document_bytes(
    num_points: int,
    layout: str,
    keep_hidden: bool = False,
    interpolated: bool = False,
    names: TrackNames | None = None,
) -> int:
    """The exact size of a frame's keypoints with every point visible.

    Args:
        num_points: tracks
        layout: one of `LAYOUTS`
        keep_hidden: whether keypoints carry the attribute `occluded`
        interpolated: whether they carry the attribute `interpolated`
        names: what the tracks are called; None = as `DEFAULT_LABEL` says

    Returns:
        bytes as BSON
    """
    if layout == "objects":
        labels = _prompts_of(names, num_points)
        filled = [
            _object_document(k, [[0.5, 0.5]] * len(k.columns), [0.5] * len(k.columns), interpolated) for k in labels
        ]
        return len(encode(keypoints_document(filled)))
    # an array element costs its value, a type byte, and its position in decimal digits with an end byte
    digits = sum(max(num_points - 10**k, 0) for k in range(1, len(str(num_points)) + 1)) + num_points
    positions = digits + 2 * num_points
    envelope = len(encode({"_cls": "Keypoints", "keypoints": []}))
    if layout == "frame":
        empty = len(encode(_multi_point_document([], [], interpolated, names)))
        return envelope + empty + 3 + 2 * positions + num_points * (len(encode({"0": 0.5, "1": 0.5})) + 8)
    occluded = False if keep_hidden else None
    single = single_point_document([0.5, 0.5], 0.5, 1, occluded, interpolated)
    return envelope + positions + num_points * len(encode(single)) + _bytes_of_names(names)


def _bytes_of_names(names: TrackNames | None) -> int:
    """What names add to keypoints that have none."""
    if names is None:
        return 0
    plain = len(encode(name_elements(DEFAULT_LABEL, None)))
    return sum(len(encode(name_elements(*row))) - plain for row in names.rows())


def visible_in_frame(tracks: Tracks, size_px: tuple[int, int]) -> np.ndarray:
    """Which points are shown: visible, and inside the frame.

    Args:
        tracks: T frames, N points
        size_px: (width, height) of the displayed frame

    Returns:
        (T, N) bool
    """
    return np.asarray(tracks.visible & inside_frame(tracks.xy, size_px))


def frame_documents(
    tracks: Tracks,
    size_px: tuple[int, int],
    *,
    rows: slice = slice(None),
    layout: str = "points",
    keep_hidden: bool = False,
    interpolated: np.ndarray | None = None,
    names: TrackNames | None = None,
) -> list[dict[str, Any]]:
    """The `fo.Keypoints` of some frames, as the dictionaries FiftyOne stores.

    A point outside the frame is hidden, never moved to the border.

    Args:
        tracks: T frames, N points, in pixels of the displayed frame
        size_px: (width, height) of the displayed frame
        rows: which of the T frames
        layout: "points" (one Keypoint per point), "frame" (one for all, hidden = NaN) or
            "objects" (one for each label that points were asked for with, hidden = NaN)
        keep_hidden: also store hidden points whose position is known, with
            `occluded=True`; layout "points" only
        interpolated: (T,) bool, frames whose keypoints are marked with `interpolated=True`
        names: what the tracks are called; None = as `DEFAULT_LABEL` says

    Returns:
        one document per row
    """
    if layout == "points":
        return [
            keypoints_document(
                [
                    single_point_document(point, score, index, occluded, row.interpolated, *called)
                    for point, score, index, occluded, called in zip(
                        row.xy.tolist(),
                        row.confidence.tolist(),
                        row.index.tolist(),
                        [None] * len(row.index) if row.occluded is None else row.occluded.tolist(),
                        [(DEFAULT_LABEL, None, None)] * len(row.index) if row.names is None else row.names.rows(),
                        strict=True,
                    )
                ]
            )
            for row in point_rows(
                tracks, size_px, rows=rows, keep_hidden=keep_hidden, interpolated=interpolated, names=names
            )
        ]
    xy = normalize_xy(tracks.xy[rows].astype(np.float64), size_px)  # (n, N, 2)
    shown = visible_in_frame(tracks, size_px)[rows]  # (n, N)
    points = np.where(shown[..., None], xy, np.nan)
    confidence = np.where(shown, tracks.confidence[rows].astype(np.float64), 0.0)
    filled_in = [False] * len(xy) if interpolated is None else interpolated[rows].tolist()
    if layout == "objects":
        return _frames_of_objects(points, confidence, filled_in, _prompts_of(names, tracks.num_points))
    return [
        keypoints_document([_multi_point_document(p, c, between, names)])
        for p, c, between in zip(points.tolist(), confidence.tolist(), filled_in, strict=True)
    ]


def _prompts_of(names: TrackNames | None, num_points: int) -> tuple[PromptLabel, ...]:
    """The labels that tracks are the points of: one for all where nothing is known."""
    if names is None or names.prompts is None:
        return (PromptLabel(DEFAULT_LABEL, None, None, tuple(range(num_points))),) if num_points else ()
    return names.prompts


def _frames_of_objects(
    points: np.ndarray, confidence: np.ndarray, filled_in: list[bool], prompts: tuple[PromptLabel, ...]
) -> list[dict[str, Any]]:
    """The documents of frames in the layout "objects", of (n, N, 2) points and (n, N) confidence."""
    # what is not tracked has no position: the last column
    points = np.concatenate([points, np.full_like(points, np.nan, shape=(len(points), 1, 2))], axis=1)  # (n, N + 1, 2)
    confidence = np.concatenate([confidence, np.zeros((len(points), 1))], axis=1)  # (n, N + 1)
    columns = [[-1 if column is None else column for column in prompt.columns] for prompt in prompts]
    return [
        keypoints_document(
            [
                _object_document(prompt, points[row, listed].tolist(), confidence[row, listed].tolist(), between)
                for prompt, listed in zip(prompts, columns, strict=True)
            ]
        )
        for row, between in enumerate(filled_in)
    ]


@dataclass(frozen=True)
class PointRow:
    """The points of one frame that are stored in the layout "points".

    Args:
        xy: (K, 2) float64 in FiftyOne's unit square
        confidence: (K,) float64
        index: (K,) int64, the tracks they belong to
        occluded: (K,) bool, or None where only visible points are stored
        interpolated: whether this frame was filled in between tracked ones
        names: what the K tracks are called; None = as `DEFAULT_LABEL` says
    """

    xy: np.ndarray
    confidence: np.ndarray
    index: np.ndarray
    occluded: np.ndarray | None
    interpolated: bool
    names: TrackNames | None = None


def point_rows(
    tracks: Tracks,
    size_px: tuple[int, int],
    *,
    rows: slice,
    keep_hidden: bool,
    interpolated: np.ndarray | None,
    names: TrackNames | None = None,
) -> Iterator[PointRow]:
    """Chooses and normalises what the layout "points" stores; arguments as for `frame_documents`."""
    xy = normalize_xy(tracks.xy[rows].astype(np.float64), size_px)  # (n, N, 2)
    shown = visible_in_frame(tracks, size_px)[rows]  # (n, N)
    stored: np.ndarray = np.asarray(np.isfinite(xy).all(axis=2)) if keep_hidden else shown
    confidence = tracks.confidence[rows].astype(np.float64)  # (n, N)
    names = None if names is None else replace(names, prompts=None)
    for row in range(len(xy)):
        columns = np.flatnonzero(stored[row])
        yield PointRow(
            xy=xy[row, columns],
            confidence=confidence[row, columns],
            index=track_index_of(columns),
            occluded=~shown[row, columns] if keep_hidden else None,
            interpolated=interpolated is not None and bool(interpolated[rows][row]),
            names=None if names is None else names.chosen(columns),
        )


def keypoints_document(keypoints: list[dict[str, Any]]) -> dict[str, Any]:
    """A frame's `fo.Keypoints` as FiftyOne stores it."""
    return {"_cls": "Keypoints", "keypoints": keypoints}


def single_point_document(
    point: list[float],
    confidence: float,
    index: int,
    occluded: bool | None,
    interpolated: bool,
    label: str = DEFAULT_LABEL,
    number: int | None = None,
    node: str | None = None,
) -> dict[str, Any]:
    """One point's `fo.Keypoint` as FiftyOne stores it; without `occluded`, `object` or `node` where that is None."""
    document = {
        "_id": ObjectId(),
        "_cls": "Keypoint",
        "attributes": {},
        "tags": [],
        **name_elements(label, number, node),
        "points": [point],
        "confidence": [confidence],
        "index": index,
    }
    if occluded is not None:
        document["occluded"] = occluded
    if interpolated:
        document["interpolated"] = True
    return document


def _multi_point_document(
    points: list[list[float]], confidence: list[float], interpolated: bool, names: TrackNames | None = None
) -> dict[str, Any]:
    document = {
        "_id": ObjectId(),
        "_cls": "Keypoint",
        "attributes": {},
        "tags": [],
        **name_elements(*((DEFAULT_LABEL, None) if names is None else names.common())),
        "points": points,
        "confidence": confidence,
        "index": track_index_of(0),
    }
    if interpolated:
        document["interpolated"] = True
    return document


def _object_document(
    prompt: PromptLabel, points: list[list[float]], confidence: list[float], interpolated: bool
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": ObjectId(),
        "_cls": "Keypoint",
        "attributes": {},
        "tags": [],
        "label": prompt.label,
        "points": points,
        "confidence": confidence,
        # whose points these are, for those who read them back; 0 where a point is not tracked
        "track_numbers": [0 if column is None else track_index_of(column) for column in prompt.columns],
    }
    if prompt.index is not None:
        document["index"] = prompt.index
    if prompt.instance_id is not None:
        document["instance"] = {"_id": ObjectId(prompt.instance_id), "_cls": "Instance"}
    if interpolated:
        document["interpolated"] = True
    return document
