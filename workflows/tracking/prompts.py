"""What to track in a sample: a grid, a mask, points, or points kept in a field.

Adding a prompt: a function here that reads it from one sample and returns
`Queries` in pixels of the displayed frame, a branch in `queries_of`, and
its check in `check_prompt_fields` so that a wrong field is refused before the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.sample import SampleView

from ...store.database.fields import FRAMES_PREFIX
from ...store.tracks.source_links import FILEPATH, media_fields_with_copies
from ...store.tracks.videos import select_videos
from ...tracker.coordinates import denormalize_xy, frame_index_of, frame_number_of, inside_frame
from ...tracker.errors import EmptyQueriesError, FieldError, MaskError, QueryError
from ...tracker.queries import grid_queries, point_queries
from ...tracker.types import Queries
from .options import TrackOptions

_MASK_TYPES = (fo.Segmentation, fo.Detections, fo.Detection)
_POINT_TYPES = (fo.Keypoints, fo.Keypoint)
_ASPECT_TOLERANCE = 0.02


def find_field(dataset: fo.Dataset, name: str) -> tuple[str, bool, fo.Field]:
    """Finds a prompt field on frames or samples; the prefix "frames." may be left out.

    Args:
        dataset: the data set
        name: "field" or "frames.field"

    Returns:
        the name without prefix, whether it is on frames, and the field

    Raises:
        FieldError: if there is no such field
    """
    frame_fields = dataset.get_frame_field_schema(flat=False) or {}
    sample_fields = dataset.get_field_schema(flat=False)
    bare = name.removeprefix(FRAMES_PREFIX)
    if bare == name and name in sample_fields:
        return name, False, sample_fields[name]
    if bare in frame_fields:
        return bare, True, frame_fields[bare]
    remedy = "Check the name"
    if FILEPATH in media_fields_with_copies(dataset):
        remedy = (
            "These samples are preprocessed copies, without the fields of their sources. A mask field on the sources' "
            "samples is used with write_to='source'; anything else has to be stored with the copies"
        )
    raise FieldError(f"There is no field {name!r}, neither on samples nor on frames. {remedy}")


def reads_masks_of_sources(dataset: fo.Dataset, destination: fo.Dataset, options: TrackOptions) -> bool:
    """Whether the mask field is one of the sources that copies were made from, in their own data set.

    Args:
        dataset: that is tracked
        destination: that is written to
        options: of the run
    """
    if options.mask_field is None or dataset.name == destination.name:
        return False
    return not _has_field(dataset, options.mask_field) and _has_field(destination, options.mask_field)


def _has_field(dataset: fo.Dataset, name: str) -> bool:
    try:
        find_field(dataset, name)
    except FieldError:
        return False
    return True


def check_prompt_fields(dataset: fo.Dataset, destination: fo.Dataset, options: TrackOptions) -> None:
    """Refuses prompt fields that do not exist or cannot hold the prompt.

    Args:
        dataset: that is tracked
        destination: that is written to
        options: of the run

    Raises:
        FieldError: saying what was found and what is supported
    """
    if options.mask_field is not None:
        of_sources = reads_masks_of_sources(dataset, destination, options)
        _, on_frames, found = find_field(destination if of_sources else dataset, options.mask_field)
        if on_frames and (of_sources or options.media_field != FILEPATH):
            raise FieldError(
                f"The masks in {options.mask_field!r} belong to the source's frames, which preprocessed media does "
                "not all have. Use a mask field on samples"
            )
        if getattr(found, "document_type", None) not in _MASK_TYPES:
            raise FieldError(
                f"The mask field {options.mask_field!r} holds {_type_name(found)}. "
                "Supported are Segmentation, Detections and Detection with instance masks"
            )
    if isinstance(options.points, str):
        _, _, found = find_field(dataset, options.points)
        if getattr(found, "document_type", None) not in _POINT_TYPES and not isinstance(found, fo.ListField):
            raise FieldError(
                f"The points field {options.points!r} holds {_type_name(found)}. "
                "Supported are Keypoints, Keypoint, and a list of (t, x, y) in pixels"
            )


def _type_name(field: fo.Field) -> str:
    return (getattr(field, "document_type", None) or type(field)).__name__


def sample_queries(
    dataset: fo.Dataset,
    sample_id: str,
    options: TrackOptions,
    size_px: tuple[int, int],
    warnings: list[str],
) -> Queries:
    """What to track in one sample.

    Args:
        dataset: the data set
        sample_id: the sample
        options: of the run
        size_px: (width, height) of the displayed frame
        warnings: receives what the user should know, in words

    Returns:
        Queries in pixels of the displayed frame; frames of the source video

    Raises:
        EmptyQueriesError: if the prompt selects no point
        MaskError: if the sample has no mask
        QueryError: if the sample has no points, or they are outside the video
    """
    fields = [name for name in (options.mask_field, options.points) if isinstance(name, str)]
    selected = [_selectable(dataset, name) for name in fields]
    sample = select_videos(dataset, sample_id).select_fields(selected).first() if selected else None
    return queries_of(sample, sample_id, options, size_px, warnings)


def queries_of(
    sample: fo.Sample | SampleView | None,
    sample_id: str,
    options: TrackOptions,
    size_px: tuple[int, int],
    warnings: list[str],
) -> Queries:
    """What to track in a sample that is loaded already, as `sample_queries` says.

    Args:
        sample: with the prompt's field; may be one of a view that filters the
            prompt, or a clip. None where the prompt is no field
        sample_id: the id under which `options.points` may name it
        options, size_px, warnings: as for `sample_queries`

    Returns:
        Queries in pixels of the displayed frame; frames of the source video

    Raises:
        the same errors as `sample_queries`
    """
    width, height = size_px
    if isinstance(options.points, str):
        return _points_from_field(_given(sample), options, size_px, warnings)
    if isinstance(options.points, Mapping):
        if sample_id not in options.points:
            raise QueryError("No points were given for this sample")
        return _not_empty(point_queries(options.points[sample_id]), "The list of points for this sample is empty")
    if options.points is not None:
        return point_queries(options.points)
    mask = None
    if options.mask_field is not None:
        mask = _read_mask(_given(sample), options.mask_field, options.frame_index, size_px)
        if not mask.any():
            raise EmptyQueriesError(f"The mask in {options.mask_field!r} is empty: there is nothing to track")
        _warn_about_aspect(mask, size_px, warnings)
    queries = grid_queries(options.grid_size, height=height, width=width, frame_index=options.frame_index, mask=mask)
    return _not_empty(
        queries,
        f"The mask selects none of the {options.grid_size**2} grid points. Use a larger grid size to hit small objects",
    )


def _selectable(dataset: fo.Dataset, name: str) -> str:
    bare, on_frames, _ = find_field(dataset, name)
    return f"{FRAMES_PREFIX}{bare}" if on_frames else bare


def _given(sample: fo.Sample | SampleView | None) -> fo.Sample | SampleView:
    if sample is None:
        raise QueryError("The prompt is a field, but there is no sample to read it from. Pass the sample as well")
    return sample


def _not_empty(queries: Queries, message: str) -> Queries:
    if not len(queries):
        raise EmptyQueriesError(message)
    return queries


def _warn_about_aspect(mask: np.ndarray, size_px: tuple[int, int], warnings: list[str]) -> None:
    mask_aspect, frame_aspect = mask.shape[1] / mask.shape[0], size_px[0] / size_px[1]
    if abs(mask_aspect / frame_aspect - 1) > _ASPECT_TOLERANCE:
        warnings.append(
            f"the mask is {mask.shape[1]} x {mask.shape[0]}, the frame {size_px[0]} x {size_px[1]}: "
            "the mask was stretched to the frame's shape"
        )


def _read_mask(
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
        MaskError: if there is no mask, or it cannot be read
    """
    name, on_frames, _ = find_field(sample.dataset, mask_field)
    if on_frames:
        number = frame_number_of(frame_index)
        label = sample.frames[number][name] if number in sample.frames else None
        place = f"in frame {frame_index}"
    else:
        label, place = sample[name], "on this sample"
    if label is None:
        raise MaskError(f"There is no mask in {mask_field!r} {place}")
    try:
        mask = mask_of(label, size_px)
    except (OSError, ValueError) as error:
        if isinstance(error, MaskError):
            raise
        raise MaskError(f"The mask in {mask_field!r} cannot be read: {error}") from error
    if mask is None:
        raise MaskError(f"The {type(label).__name__} in {mask_field!r} {place} has no mask. Boxes alone do not do")
    return mask


