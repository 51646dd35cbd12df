"""Labels as they are stored, for comparing what went out with what came back."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np

import point_tracking as pt
from point_tracking.store.database.label_lists import LabelLists
from point_tracking.store.labels.shapes import list_of
from point_tracking.tracker.types import Tracks

Document = dict[str, Any]


def stored(dataset: fo.Dataset, field: str, sample_id: str | None = None) -> dict[int, list[Document]]:
    """The labels of a sample (the first), by frame number."""
    lists = LabelLists(dataset, list_of(dataset, field))
    found = lists.read(sample_id or dataset.first().id)
    return {number: labels for number, labels in found.items() if labels}


def assert_same(found: dict[int, list[Document]], wanted: dict[int, list[Document]], *, ids: bool = True) -> None:
    """The same labels in the same frames, whatever their order and the order of their keys; floats to 1e-12."""
    assert sorted(found) == sorted(wanted)
    for number in wanted:
        ours, theirs = (sorted(map(_plain, one[number]), key=_place) for one in (found, wanted))
        assert len(ours) == len(theirs), number
        for one, other in zip(ours, theirs, strict=True):
            skipped = set() if ids else {"_id"}
            assert set(one) - skipped == set(other) - skipped, number
            for key in set(one) - skipped:
                _assert_value(one[key], other[key], f"{key} in frame {number}")


def _assert_value(found: Any, wanted: Any, place: str) -> None:
    assert type(found) is type(wanted), place
    if isinstance(found, float) or (isinstance(found, list) and found and not isinstance(found[0], str)):
        flat = [np.array(_flat(value), dtype=float) for value in (found, wanted)]
        np.testing.assert_allclose(*flat, rtol=0, atol=1e-12, err_msg=place)
    else:
        assert found == wanted, place


def _flat(value: Any) -> list[Any]:
    return [one for item in value for one in _flat(item)] if isinstance(value, list) else [value]


def _place(document: Document) -> str:
    """An order of labels that does not depend on ids."""
    flat = _flat([document.get("points"), document.get("bounding_box")])
    rounded = [round(value, 9) if isinstance(value, float) else value for value in flat]
    return repr((document.get("label"), document.get("index"), rounded))


def _plain(document: Document) -> Document:
    """Without what is said to be nothing."""
    return {key: value for key, value in document.items() if value not in (None, {}, [])}


def random_tracks(rng: np.random.Generator, num_frames: int, num_points: int, size: tuple[int, int], **more) -> Tracks:
    """Points anywhere in the frame, hidden and unknown at times; the first is in two corners."""
    xy = rng.uniform(0, np.array(size) - 1, (num_frames, num_points, 2)).astype(np.float32)
    visible = rng.random((num_frames, num_points)) < 0.7
    if num_points:
        xy[0, 0], xy[-1, 0] = (0, 0), np.array(size) - 1
        visible[[0, -1], 0] = True
    known = visible | (rng.random(visible.shape) < 0.5)
    confidence = np.where(known, rng.random(visible.shape), 0).astype(np.float32)
    return Tracks(np.where(known[..., None], xy, np.nan), visible, confidence, **more)


def with_fields(dataset: fo.Dataset, **tracks: Tracks) -> fo.Dataset:
    """Stores tracks in the dataset's first sample."""
    for field, made in tracks.items():
        pt.write_tracks(dataset.first(), field, made, keep_hidden=True)
    return dataset
