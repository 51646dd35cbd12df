"""An object's masks, frame by frame, out of a FiftyOne sample."""

from __future__ import annotations

import fiftyone as fo
import numpy as np

from ...tracker.coordinates import frame_index_of
from ...tracker.errors import FieldError, MaskError
from ...workflows.tracking.prompts import find_field, mask_of
from ..database.fields import FRAMES_PREFIX
from ..tracks.videos import select_videos

# finer masks are thinned out: a point's place on an object needs no more, and a clip's masks are held together
_LONGEST_SIDE = 512
_MASK_TYPES = (fo.Segmentation, fo.Detections, fo.Detection)


def check_mask_field(dataset: fo.Dataset, mask_field: str) -> str:
    """Refuses a field that holds no masks per frame.

    Args:
        dataset: the data set
        mask_field: "frames.field"; the prefix may be left out

    Returns:
        the name without the prefix

    Raises:
        FieldError: saying what was found and what is supported
    """
    name, on_frames, found = find_field(dataset, mask_field)
    kind = getattr(found, "document_type", None)
    if not on_frames or kind not in _MASK_TYPES:
        place = "frames" if on_frames else "samples"
        raise FieldError(
            f"The mask field {mask_field!r} holds {(kind or type(found)).__name__} on {place}. "
            "Supported are Segmentation, Detections and Detection with instance masks on frames"
        )
    return name


def read_object_masks(
    dataset: fo.Dataset, sample_id: str, name: str, size_px: tuple[int, int], num_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Reads the masks of a sample.

    Args:
        dataset: the data set
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
    sample = select_videos(dataset, sample_id).select_fields(FRAMES_PREFIX + name).first()
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
