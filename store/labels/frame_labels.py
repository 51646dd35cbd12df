"""The labels of one field of a sample, frame by frame, as documents: many of them in one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from fiftyone.core.clips import ClipView
from fiftyone.core.collections import SampleCollection
from fiftyone.core.sample import SampleView

from ...tracker.coordinates import frame_index_of
from ..database.fields import FRAMES_PREFIX
from ..database.raw_values import raw_values
from .fields import find_field, selectable
from .objects import LabelDocument, labels_in
from .views import shown_samples

Labels = list[tuple[int, LabelDocument]]
LIST_FIELDS = (fo.ListField, fo.ArrayField)


@dataclass(frozen=True, eq=False)
class FieldValues:
    """What one field holds for a sample.

    Args:
        dataset: of the sample
        name: of the field, as the user gave it
        path: with "frames." where it is on frames
        field: its declaration
        frames: (frame index from 0, value) of each frame; of a sample field one entry
    """

    dataset: fo.Dataset
    name: str
    path: str
    field: fo.Field
    frames: Sequence[tuple[int, Any]]

    def labels(self) -> Labels:
        """(frame index, label) of each label; of the same frame in the order of its list."""
        return [(frame_index, label) for frame_index, value in self.frames for label in labels_in(value)]


def read_values(samples: SampleCollection, sample_id: str, name: str, frame_index: int) -> FieldValues | None:
    """Reads a field of one sample out of the database.

    Args:
        samples: a dataset or view; a view that filters labels or frames chooses them
        sample_id: the sample
        name: "field" or "frames.field"
        frame_index: the frame that labels on the sample itself belong to

    Returns:
        what it holds; None where a view hides all of it

    Raises:
        FieldError: if there is no such field
    """
    dataset = samples._dataset
    _, on_frames, field = find_field(dataset, name)
    path = selectable(dataset, name)
    view = shown_samples(samples, sample_id)
    if isinstance(field, LIST_FIELDS):
        rows = view.values(path)
        return FieldValues(dataset, name, path, field, [(frame_index, rows[0])]) if rows else None
    keys, values = raw_values(view, [f"{FRAMES_PREFIX}frame_number" if on_frames else "id", path])
    if not values:
        return None
    frames = _by_frame(keys[0], values[0]) if on_frames else [(frame_index, values[0])]
    return FieldValues(dataset, name, path, field, list(frames))


def values_of(sample: fo.Sample | SampleView, name: str, frame_index: int) -> FieldValues:
    """What a field of a loaded sample holds.

    Args:
        sample: with the field; of a view that filters labels, or a clip
        name: "field" or "frames.field"
        frame_index: the frame that labels on the sample itself belong to

    Returns:
        what it holds

    Raises:
        FieldError: if there is no such field
    """
    view = getattr(sample, "_view", None)
    if isinstance(sample, SampleView) and view is not None and not isinstance(sample, ClipView):
        # loading the labels of a frame one by one takes a hundred times as long
        found = read_values(view, sample.id, name, frame_index)
        if found is not None:
            return found
    bare, on_frames, field = find_field(sample.dataset, name)
    if not on_frames:
        return FieldValues(sample.dataset, name, bare, field, [(frame_index, sample[bare])])
    frames = [(frame_index_of(number), sample.frames[number][bare]) for number in sorted(sample.frames)]
    return FieldValues(sample.dataset, name, f"{FRAMES_PREFIX}{bare}", field, frames)


def _by_frame(numbers: Sequence[int] | None, values: Sequence[Any] | None) -> Iterator[tuple[int, Any]]:
    pairs = zip(numbers or (), values or (), strict=True)
    yield from sorted(((frame_index_of(number), value) for number, value in pairs), key=lambda pair: pair[0])
