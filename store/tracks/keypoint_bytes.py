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
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from bson import encode
from bson.raw_bson import RawBSONDocument

from ...tracker.types import Tracks
from .keypoints import PointRow, keypoints_document, point_rows, single_point_document
from .track_names import DEFAULT_LABEL, TrackNames

_ID_BYTES = 12
_RANDOM_BYTES = 8
# found again in the encoded template to learn where each value lies
_X, _Y, _CONFIDENCE, _INDEX = 0.123456789, 0.234567891, 0.345678912, 0x12345678
_OBJECTS = {"<i4": 0x23456789, "<i8": 0x3456789ABCDEF012}
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
    object_at: int | None
    occluded_at: int | None


@lru_cache(maxsize=10_000)
def _template(
    with_occluded: bool, interpolated: bool, label: str, node: str | None, object_type: str | None
) -> _Template:
    occluded = False if with_occluded else None
    number = None if object_type is None else _OBJECTS[object_type]
    document = single_point_document([_X, _Y], _CONFIDENCE, _INDEX, occluded, interpolated, label, number, node)
    content = encode(document)
    flag = b"\x08occluded\x00"
    return _Template(
        content=np.frombuffer(content, dtype=np.uint8),
        id_at=content.index(document["_id"].binary),
        x_at=content.index(struct.pack("<d", _X)),
        y_at=content.index(struct.pack("<d", _Y)),
        confidence_at=content.index(struct.pack("<d", _CONFIDENCE)),
        index_at=content.index(struct.pack("<i", _INDEX)),
        object_at=content.index(np.array(number, dtype=object_type).tobytes()) if number is not None else None,
        occluded_at=content.index(flag) + len(flag) if with_occluded else None,
    )


def encoded_frame_documents(
    tracks: Tracks,
    size_px: tuple[int, int],
    *,
    rows: slice = slice(None),
    keep_hidden: bool = False,
    interpolated: np.ndarray | None = None,
    names: TrackNames | None = None,
) -> list[RawBSONDocument]:
    """The `fo.Keypoints` of some frames in the layout "points", ready for the database.

    Args:
        tracks: T frames, N points, in pixels of the displayed frame
        size_px: (width, height) of the displayed frame
        rows: which of the T frames
        keep_hidden: also encode hidden points whose position is known
        interpolated: (T,) bool, frames whose keypoints are marked with `interpolated=True`
        names: what the tracks are called; None = as `DEFAULT_LABEL` says

    Returns:
        one encoded document per row; equal to those of `keypoints.frame_documents` but for ids
    """
    chosen = point_rows(tracks, size_px, rows=rows, keep_hidden=keep_hidden, interpolated=interpolated, names=names)
    return [RawBSONDocument(_encode_frame(row)) for row in chosen]


def _encode_frame(row: PointRow) -> bytes:
    elements = b"".join(_elements(row))
    array = struct.pack("<i", 4 + len(elements) + 1) + elements + _END
    # the frame's document with an empty array, which is replaced by the full one
    empty = encode(keypoints_document([]))
    head = empty[4 : -(5 + 1)]
    return struct.pack("<i", 4 + len(head) + len(array) + 1) + head + array + _END


def _elements(row: PointRow) -> list[bytes]:
    """The elements of the array of keypoints, in its order; those of the same form are encoded together."""
    number = len(row.index)
    if row.names is None:
        places = np.arange(number)
        points = _encode_points(row, places, DEFAULT_LABEL, None, None)
        return [elements.tobytes() for _, elements in _array_elements(places, points)]
    forms: dict[tuple[str, str | None, str | None], list[int]] = {}
    for place, (label, thing, node) in enumerate(row.names.rows()):
        forms.setdefault((label, node, _integer_type(thing)), []).append(place)
    pieces = [b""] * number
    for form, listed in forms.items():
        places = np.array(listed)
        for positions, elements in _array_elements(places, _encode_points(row, places, *form)):
            for position, element in zip(positions.tolist(), elements, strict=True):
                pieces[position] = element.tobytes()
    return pieces


def _integer_type(number: int | None) -> str | None:
    """How the database driver encodes a whole number."""
    if number is None:
        return None
    return "<i4" if -(2**31) <= number < 2**31 else "<i8"


def _encode_points(
    row: PointRow, places: np.ndarray, label: str, node: str | None, object_type: str | None
) -> np.ndarray:
    """(n, bytes of a keypoint) uint8, of some points with the same label, node and type of `object`."""
    template = _template(row.occluded is not None, row.interpolated, label, node, object_type)
    points = np.tile(template.content, (len(places), 1))
    points[:, template.id_at : template.id_at + _ID_BYTES] = _new_ids(len(places))
    columns = [
        (template.x_at, row.xy[places, 0].astype("<f8")),
        (template.y_at, row.xy[places, 1].astype("<f8")),
        (template.confidence_at, row.confidence[places].astype("<f8")),
        (template.index_at, row.index[places].astype("<i4")),
    ]
    if template.object_at is not None and row.names is not None:
        numbers = [row.names.objects[place] for place in places]
        columns.append((template.object_at, np.array(numbers, dtype=object_type)))
    for position, values in columns:
        width = values.itemsize
        points[:, position : position + width] = values[:, None].view(np.uint8)  # (n, width)
    if template.occluded_at is not None and row.occluded is not None:
        points[:, template.occluded_at] = row.occluded[places]
    return points


def _new_ids(number: int) -> np.ndarray:
    """(K, 12) uint8 object ids: the time in seconds, then random bytes."""
    ids = np.empty((number, _ID_BYTES), dtype=np.uint8)
    ids[:, : _ID_BYTES - _RANDOM_BYTES] = np.frombuffer(struct.pack(">I", int(time.time())), dtype=np.uint8)
    ids[:, _ID_BYTES - _RANDOM_BYTES :] = np.frombuffer(os.urandom(_RANDOM_BYTES * number), dtype=np.uint8).reshape(
        number, _RANDOM_BYTES
    )
    return ids


def _array_elements(places: np.ndarray, points: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Elements of a BSON array: type, position in decimal digits, end byte, document.

    Args:
        places: (n,) increasing positions in the array
        points: (n, bytes of a document) uint8

    Yields:
        positions of the same number of digits, and (k, bytes of an element) uint8
    """
    for digits in range(1, len(str(int(places.max(initial=0)))) + 1):
        chosen = (places < 10**digits) & ((places >= 10 ** (digits - 1)) | (digits == 1))
        if not chosen.any():
            continue
        positions = places[chosen][:, None]  # (k, 1)
        text = positions // 10 ** np.arange(digits - 1, -1, -1) % 10 + ord("0")  # (k, digits)
        head = np.full((len(positions), 1), _EMBEDDED_DOCUMENT[0])
        end = np.full((len(positions), 1), _END[0])
        yield (
            positions[:, 0],
            np.concatenate([head, text, end, points[chosen]], axis=1, dtype=np.uint8, casting="unsafe"),
        )
