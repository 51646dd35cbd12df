"""The classes of a segmentation, each as a label of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import fiftyone as fo
import numpy as np

from ...database.fields import FRAMES_PREFIX
from ..frame_labels import FieldValues, Labels
from .coverage import NoPlace, values_in


def mask_targets_of(dataset: fo.Dataset, path: str) -> dict[int, str]:
    """What the values of a field's masks mean; empty where that is not said.

    Args:
        dataset: the dataset
        path: of the field, with "frames." where it is on frames
    """
    names = (path, path.removeprefix(FRAMES_PREFIX))
    targets = next((dataset.mask_targets[name] for name in names if name in dataset.mask_targets), None)
    targets = targets if targets is not None else dataset.default_mask_targets
    # those of coloured masks are keyed by colour
    return {value: name for value, name in (targets or {}).items() if isinstance(value, int) and value and name}


def with_classes_apart(values: FieldValues, *, all_frames: bool, classes: Collection[str] | None) -> Labels:
    """The labels of a field; of segmentations whose values have a meaning, one for each class that is there.

    Args:
        values: of the field
        all_frames: every frame of each class; otherwise the first
        classes: names that count, so that no frame is looked at for others; None = all

    Returns:
        (frame index, label); such a class is {"_cls": "ClassMask", "label", "value", "segmentation"}
    """
    labels = values.labels()
    if getattr(values.field, "document_type", None) is not fo.Segmentation:
        return labels
    targets = mask_targets_of(values.dataset, values.path)
    if not targets:
        return labels
    wanted = {value: name for value, name in targets.items() if classes is None or name in classes}
    found: Labels = []
    left = dict(wanted)
    for frame_index, segmentation in labels:
        if not left:
            break
        try:
            there = set(np.unique(values_in(segmentation)).tolist())
        except NoPlace:
            # told when it is asked for points
            found.append((frame_index, segmentation))
            continue
        for value in [value for value in left if value in there]:
            found.append((frame_index, _class_mask(left[value], value, segmentation)))
            if not all_frames:
                del left[value]
    return found


def _class_mask(name: str, value: int, segmentation: object) -> Mapping[str, object]:
    return {"_cls": "ClassMask", "label": name, "value": value, "segmentation": segmentation}
