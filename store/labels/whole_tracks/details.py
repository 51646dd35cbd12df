"""What point tracks say besides where they are: nodes, positions that a person gave, and what a view shows of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fiftyone.core.collections import SampleCollection

from ....tracker.coordinates import column_of, frame_index_of, track_index_of
from ...database.fields import FRAMES_PREFIX
from ...database.raw_values import keypoint_columns, list_lengths, raw_values
from ..skeletons import node_names
from ..views import hides_labels, shown_samples

_NAMES = ("index", "track_numbers", "node", "keyframe", "corrected")


@dataclass
class TrackDetails:
    """Details of the tracks of one sample.

    Args:
        nodes: column of a track -> which point of a skeleton it is
        keyframes: (frame index, column) of positions that a person gave
        shown: (frame index, column) of positions that the collection shows; None where it shows all
    """

    nodes: dict[int, str] = field(default_factory=dict)
    keyframes: list[tuple[int, int]] = field(default_factory=list)
    shown: list[tuple[int, int]] | None = None


def read_track_details(samples: SampleCollection, sample_id: str, label_field: str) -> TrackDetails:
    """Reads what the tracks of a sample say besides where they are.

    Args:
        samples: a dataset or view; one that filters labels or frames chooses what is shown
        sample_id: the sample
        label_field: name of the frame field, without "frames."
    """
    dataset = samples._dataset
    details = TrackDetails(shown=[] if hides_labels(samples) else None)
    for number, *lists in zip(*_columns(samples, sample_id, label_field, details), strict=True):
        # most frames of most tracks: nothing to note
        if details.shown is None and _says_nothing(lists):
            continue
        row = frame_index_of(number)
        labels = [values or [None] * len(lists[-1] or ()) for values in lists]
        for *label, length in zip(*labels, strict=True):
            about: dict[str, Any] = dict(zip(_NAMES, label, strict=True))
            for column, node, given in _points_of(dataset, f"{FRAMES_PREFIX}{label_field}", about, length):
                if details.shown is not None:
                    details.shown.append((row, column))
                if node is not None:
                    details.nodes.setdefault(column, node)
                if given:
                    details.keyframes.append((row, column))
    return details


def _columns(samples: SampleCollection, sample_id: str, label_field: str, details: TrackDetails) -> list[list[Any]]:
    """Frame numbers, what is said under each of `_NAMES`, and how many points keypoints have."""
    if details.shown is None:
        return list(keypoint_columns(samples._dataset, sample_id, label_field, _NAMES, lengths=("points",)).values())
    prefix = f"{FRAMES_PREFIX}{label_field}.keypoints"
    paths = [f"{FRAMES_PREFIX}frame_number", *(f"{prefix}.{name}" for name in _NAMES)]
    view = shown_samples(samples, sample_id)
    found = [*raw_values(view, paths), list_lengths(view, f"{prefix}.points")]
    return [column[0] or [] for column in found] if found[0] else [[] for _ in found]


def _says_nothing(lists: list[Any]) -> bool:
    """Whether all labels of a frame are single points of which nothing is said."""
    *named, lengths = lists
    return set(lengths or ()) <= {1} and not any(any(values or ()) for values in named[1:])


def _points_of(dataset: Any, path: str, about: dict[str, Any], length: int) -> Iterator[tuple[int, str | None, bool]]:
    """(column, node, whether a person gave it) of the points of a keypoint of so many, in any layout."""
    corrected = about["corrected"] if isinstance(about["corrected"], list) else [about["corrected"]] * length
    if length == 1 and not about["track_numbers"]:
        if about["index"]:
            node = about["node"] if isinstance(about["node"], str) else None
            yield column_of(int(about["index"])), node, bool(about["keyframe"]) or bool(corrected[0])
        return
    numbers = about["track_numbers"] or [int(track_index_of(place)) for place in range(length)]
    nodes = node_names(dataset, path, length)
    for place, number in enumerate(numbers[:length]):
        if number:
            given = bool(about["keyframe"]) or (place < len(corrected) and bool(corrected[place]))
            yield column_of(int(number)), nodes[place], given