def mask_of(label: Any, size_px: tuple[int, int]) -> np.ndarray | None:
    """The mask that a label holds.

    Args:
        label: Segmentation, Detection or Detections
        size_px: (width, height) of the displayed frame, for instance masks

    Returns:
        (H', W') array, nonzero = object; the union where there are several detections;
        None for labels without a mask
    """
    if isinstance(label, fo.Segmentation):
        mask = label.get_mask() if label.has_mask else None
        return mask.any(axis=2) if mask is not None and mask.ndim == 3 else mask
    detections = label.detections if isinstance(label, fo.Detections) else [label]
    union: np.ndarray | None = None
    for detection in detections:
        if detection.has_mask:
            mask = detection.to_segmentation(frame_size=size_px, target=1).mask != 0
            union = mask if union is None else union | mask
    if union is None and not detections:
        return np.zeros((size_px[1], size_px[0]), dtype=bool)
    return union


def _points_from_field(
    sample: fo.Sample | SampleView, options: TrackOptions, size_px: tuple[int, int], warnings: list[str]
) -> Queries:
    assert isinstance(options.points, str)
    name, on_frames, found = find_field(sample.dataset, options.points)
    if isinstance(found, fo.ListField):
        if on_frames:
            raise FieldError(f"The points field {options.points!r} is a list on frames; a list belongs on samples")
        rows = sample[name] or []
        return _not_empty(point_queries(rows), f"The field {options.points!r} holds no points for this sample")
    if on_frames:
        labels = [(frame_index_of(n), sample.frames[n][name]) for n in sorted(sample.frames)]
    else:
        labels = [(options.frame_index, sample[name])]
    rows = list(_first_appearances(labels, size_px))
    inside = [row for row in rows if inside_frame(np.array(row[1:]), size_px)]
    if len(inside) < len(rows):
        warnings.append(f"{len(rows) - len(inside)} of {len(rows)} points in {options.points!r} lie outside the frame")
    return _not_empty(point_queries(inside), f"The field {options.points!r} holds no points for this sample")


def _first_appearances(labels: Sequence[tuple[int, Any]], size_px: tuple[int, int]):
    """Yields (t, x, y) of every point; a keypoint with an index counts in the first frame it is seen in."""
    seen: set[int] = set()
    for t, label in labels:
        keypoints = [] if label is None else label.keypoints if isinstance(label, fo.Keypoints) else [label]
        for keypoint in keypoints:
            hidden = "occluded" in keypoint and keypoint["occluded"]
            if hidden or (keypoint.index is not None and keypoint.index in seen):
                continue
            xy = denormalize_xy(np.array(keypoint.points, dtype=np.float64).reshape(-1, 2), size_px)
            known = xy[np.isfinite(xy).all(axis=1)]
            if keypoint.index is not None and len(known):
                seen.add(keypoint.index)
            for x, y in known.tolist():
                yield t, x, y
