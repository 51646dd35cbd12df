"""The documents of the layout "points", encoded by column instead of by object.

Every keypoint of a frame encodes to the same number of bytes, so a frame is one
template repeated, with the bytes that differ filled in by numpy. The result is
what `keypoints.frame_documents` gives once the database driver has encoded it,
in a fraction of the time and memory.
"""

from __future__ import annotations

import os
import struct
import time
from dataclasses import dataclass
from functools import cache

import numpy as np
from bson import encode
from bson.raw_bson import RawBSONDocument

from ...tracker.types import Tracks
from .keypoints import PointRow, keypoints_document, point_rows, single_point_document

_ID_BYTES = 12
_RANDOM_BYTES = 8
# found again in the encoded template to learn where each value lies
_X, _Y, _CONFIDENCE, _INDEX = 0.123456789, 0.234567891, 0.345678912, 0x12345678
_EMBEDDED_DOCUMENT = b"\x03"
_END = b"\x00"


@dataclass(frozen=True)
class _Template:
    """An encoded keypoint and where its values lie in it."""

    content: np.ndarray
    id_at: int
    x_at: int
    y_at: int
    confidence_at: int
    index_at: int
    occluded_at: int | None


@cache
def _template(with_occluded: bool, interpolated: bool) -> _Template:
    document = single_point_document([_X, _Y], _CONFIDENCE, _INDEX, False if with_occluded else None, interpolated)
    content = encode(document)
    flag = b"\x08occluded\x00"
    return _Template(
        content=np.frombuffer(content, dtype=np.uint8),
        id_at=content.index(document["_id"].binary),
        x_at=content.index(struct.pack("<d", _X)),
        y_at=content.index(struct.pack("<d", _Y)),
        confidence_at=content.index(struct.pack("<d", _CONFIDENCE)),
        index_at=content.index(struct.pack("<i", _INDEX)),
        occluded_at=content.index(flag) + len(flag) if with_occluded else None,
    )


def encoded_frame_documents(
    tracks: Tracks,
    size_px: tuple[int, int],
    *,
    rows: slice = slice(None),
    keep_hidden: bool = False,
    interpolated: np.ndarray | None = None,
) -> list[RawBSONDocument]:
    """The `fo.Keypoints` of some frames in the layout "points", ready for the database.

    Args:
        tracks: T frames, N points, in pixels of the displayed frame
        size_px: (width, height) of the displayed frame
        rows: which of the T frames
        keep_hidden: also encode hidden points whose position is known
        interpolated: (T,) bool, frames whose keypoints are marked with `interpolated=True`

    Returns:
        one encoded document per row; equal to those of `keypoints.frame_documents` but for ids
    """
    chosen = point_rows(tracks, size_px, rows=rows, keep_hidden=keep_hidden, interpolated=interpolated)
    return [RawBSONDocument(_encode_frame(row)) for row in chosen]


def _encode_frame(row: PointRow) -> bytes:
    elements = _array_elements(_encode_points(row))
    array = struct.pack("<i", 4 + len(elements) + 1) + elements + _END
    # the frame's document with an empty array, which is replaced by the full one
    empty = encode(keypoints_document([]))
    head = empty[4 : -(5 + 1)]
    return struct.pack("<i", 4 + len(head) + len(array) + 1) + head + array + _END


def _encode_points(row: PointRow) -> np.ndarray:
    """(K, bytes of a keypoint) uint8."""
    template = _template(row.occluded is not None, row.interpolated)
    number = len(row.index)
    points = np.tile(template.content, (number, 1))
    points[:, template.id_at : template.id_at + _ID_BYTES] = _new_ids(number)
    for position, values in (
        (template.x_at, row.xy[:, 0].astype("<f8")),
        (template.y_at, row.xy[:, 1].astype("<f8")),
        (template.confidence_at, row.confidence.astype("<f8")),
        (template.index_at, row.index.astype("<i4")),
    ):
        width = values.itemsize
        points[:, position : position + width] = values[:, None].view(np.uint8)  # (K, width)
    if template.occluded_at is not None and row.occluded is not None:
        points[:, template.occluded_at] = row.occluded
    return points


def _new_ids(number: int) -> np.ndarray:
    """(K, 12) uint8 object ids: the time in seconds, then random bytes."""
    ids = np.empty((number, _ID_BYTES), dtype=np.uint8)
    ids[:, : _ID_BYTES - _RANDOM_BYTES] = np.frombuffer(struct.pack(">I", int(time.time())), dtype=np.uint8)
    ids[:, _ID_BYTES - _RANDOM_BYTES :] = np.frombuffer(os.urandom(_RANDOM_BYTES * number), dtype=np.uint8).reshape(
        number, _RANDOM_BYTES
    )
    return ids


def _array_elements(points: np.ndarray) -> bytes:
    """The elements of a BSON array: type, position in decimal digits, end byte, document."""
    parts, first, digits = [], 0, 1
    while first < len(points):
        last = min(10**digits, len(points))
        positions = np.arange(first, last)[:, None]  # (n, 1)
        text = positions // 10 ** np.arange(digits - 1, -1, -1) % 10 + ord("0")  # (n, digits)
        head = np.full((last - first, 1), _EMBEDDED_DOCUMENT[0])
        end = np.full((last - first, 1), _END[0])
        parts.append(np.concatenate([head, text, end, points[first:last]], axis=1, dtype=np.uint8, casting="unsafe"))
        first, digits = last, digits + 1
    return b"".join(part.tobytes() for part in parts)
