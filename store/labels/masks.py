"""An object's masks, frame by frame, out of a FiftyOne sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection
from fiftyone.core.sample import SampleView

from ...tracker.coordinates import frame_index_of, frame_number_of
from ...tracker.errors import FieldError, MaskError, NoPromptError
from ..database.fields import FRAMES_PREFIX
from .fields import find_field
from .views import shown_samples

# finer masks are thinned out: a point's place on an object needs no more, and a clip's masks are held together
_LONGEST_SIDE = 512
MASK_TYPES = (fo.Segmentation, fo.Detections, fo.Detection)


def check_mask_field(dataset: fo.Dataset, mask_field: str) -> str:
    """Refuses a field that holds no masks per frame.

    Args:
        dataset: the dataset
        mask_field: "frames.field"; the prefix may be left out

    Returns:
        the name without the prefix

    Raises:
        FieldError: saying what was found and what is supported
    """
    name, on_frames, found = find_field(dataset, mask_field)
    kind = getattr(found, "document_type", None)
    if not on_frames or kind not in MASK_TYPES:
        place = "frames" if on_frames else "samples"
        raise FieldError(
            f"The mask field {mask_field!r} holds {(kind or type(found)).__name__} on {place}. "
            "Supported are Segmentation, Detections and Detection with instance masks on frames"
        )
    return name


def read_object_masks(
    samples: SampleCollection, sample_id: str, name: str, size_px: tuple[int, int], num_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Reads the masks of a sample.

    Args:
        samples: a dataset or view; a view that filters labels or frames chooses the masks
        sample_id: the sample
        name: of the frame field, from `check_mask_field`
        size_px: (width, height) of the displayed frame
        num_frames: T

    Returns:
        masks: (T, H', W') bool, thinned out to at most 512 pixels a side
        valid: (T,) bool, frames that have a mask

    Raises:
        MaskError: if no frame has a mask, or masks cannot be read or differ in size
    """
    sample = shown_samples(samples, sample_id).select_fields(FRAMES_PREFIX + name).first()
    found: dict[int, np.ndarray] = {}
    for number in sorted(sample.frames):
        label, row = sample.frames[number][name], frame_index_of(number)
        if label is None or row >= num_frames:
            continue
        try:
            mask = mask_of(label, size_px)
        except (OSError, ValueError) as error:
            raise MaskError(f"The mask of frame {number} in {name!r} cannot be read: {error}") from error
        if mask is not None:
            found[row] = _thinned(mask)
    if not found:
        raise MaskError(f"No frame of this sample has a mask in {name!r}")
    shapes = {mask.shape for mask in found.values()}
    if len(shapes) > 1:
        raise MaskError(f"The masks of this sample in {name!r} differ in size: {sorted(shapes)}")
    masks = np.zeros((num_frames, *shapes.pop()), dtype=bool)
    for row, mask in found.items():
        masks[row] = mask
    valid = np.zeros(num_frames, dtype=bool)
    valid[list(found)] = True
    return masks, valid


def _thinned(mask: np.ndarray) -> np.ndarray:
    step = -(-max(mask.shape) // _LONGEST_SIDE)
    # the middle of every step, so that thinning does not shift the mask
    return mask[step // 2 :: step, step // 2 :: step] != 0


def read_mask(
    sample: fo.Sample | SampleView, mask_field: str, frame_index: int, size_px: tuple[int, int]
) -> np.ndarray:
    """Reads the mask of a sample, or of one of its frames.

    Args:
        sample: with the mask's field
        mask_field: "field" or "frames.field"
        frame_index: the frame whose mask is read, where the field is on frames
        size_px: (width, height) of the displayed frame, for instance masks

    Returns:
        (H', W') array, nonzero = track; the union where there are several detections

    Raises:
        NoPromptError: if there is no label
        MaskError: if it holds no mask, or one that cannot be read
    """
    return _union(read_instance_masks(sample, mask_field, frame_index, size_px), size_px)


def read_instance_masks(
    sample: fo.Sample | SampleView, mask_field: str, frame_index: int, size_px: tuple[int, int]
) -> Iterator[np.ndarray]:
    """Reads the masks of the objects of a sample, or of one of its frames.

    Args:
        as for `read_mask`

    Yields:
        (H', W') array, nonzero = object, for each detection that has a mask; one for a segmentation

    Raises:
        the same errors as `read_mask`
    """
    name, on_frames, _ = find_field(sample.dataset, mask_field)
    if on_frames:
        number = frame_number_of(frame_index)
        label = sample.frames[number][name] if number in sample.frames else None
        place = f"in frame {frame_index}"
    else:
        label, place = sample[name], "on this sample"
    if label is None:
        raise NoPromptError(f"There is no mask in {mask_field!r} {place}")
    if not _has_mask(label):
        raise MaskError(f"The {type(label).__name__} in {mask_field!r} {place} has no mask. Boxes alone do not do")
    try:
        yield from _instance_masks(label, size_px)
    except (OSError, ValueError) as error:
        if isinstance(error, MaskError):
            raise
        raise MaskError(f"The mask in {mask_field!r} cannot be read: {error}") from error


def mask_of(label: Any, size_px: tuple[int, int]) -> np.ndarray | None:
    """The mask that a label holds.

    Args:
        label: Segmentation, Detection or Detections
        size_px: (width, height) of the displayed frame, for instance masks

    Returns:
        (H', W') array, nonzero = object; the union where there are several detections;
        None for labels without a mask
    """
    return _union(_instance_masks(label, size_px), size_px) if _has_mask(label) else None


def _union(masks: Iterable[np.ndarray], size_px: tuple[int, int]) -> np.ndarray:
    """(H', W'), nonzero where one of the masks is; an empty mask of the frame where there is none."""
    union: np.ndarray | None = None
    for mask in masks:
        union = mask if union is None else union | mask
    return np.zeros(size_px[::-1], dtype=bool) if union is None else union


def _detections_in(label: Any) -> Sequence[Any]:
    return label.detections if isinstance(label, fo.Detections) else [label]


def _has_mask(label: Any) -> bool:
    """Whether a label says where its objects are; no detections at all say that there are none."""
    if isinstance(label, fo.Segmentation):
        return label.has_mask
    detections = _detections_in(label)
    return not detections or any(detection.has_mask for detection in detections)


def _instance_masks(label: Any, size_px: tuple[int, int]) -> Iterator[np.ndarray]:
    """The masks of a label that has some, (H', W') each."""
    if isinstance(label, fo.Segmentation):
        mask = label.get_mask()
        yield mask.any(axis=2) if mask.ndim == 3 else mask
        return
    for detection in _detections_in(label):
        if detection.has_mask:
            yield detection.to_segmentation(frame_size=size_px, target=1).mask != 0
