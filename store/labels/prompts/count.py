"""How many objects and points a field of labels asks for, told before a run without looking at a mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ....tracker.coordinates import frame_index_of
from ....tracker.errors import FieldError
from ...database.fields import FRAMES_PREFIX
from ...database.raw_values import raw_values
from ..fields import find_field, selectable
from ..frame_labels import LIST_FIELDS, Labels
from ..objects import LISTS, ObjectLabel, attribute_of, objects_of
from .class_masks import mask_targets_of
from .points import PromptRules, check_points_field, prompt_labels

# samples that are looked at; labels of more are counted in proportion
MAX_SAMPLES = 50
_ATTRIBUTES = ("label", "index", "instance", "keyframe", "outside", "occluded", "points")


@dataclass(frozen=True)
class PromptCount:
    """What a field asks for.

    Args:
        num_samples: that were looked at
        num_prompted: of these, that hold a label to track from
        num_objects: in these
        num_labels: that points are asked for with: more than objects where those have several keyframes
        num_points: about; what lies outside the frame or past the end of a video is counted too
        num_alone: labels that are taken for an object each, for want of an index
        num_left_out: labels whose frame holds another one of the same object
        num_frames: that hold points of their samples, about
        most_frames: of these, of one sample
    """

    num_samples: int = 0
    num_prompted: int = 0
    num_objects: int = 0
    num_labels: int = 0
    num_points: int = 0
    num_alone: int = 0
    num_left_out: int = 0
    num_frames: int = 0
    most_frames: int = 0


def count_prompts(
    samples: SampleCollection, name: str, rules: PromptRules | None = None, *, max_samples: int = MAX_SAMPLES
) -> PromptCount:
    """Counts the objects and points that a field asks for, over the first samples of a collection.

    Args:
        samples: a dataset or view; a view that filters labels or frames chooses them
        name: of the field of labels, with or without "frames."
        rules: how points are chosen; None = as where nothing is said
        max_samples: that are looked at

    Returns:
        the numbers

    Raises:
        FieldError: if there is no such field, or it holds no labels
    """
    rules = rules or PromptRules()
    _, _, field = find_field(samples._dataset, name)
    check_points_field(name, field)
    if isinstance(field, LIST_FIELDS):
        raise FieldError(f"The points field {name!r} holds lists of numbers, which have no objects to count")
    path = selectable(samples._dataset, name)
    targets = mask_targets_of(samples._dataset, path) if field.document_type is fo.Segmentation else {}
    total = [0] * 8
    most_frames = 0
    for labels in _labels_of_samples(samples.limit(max_samples), path, field):
        numbers = _count(labels, rules, targets)
        total = [sum(pair) for pair in zip(total, numbers, strict=True)]
        most_frames = max(most_frames, numbers[-1])
    return PromptCount(*total, most_frames=most_frames)


def _count(labels: Labels, rules: PromptRules, targets: dict[int, str]) -> list[int]:
    """The numbers of one sample, in the order of `PromptCount`; the last is `num_frames`."""
    if targets:
        # which classes are there is seen in the masks alone
        named = [name for name in targets.values() if rules.classes is None or name in rules.classes]
        labels = [(t, {**dict(document), "label": name}) for t, document in labels for name in named]
    elif rules.classes is not None:
        labels = [(t, document) for t, document in labels if attribute_of(document, "label") in rules.classes]
    objects = objects_of(labels)
    asked = [(chosen[:1] if once else chosen, chosen) for chosen, once in (prompt_labels(o, rules) for o in objects)]
    asked = [pair for pair in asked if pair[0]]
    return [
        1,
        int(bool(asked)),
        len(asked),
        sum(len(first) for first, _ in asked),
        sum(_num_points(first, chosen, rules) for first, chosen in asked),
        sum(labelled.key[0] == "alone" for labelled in objects),
        sum(len(labelled.doubles) for labelled in objects),
        len({label.frame_index for first, _ in asked for label in first}),
    ]


def _num_points(asked: list[ObjectLabel], chosen: list[ObjectLabel], rules: PromptRules) -> int:
    """Points of an object: about so many on each label; the joints of keypoints; the vertices of a line at least."""
    kind = attribute_of(asked[0].document, "_cls")
    if kind == "Keypoint":
        # asked for once, each joint counts where it is known first: as many as the longest has
        lengths = [len(attribute_of(label.document, "points") or ()) for label in chosen]
        return max(lengths) if len(asked) < len(chosen) else sum(lengths)
    if kind == "Polyline":
        vertices = (sum(map(len, attribute_of(label.document, "points") or ())) for label in asked)
        return sum(max(number, rules.density) for number in vertices)
    return len(asked) * rules.density


def _labels_of_samples(samples: SampleCollection, path: str, field: fo.Field) -> Iterator[Labels]:
    """The labels of each sample, without what takes room: their masks."""
    kind = field.document_type.__name__  # type: ignore[attr-defined]
    prefix = f"{path}.{LISTS[kind]}" if kind in LISTS else path
    single = LISTS[kind][:-1].capitalize() if kind in LISTS else kind
    on_frames = path.startswith(FRAMES_PREFIX)
    names = _ATTRIBUTES if single in ("Keypoint", "Polyline") else _ATTRIBUTES[:-1]
    # what is there at all is told by the ids
    paths = [f"{FRAMES_PREFIX}frame_number" if on_frames else "id", f"{prefix}._id", *(f"{prefix}.{n}" for n in names)]
    for numbers, *columns in zip(*raw_values(samples, paths), strict=True):
        if not on_frames:
            numbers, columns = [1], [[column] for column in columns]
        labels: Labels = []
        for number, *values in zip(numbers or (), *(column or () for column in columns), strict=True):
            if kind not in LISTS:
                values = [[value] for value in values] if values[0] is not None else [[]] * len(values)
            labels += [(frame_index_of(number), document) for document in _documents(single, names, values)]
        yield labels


def _documents(single: str, names: tuple[str, ...], values: list[Any]) -> Iterator[dict[str, Any]]:
    """Labels of one frame, out of a list for each attribute."""
    ids, *attributes = [value or [] for value in values]
    attributes = [value or [None] * len(ids) for value in attributes]
    for row in zip(ids, *attributes, strict=True):
        yield {"_cls": single, **dict(zip(names, row[1:], strict=True))}
