"""Propagation: labels that a person drew in a few frames are carried through the others of their videos."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import changing_document, retried
from ...store.database.fields import OWNER_KEY, is_ours, owner_of
from ...store.labels.shapes import check_shapes_field, list_of
from ...store.tracks.videos import check_collection
from ...tracker.errors import FieldError
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.models.registry import load_tracker
from ...tracker.propagation.options import Direction
from ..lifecycle.options import plain
from ..lifecycle.progress import ProgressOption, ProgressReporter
from ..lifecycle.run import attempt_each, choose_key, open_run, run_environment
from .options import PropagateOptions
from .planning.memory import memory_field_of
from .propagate_sample import SamplePropagation
from .report import PropagationReport

_ATTRIBUTES = ("keyframe", "occluded", "interpolated", "outside")
PROPAGATION_DEFAULTS = PropagateOptions(field="labels")


def propagate_labels(
    samples: SampleCollection,
    field: str,
    output_field: str | None = None,
    *,
    tracker: str | Tracker = PROPAGATION_DEFAULTS.tracker,
    tracker_options: Mapping[str, Any] | None = None,
    direction: Direction = PROPAGATION_DEFAULTS.direction,
    frames: tuple[int, int] | None = None,
    classes: Sequence[str] | None = None,
    keep_lost: bool = PROPAGATION_DEFAULTS.keep_lost,
    points_per_object: int = PROPAGATION_DEFAULTS.points_per_object,
    overwrite_unmarked: bool = PROPAGATION_DEFAULTS.overwrite_unmarked,
    run_key: str | None = None,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> PropagationReport:
    """Carries boxes, instance masks, polylines and keypoints from a few frames to the others.

    Labels with `keyframe=True`, and those that do not say, are prompts: they are followed by point tracks, in both
    directions, and never changed. What is derived has `keyframe=False`, `occluded` (fewer than half of the points are
    seen), `confidence`, and `interpolated=True` where too few points were seen, so that it is a straight line between
    two keyframes. Beyond the last keyframe an object ends where it is lost. A keyframe with `outside=True` says that
    the object is gone there. Running again after a correction computes only what lies beside changed keyframes.

    Args:
        samples: a video dataset or view; a view that filters labels or frames chooses the objects, never which frames
            are written
        field: a frame field with Detections, Polylines or Keypoints; "frames." may be left out
        output_field: where to write; None = the same field, beside the prompts. In a field of its own prompts are
            copied, and keyframes that a person changes or adds there are prompts too
        tracker: that follows the points
        tracker_options: what `load_tracker` takes for that name
        direction: "both", "forward" or "backward"; between two keyframes of an object all frames are filled
        frames: numbers of the first and last frame to fill, from 1; None = the whole video
        classes: labels to carry; None = all
        keep_lost: beyond the last keyframe, keep an object that is lost where it was seen last, `occluded` and with
            falling confidence, instead of ending there
        points_per_object: about how many points are tracked for each label
        overwrite_unmarked: labels that do not say whether they are keyframes, of objects that have keyframes, are
            replaced instead of being prompts
        run_key: name of the run record; chosen where not given
        progress: None as FiftyOne is configured, True or False, or a function that takes a `Progress`
        cancelled: asked between chunks of tracking; True ends the run, finished samples stay

    Returns:
        the report; `print(report)` says in words what was done

    Raises:
        CollectionError: if the collection holds no videos
        FieldError: for fields that do not exist or hold something else
        OptionError: for an option outside what is supported
        UnknownTrackerError: for an unknown tracker
        DatabaseError: if the database stays away, or lets this user only read

    The method, what it is built on (MedianFlow: Kalal, Mikolajczyk, Matas, ICPR 2010) and what was measured are in
    docs/propagation.md.
    """
    options = PropagateOptions.picked_from(locals())
    return run_propagation(samples, options, progress=progress, cancelled=cancelled)


def run_propagation(
    samples: SampleCollection,
    options: PropagateOptions,
    *,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> PropagationReport:
    """Does what `propagate_labels` says, for options that are checked already.

    Args:
        samples: a video dataset or view
        options: what the run is told
        progress, cancelled: as for `propagate_labels`

    Returns:
        the report

    Raises:
        the same errors as `propagate_labels`
    """
    started = time.monotonic()
    check_collection(samples)
    dataset = samples._dataset
    check_propagation_fields(dataset, options)
    report = PropagationReport(field=options.field, target_field=options.target_field, tracker=plain(options.tracker))
    reporter = ProgressReporter(progress, len(samples))
    with run_environment(dataset):
        ids, paths = samples.values(["id", "filepath"])
        if not ids:
            return report
        choose_key(dataset, options)  # refuses a taken one before anything is loaded
        tracker = options.tracker
        if isinstance(tracker, str):
            tracker = load_tracker(tracker, **dict(options.tracker_options or {}))
        with open_run(
            dataset,
            options,
            report,
            num_targets=len(ids),
            prepare=lambda key: declare_labels(dataset, options),
            started=started,
        ) as run:
            steps = SamplePropagation(samples, options, tracker, run.owner, cancelled)
            targets = list(zip(ids, paths, strict=True))
            attempt_each(
                run, report, reporter, targets, lambda sample_id, path: steps.attempt(sample_id, path, reporter)
            )
    return report


def check_propagation_fields(dataset: fo.Dataset, options: PropagateOptions) -> None:
    """Refuses fields that do not exist or hold something that cannot be carried, or be written to.

    Args:
        dataset: the dataset
        options: what the run is told

    Raises:
        FieldError: saying what was found
    """
    schema = dataset.get_frame_field_schema(flat=False) or {}
    check_shapes_field(dataset, options.field)
    target = options.target_field
    if is_ours(dataset, target):
        raise FieldError(
            f"The frame field {target!r} holds point tracks of a run. Carry labels into an output field of their own"
        )
    if target in schema:
        check_shapes_field(dataset, target)
        kinds = [schema[name].document_type.__name__ for name in (options.field, target)]
        if kinds[0] != kinds[1]:
            raise FieldError(
                f"The frame field {target!r} holds {kinds[1]}, and {options.field!r} holds {kinds[0]}. "
                "Choose an output field of the same type, or a new one"
            )
        if schema[target].read_only:
            raise FieldError(f"The frame field {target!r} is read-only. Choose another output field")
    _check_attributes(dataset, options)
    memory = dataset.get_field_schema(flat=False).get(memory_field_of(target))
    if memory is not None and owner_of(memory) is None:
        raise FieldError(
            f"The sample field {memory_field_of(target)!r} exists and is not ours, but carrying labels into {target!r} "
            "needs that name. Choose another output field, or rename that one"
        )


def _check_attributes(dataset: fo.Dataset, options: PropagateOptions) -> None:
    if not dataset.has_frame_field(options.target_field):
        return
    place = list_of(dataset, options.target_field)
    for name in _ATTRIBUTES:
        found = dataset.get_field(f"frames.{place}.{name}")
        if found is not None and not isinstance(found, fo.BooleanField):
            raise FieldError(
                f"The attribute {name!r} of the labels in {options.target_field!r} is a {type(found).__name__}, and "
                "carrying labels needs it to be yes or no. Choose another output field"
            )


def _declare_like(dataset: fo.Dataset, name: str, target: str) -> None:
    """Declares a field like another one, with its attributes and its skeleton."""
    kind = dataset.get_frame_field_schema(flat=False)[name].document_type
    dataset.add_frame_field(target, fo.EmbeddedDocumentField, embedded_doc_type=kind)
    place = list_of(dataset, name)
    known = dataset.get_frame_field_schema(flat=True)
    for path, field in known.items():
        copied = target + path.removeprefix(name)
        if path.startswith(f"{place}.") and path.count(".") == place.count(".") + 1 and copied not in known:
            dataset.add_frame_field(copied, type(field), **_inner(field))
    if name in dataset.skeletons:
        dataset.skeletons = {**dataset.skeletons, target: dataset.skeletons[name]}
        dataset.save()


def _inner(field: fo.Field) -> dict[str, Any]:
    """What a field's type alone does not say."""
    if isinstance(field, fo.ListField):
        return {"subfield": field.field}
    if isinstance(field, fo.EmbeddedDocumentField):
        return {"embedded_doc_type": field.document_type}
    return {}


@retried
def declare_labels(dataset: fo.Dataset, options: PropagateOptions) -> None:
    """Declares the output field, the attributes of carried labels, and the field that remembers; keeps what exists.

    Args:
        dataset: the dataset
        options: what the run is told
    """
    target, memory = options.target_field, memory_field_of(options.target_field)
    with changing_document:
        if not dataset.has_frame_field(target):
            _declare_like(dataset, options.field, target)
        for name in _ATTRIBUTES:
            dataset.add_frame_field(f"{list_of(dataset, target)}.{name}", fo.BooleanField)
        if not dataset.has_sample_field(memory):
            dataset.add_sample_field(
                memory,
                fo.DictField,
                description=f"What the labels in frames.{target} were carried from; read by point tracking",
                info={OWNER_KEY: {"label_field": target}},
            )
