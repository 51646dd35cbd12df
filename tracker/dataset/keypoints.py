"""Tracks as the documents FiftyOne stores, and back.

Adding a layout: add its name to `LAYOUTS`, a branch to `frame_documents`,
`document_bytes` and to `reader`, and its row to the README.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from bson import ObjectId, encode

from ..coordinates import inside_frame, normalize_xy, track_index_of
from ..errors import LimitError, OptionError
from ..types import Tracks

Layout = Literal["points", "frame"]
LAYOUTS: tuple[str, ...] = get_args(Layout)
DEFAULT_LABEL = "point"

# MongoDB refuses documents above 16 MiB; the rest is left for other labels of the frame.
MAX_FRAME_BYTES = 15 * 2**20
# From here on one Keypoint per point makes the App slow (measured: 3 x the draw time at 2500).
SUGGEST_FRAME_LAYOUT_FROM = 2000


def check_layout(layout: str, keep_hidden: bool) -> None:
    """Refuses a layout that does not exist, or cannot hold what is asked.

    Args:
        layout: "points" or "frame"
        keep_hidden: whether hidden points shall be stored too

    Raises:
        OptionError: saying what is supported
    """
    if layout not in LAYOUTS:
        raise OptionError(f"Invalid layout ({layout!r}). Supported values are {', '.join(LAYOUTS)}")
    if layout == "frame" and keep_hidden:
        raise OptionError(
            "keep_hidden=True needs layout='points': the layout 'frame' marks a hidden point by having no position"
        )


def check_document_size(num_points: int, layout: str, keep_hidden: bool = False, interpolate: bool = False) -> None:
    """Refuses more points than a frame's document can hold.

    Args:
        num_points: tracks
        layout: "points" or "frame"
        keep_hidden: whether keypoints carry the attribute `occluded`
        interpolate: whether they carry the attribute `interpolated`

    Raises:
        LimitError: naming the limit and the layout that fits
    """
    needed = document_bytes(num_points, layout, keep_hidden, interpolate)
    if needed <= MAX_FRAME_BYTES:
        return
    other_fits = layout == "points" and document_bytes(num_points, "frame", False, interpolate) <= MAX_FRAME_BYTES
    remedy = "Use layout='frame', which fits" if other_fits else "Track fewer points"
    raise LimitError(
        f"{num_points:,} points need {needed / 2**20:.1f} MiB per frame in the layout {layout!r}, and MongoDB stores "
        f"at most 16 MiB per frame ({MAX_FRAME_BYTES / 2**20:.0f} MiB of it for tracks). {remedy}"
    )


def document_bytes(num_points: int, layout: str, keep_hidden: bool = False, interpolated: bool = False) -> int:
    """The exact size of a frame's keypoints with every point visible.

    Args:
        num_points: tracks
        layout: "points" or "frame"
        keep_hidden: whether keypoints carry the attribute `occluded`
        interpolated: whether they carry the attribute `interpolated`

    Returns:
        bytes as BSON
    """
    # an array element costs its value, a type byte, and its position in decimal digits with an end byte
    digits = sum(max(num_points - 10**k, 0) for k in range(1, len(str(num_points)) + 1)) + num_points
    positions = digits + 2 * num_points
    envelope = len(encode({"_cls": "Keypoints", "keypoints": []}))
    if layout == "frame":
        empty = len(encode(_multi_point_document([], [], interpolated)))
        return envelope + empty + 3 + 2 * positions + num_points * (len(encode({"0": 0.5, "1": 0.5})) + 8)
    occluded = False if keep_hidden else None
    single = _single_point_document([0.5, 0.5], 0.5, 1, occluded, interpolated)
    return envelope + positions + num_points * len(encode(single))


def visible_in_frame(tracks: Tracks, size_px: tuple[int, int]) -> np.ndarray:
    """Which points are shown: visible, and inside the frame.

    Args:
        tracks: T frames, N points
        size_px: (width, height) of the displayed frame

    Returns:
        (T, N) bool
    """
    return tracks.visible & inside_frame(tracks.xy, size_px)


def frame_documents(
    tracks: Tracks,
    size_px: tuple[int, int],
    *,
    rows: slice = slice(None),
    layout: str = "points",
    keep_hidden: bool = False,
    interpolated: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """The `fo.Keypoints` of some frames, as the dictionaries FiftyOne stores.

    A point outside the frame is hidden, never moved to the border.

    Args:
        tracks: T frames, N points, in pixels of the displayed frame
        size_px: (width, height) of the displayed frame
        rows: which of the T frames
        layout: "points" (one Keypoint per point) or "frame" (one for all, hidden = NaN)
        keep_hidden: also store hidden points whose position is known, with
            `occluded=True`; layout "points" only
        interpolated: (T,) bool, frames whose keypoints are marked with `interpolated=True`

    Returns:
        one document per row
    """
    xy = normalize_xy(tracks.xy[rows].astype(np.float64), size_px)  # (n, N, 2)
    shown: np.ndarray = np.asarray(tracks.visible[rows] & inside_frame(tracks.xy[rows], size_px))  # (n, N)
    confidence = tracks.confidence[rows].astype(np.float64)  # (n, N)
    filled_in = [False] * len(xy) if interpolated is None else interpolated[rows].tolist()  # (n,)
    if layout == "frame":
        points = np.where(shown[..., None], xy, np.nan)
        confidence = np.where(shown, confidence, 0.0)
        return [
            _keypoints_document([_multi_point_document(p, c, between)])
            for p, c, between in zip(points.tolist(), confidence.tolist(), filled_in, strict=True)
        ]
    stored = np.isfinite(xy).all(axis=2) if keep_hidden else shown
    documents = []
    for row in range(len(xy)):
        columns = np.flatnonzero(stored[row])
        hidden = (~shown[row, columns]).tolist() if keep_hidden else [None] * len(columns)
        documents.append(
            _keypoints_document(
                [
                    _single_point_document(point, score, index, occluded, filled_in[row])
                    for point, score, index, occluded in zip(
                        xy[row, columns].tolist(),
                        confidence[row, columns].tolist(),
                        track_index_of(columns).tolist(),
                        hidden,
                        strict=True,
                    )
                ]
            )
        )
    return documents


def _keypoints_document(keypoints: list[dict[str, Any]]) -> dict[str, Any]:
    return {"_cls": "Keypoints", "keypoints": keypoints}


def _single_point_document(
    point: list[float], confidence: float, index: int, occluded: bool | None, interpolated: bool
) -> dict[str, Any]:
    document = {
        "_id": ObjectId(),
        "_cls": "Keypoint",
        "attributes": {},
        "tags": [],
        "label": DEFAULT_LABEL,
        "points": [point],
        "confidence": [confidence],
        "index": index,
    }
    if occluded is not None:
        document["occluded"] = occluded
    if interpolated:
        document["interpolated"] = True
    return document


def _multi_point_document(points: list[list[float]], confidence: list[float], interpolated: bool) -> dict[str, Any]:
    document = {
        "_id": ObjectId(),
        "_cls": "Keypoint",
        "attributes": {},
        "tags": [],
        "label": DEFAULT_LABEL,
        "points": points,
        "confidence": confidence,
        "index": track_index_of(0),
    }
    if interpolated:
        document["interpolated"] = True
    return document
