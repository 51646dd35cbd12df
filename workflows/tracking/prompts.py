"""What to track in a sample: a grid, a mask, points, or points kept in a field.

Adding a prompt: a function here that reads it from one sample and returns a
`Prompt` in pixels of the displayed frame, a branch in `prompt_of`, and
its check in `check_prompt_fields` so that a wrong field is refused before the run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection
from fiftyone.core.sample import SampleView

from ...store.database.connection import retried
from ...store.database.fields import type_name
from ...store.labels.fields import find_field, has_field, selectable
from ...store.labels.frame_labels import LIST_FIELDS, FieldValues, read_values, values_of
from ...store.labels.masks import MASK_TYPES, read_instance_masks, read_mask
from ...store.labels.prompts.points import check_points_field, read_points
from ...store.labels.views import shown_samples
from ...store.tracks.source_links import FILEPATH
from ...store.tracks.track_names import TrackNames
from ...tracker.errors import FieldError, NoPromptError, OptionError, PointTrackingError, QueryError, VideoError
from ...tracker.models.base import Tracker
from ...tracker.models.recommendation import passes_warning
from ...tracker.queries import grid_queries, inside_queries, point_queries
from ...tracker.queries.ground import Ground, featureless_queries
from ...tracker.queries.texture import snapped_queries, texture_map, usual_size
from ...tracker.types import Queries
from ...tracker.video.frames import VideoFrames
from .options import LEAVE_OUT, SNAP_TO_TEXTURE, TRACK_DEFAULTS, TrackOptions

logger = logging.getLogger(__name__)

_ASPECT_TOLERANCE = 0.02
_HIDDEN = "The view hides all that {field!r} holds for this sample"
# share of the declared frames that a file is believed to hold
_SURELY_THERE = 0.5


def reads_masks_of_sources(dataset: fo.Dataset, destination: fo.Dataset, options: TrackOptions) -> bool:
    """Whether the mask field is one of the sources that copies were made from, in their own dataset.

    Args:
        dataset: that is tracked
        destination: that is written to
        options: what the run is told
    """
    if options.mask_field is None or dataset.name == destination.name:
        return False
    return not has_field(dataset, options.mask_field) and has_field(destination, options.mask_field)


def check_prompt_fields(dataset: fo.Dataset, destination: fo.Dataset, options: TrackOptions) -> None:
    """Refuses prompt fields that do not exist or cannot hold the prompt.

    Args:
        dataset: that is tracked
        destination: that is written to
        options: what the run is told

    Raises:
        FieldError: saying what was found and what is supported
        OptionError: for options that belong to another kind of prompt
    """
    _check_rules(options)
    if options.mask_field is not None:
        of_sources = reads_masks_of_sources(dataset, destination, options)
        _, on_frames, found = find_field(destination if of_sources else dataset, options.mask_field)
        if on_frames and (of_sources or options.media_field != FILEPATH):
            raise FieldError(
                f"The masks in {options.mask_field!r} belong to the source's frames, which preprocessed media does "
                "not all have. Use a mask field on samples"
            )
        if getattr(found, "document_type", None) not in MASK_TYPES:
            raise FieldError(
                f"The mask field {options.mask_field!r} holds {type_name(found)}. "
                "Supported are Segmentation, Detections and Detection with instance masks"
            )
    if isinstance(options.points, str):
        _, _, found = find_field(dataset, options.points)
        check_points_field(options.points, found)
        if isinstance(found, LIST_FIELDS):
            _refuse_rules_of_labels(options, f"{options.points!r} is a list of numbers")


@dataclass(frozen=True, eq=False)
class Prompt:
    """What to track in a sample.

    Args:
        queries: N points in pixels of the displayed frame; frames of the source video
        names: what they are called, where they come from labels
    """

    queries: Queries
    names: TrackNames | None = None


@retried
def sample_prompt(
    samples: SampleCollection, sample_id: str, options: TrackOptions, video: VideoFrames, warnings: list[str]
) -> Prompt:
    """What to track in one sample.

    Args:
        samples: a dataset or view; a view that filters labels or frames chooses what is tracked
        sample_id: the sample
        options: what the run is told
        video: of the sample
        warnings: receives what the user should know, in words

    Returns:
        the prompt

    Raises:
        NoPromptError: if the sample has nothing to track from
        EmptyQueriesError: if the prompt selects no point
        MaskError: if the sample's mask cannot be read
        QueryError: for points that are no (t, x, y)
    """
    sample = None
    if isinstance(options.points, str):
        _check_rules(options)
        values = read_values(samples, sample_id, options.points, options.frame_index)
        if values is None:
            raise NoPromptError(_HIDDEN.format(field=options.points))
        return _from_field(values, options, video, warnings)
    if options.mask_field is not None:
        view = shown_samples(samples, sample_id).select_fields(selectable(samples._dataset, options.mask_field))
        sample = next(iter(view), None)
        if sample is None:
            raise NoPromptError(_HIDDEN.format(field=options.mask_field))
    return prompt_of(sample, sample_id, options, video, warnings)


def settled_prompt(
    samples: SampleCollection,
    sample_id: str,
    options: TrackOptions,
    video: VideoFrames,
    tracker: Tracker,
    warnings: list[str],
) -> tuple[Prompt, int]:
    """What to track in one sample, once points of a grid on featureless ground are dealt with as the options say.

    Points of masks and labels, and points that were given, stay; how many lie on such ground is told of all. Warns
    where the tracker goes through the video once for each of many query frames.

    Args:
        samples, sample_id, options, video, warnings: as for `sample_prompt`
        tracker: whose working size the ground is looked at in

    Returns:
        the prompt, and how many of its points lie on featureless ground

    Raises:
        EmptyQueriesError: if no point is left
        and the errors of `sample_prompt`
    """
    prompt = sample_prompt(samples, sample_id, options, video, warnings)
    queries, total = prompt.queries, len(prompt.queries)
    slow = passes_warning(tracker.name, tracker.capabilities.num_passes(queries))
    if slow is not None:
        warnings.append(slow)
    reading = tracker.first_reading(video.size_px, queries) if total else None
    size_px = usual_size(video.size_px) if reading is None else reading[1]
    is_grid = queries.origin == "grid"
    try:
        if is_grid and options.featureless == SNAP_TO_TEXTURE:
            queries, moved = snapped_queries(queries, _frame_of(video, int(queries.t[0]), size_px), video.size_px)
            if moved:
                warnings.append(f"{moved} of {total} points were moved from featureless ground to the nearest corner")
        weak, ground = featureless_queries(
            queries, video.size_px, lambda index: texture_map(_frame_of(video, index, size_px))
        )
    except VideoError:  # what is wrong is told where tracking begins
        return prompt, 0
    if is_grid and options.featureless == LEAVE_OUT and ground.number:
        queries = queries.chosen(~weak).require_any(
            f"All {total} points lie on featureless ground, such as sky or a plain wall. Keep them, or give points"
        )
        warnings.append(f"{ground}: left out")
        ground = Ground()
    elif ground.is_worth_saying:
        warnings.append(f"{ground}, where tracks are wrong far more often")
    return replace(prompt, queries=queries), ground.number


def _frame_of(video: VideoFrames, index: int, size_px: tuple[int, int]) -> np.ndarray:
    return video.read([index], size_px=size_px)[0]


def ground_before(samples: SampleCollection, options: TrackOptions, most_samples: int = 3) -> Ground:
    """How many of the points that a run will track lie on featureless ground, in the first of its videos.

    Args:
        samples: a dataset or view
        options: what the run will be told
        most_samples: that are looked at, each in two frames at most

    Returns:
        numbers of all videos that are looked at together; samples whose prompt or video cannot be read count nothing
    """
    ground = Ground()
    for sample_id, path in zip(*samples[:most_samples].values(["id", options.media_field]), strict=True):
        try:
            video = VideoFrames(path)
            queries = sample_prompt(samples, sample_id, options, video, []).queries
            texture_of = partial(_texture_of, path, os.stat(path).st_mtime_ns)
            ground += featureless_queries(queries, video.size_px, texture_of, most_frames=2)[1]
        except (PointTrackingError, OSError, TypeError) as error:  # the run tells what is wrong, of each sample
            logger.debug("The ground in %s is not known: %s", path, error)
    return ground


@lru_cache(maxsize=16)
def _texture_of(path: str, modified_ns: int, frame_index: int) -> np.ndarray:
    """The texture of a frame of a file, which a form asks for again and again."""
    del modified_ns  # another file of that name has another
    video = VideoFrames(path)
    return texture_map(_frame_of(video, frame_index, usual_size(video.size_px)))


def prompt_of(
    sample: fo.Sample | SampleView | None,
    sample_id: str,
    options: TrackOptions,
    video: VideoFrames,
    warnings: list[str],
) -> Prompt:
    """What to track in a sample that is loaded already, as `sample_prompt` says.

    Args:
        sample: with the prompt's field; may be one of a view that filters the
            prompt, or a clip. None where the prompt is no field
        sample_id: the id under which `options.points` may name it
        options, video, warnings: as for `sample_prompt`

    Returns:
        the prompt

    Raises:
        the same errors as `sample_prompt`
    """
    _check_rules(options)
    if isinstance(options.points, str):
        return _from_field(values_of(_given(sample), options.points, options.frame_index), options, video, warnings)
    if isinstance(options.points, Mapping):
        if sample_id not in options.points or not len(options.points[sample_id]):
            raise NoPromptError("No points were given for this sample")
        return Prompt(point_queries(options.points[sample_id]))
    if options.points is not None:
        return Prompt(point_queries(options.points))
    if options.mask_field is not None:
        return Prompt(_queries_on_mask(_given(sample), options.mask_field, options, video.size_px, warnings))
    width, height = video.size_px
    return Prompt(grid_queries(options.grid_size, height=height, width=width, frame_index=options.frame_index))


def _queries_on_mask(
    sample: fo.Sample | SampleView,
    mask_field: str,
    options: TrackOptions,
    size_px: tuple[int, int],
    warnings: list[str],
) -> Queries:
    """The points of a grid that lie on a mask, or about so many on each of its objects."""
    (width, height), frame_index = size_px, options.frame_index
    empty = f"The mask in {mask_field!r} is empty: there is nothing to track"
    if options.points_per_object is not None:
        on_objects = []
        for mask in read_instance_masks(sample, mask_field, frame_index, size_px):
            if not on_objects:
                _warn_about_aspect(mask, size_px, warnings)
            on_objects.append(
                inside_queries(mask, options.points_per_object, height=height, width=width, frame_index=frame_index)
            )
        if not any(len(queries) for queries in on_objects):
            raise NoPromptError(empty)
        return Queries(
            t=np.concatenate([queries.t for queries in on_objects]),
            xy=np.concatenate([queries.xy for queries in on_objects]),  # (N, 2)
            origin="masked_grid",
        )
    mask = read_mask(sample, mask_field, frame_index, size_px)
    if not mask.any():
        raise NoPromptError(empty)
    _warn_about_aspect(mask, size_px, warnings)
    queries = grid_queries(options.grid_size, height=height, width=width, frame_index=frame_index, mask=mask)
    return queries.require_any(
        f"The mask selects none of the {options.grid_size**2} grid points. "
        "Ask for a number of points on the object (points_per_object), or use a larger grid size",
    )


def _from_field(values: FieldValues, options: TrackOptions, video: VideoFrames, warnings: list[str]) -> Prompt:
    if isinstance(values.field, LIST_FIELDS):
        _refuse_rules_of_labels(options, f"{values.name!r} is a list of numbers")
    queries, names = read_points(values, options.prompt_rules, video.size_px, warnings, partial(_num_frames, video))
    return Prompt(queries, names)


def _check_rules(options: TrackOptions) -> None:
    """Refuses what goes with labels where nothing is read from any.

    Raises:
        OptionError: saying so
    """
    if isinstance(options.points, str):
        return
    if options.points_per_object is not None and options.mask_field is None:
        raise OptionError(
            "points_per_object is the number of points on each object of a mask or of a field of labels. Give "
            "mask_field, or points='frames.<field>', as well; or grid_size for a grid over the whole frame"
        )
    _refuse_rules_of_labels(options, "points are asked for " + ("on a mask" if options.mask_field else "without any"))


def _refuse_rules_of_labels(options: TrackOptions, found: str) -> None:
    """Refuses options that only a field of labels gives a meaning."""
    given = [f"layout={options.layout!r}"] if options.layout == "objects" else []
    given += [f"classes={options.classes!r}"] if options.classes is not None else []
    given += [f"prompt_frames={options.prompt_frames!r}"] if options.prompt_frames != "first" else []
    if given:
        raise OptionError(
            f"{given[0]} goes with a field of labels, and {found}. Give one: points='frames.<field>', or leave it out"
        )


def label_queries(
    sample: fo.Sample | SampleView,
    points: str,
    *,
    points_per_object: int | None = TRACK_DEFAULTS.points_per_object,
    classes: Sequence[str] | str | None = TRACK_DEFAULTS.classes,
    prompt_frames: str = TRACK_DEFAULTS.prompt_frames,
    frame_index: int = TRACK_DEFAULTS.frame_index,
) -> Queries:
    """Points to track out of the labels of one video, for `Tracker.track`.

    Args:
        sample: a video sample of a dataset or view; a view that filters labels chooses them
        points: the name of a field of labels, as for `track_dataset`
        points_per_object, classes, prompt_frames: as for `track_dataset`
        frame_index: the frame that labels on the sample itself belong to

    Returns:
        Queries in pixels of the displayed frame, with the labels and objects they are of; tracks made
        of them carry these too, and `write_tracks` stores them. What was left out is logged

    Raises:
        FieldError: if the field cannot hold points
        OptionError: for a value that is not supported
        EmptyQueriesError: if there is nothing to track
        MaskError: if a mask cannot be read
        VideoError: if the video cannot be read
    """
    options = TrackOptions(
        points=points,
        points_per_object=points_per_object,
        classes=classes,
        prompt_frames=prompt_frames,
        frame_index=frame_index,
    )
    warnings: list[str] = []
    prompt = prompt_of(sample, sample.id, options, VideoFrames(sample.filepath), warnings)
    for text in warnings:
        logger.warning("%s: %s", sample.filepath, text)
    return prompt.queries


def _num_frames(video: VideoFrames, last_index: int) -> int:
    """Frames of a video, counted by decoding only where a label is so late that it may lie past their end."""
    declared = video.num_frames_hint
    return video.num_frames if last_index >= declared * _SURELY_THERE else declared


def _given(sample: fo.Sample | SampleView | None) -> fo.Sample | SampleView:
    if sample is None:
        raise QueryError("The prompt is a field, but there is no sample to read it from. Pass the sample as well")
    return sample


def _warn_about_aspect(mask: np.ndarray, size_px: tuple[int, int], warnings: list[str]) -> None:
    mask_aspect, frame_aspect = mask.shape[1] / mask.shape[0], size_px[0] / size_px[1]
    if abs(mask_aspect / frame_aspect - 1) > _ASPECT_TOLERANCE:
        warnings.append(
            f"the mask is {mask.shape[1]} x {mask.shape[0]}, the frame {size_px[0]} x {size_px[1]}: "
            "the mask was stretched to the frame's shape"
        )
