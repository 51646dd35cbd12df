"""A person's corrections down from a CVAT server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from ....store.database.label_lists import LabelLists
from ....store.labels.objects import LISTS
from ....store.labels.shapes import list_of
from ....store.tracks.imported_numbers import number_array
from ....store.tracks.videos import frame_size_of, select_videos, videos_of
from ....tracker.coordinates import clamped_to_frame, denormalize_xy, frame_index_of
from ....tracker.errors import AnnotationError, FieldError, OptionError
from ....tracker.models.base import Tracker
from ...correction.correct_tracks import correct_tracks
from ...correction.edit_tracks import hide_tracks, remove_tracks
from .annotate_tracks import forget_task
from .comparing import ReturnedShape, SentShape, TrackChanges, by_track, changes_of_track
from .corrected_labels import apply_to_labels
from .report import CorrectionsLoaded
from .task_fields import NUMBER, copy_field_of, returned_field_of

_FRAMES = "frames."
Document = Mapping[str, Any]


def load_corrections(
    samples: SampleCollection,
    anno_key: str,
    *,
    url: str | None = None,
    username: str | None = None,
    password: str | None = None,
    retrack: bool = True,
    tracker: str | Tracker | None = None,
    cleanup: bool = False,
    **options: Any,
) -> CorrectionsLoaded:
    """Loads what a person corrected in the task of `annotate_tracks`, and follows the tracks again from it.

    Only keyframes count: those that were moved by more than rounding, added or deleted, stretches in which an object
    was said not to be there or to be hidden, and tracks that were deleted. The straight lines that the server draws
    between keyframes are thrown away. Point tracks are corrected as by `correct_tracks`, `hide_tracks` and
    `remove_tracks`. Of boxes and polylines the corrected ones become keyframes of the field: `propagate_labels` then
    carries them to the frames between.

    Args:
        samples: the dataset, or a view of it
        anno_key: of the run
        url, username, password: of the server; None = as FiftyOne is configured, else the user is asked
        retrack: follow corrected point tracks again; False only stores the corrections
        tracker: that follows them; None = the one that made the tracks
        cleanup: delete the task on the server too
        options: further ones of FiftyOne's CVAT backend, such as `headers`

    Returns:
        the report; `print(report)` says what was changed. The copy of the field and the run go, so that the key is free
        again; where something fails they stay, and it can be done again

    Raises:
        OptionError: if there is no such run
        FieldError: if the field or its copy is gone, or holds something else by now
        AnnotationError: if the server cannot be reached, or its answer cannot be read; nothing is changed
        QueryError, ClaimError, WriteError: where the corrections cannot be applied
    """
    dataset = samples._dataset
    field = _field_of(dataset, anno_key)
    given = {"url": url, "username": username, "password": password}
    options.update({key: value for key, value in given.items() if value is not None})
    answered = _download(dataset, field, anno_key, options)
    report = CorrectionsLoaded(anno_key, field)
    copies, returned = (
        LabelLists(dataset, list_of(dataset, name))
        for name in (copy_field_of(field, anno_key), returned_field_of(field, anno_key))
    )
    for sample in select_videos(dataset, _sample_ids(dataset, copy_field_of(field, anno_key))):
        if sample.id not in answered:
            report.warnings.append((sample.filepath, "its task is no longer on the server: nothing was loaded"))
            continue
        before = report.num_changes
        _correct_sample(sample, copies, returned, report, retrack=retrack, tracker=tracker)
        report.num_samples += report.num_changes > before
    if cleanup:
        _delete_tasks(dataset, anno_key, options)
    forget_task(dataset, field, anno_key)
    return report


def _field_of(dataset: fo.Dataset, anno_key: str) -> str:
    """The field that a run of ours is about."""
    if not dataset.has_annotation_run(anno_key):
        known = ", ".join(dataset.list_annotation_runs()) or "none"
        raise OptionError(f"There is no annotation run {anno_key!r}. Runs of this dataset: {known}")
    schema = getattr(dataset.get_annotation_info(anno_key).config, "label_schema", None) or {}
    copy_field = next(iter(schema), "").removeprefix(_FRAMES)
    suffix = f"_{anno_key}"
    attributes = next(iter(schema.values()), {}).get("attributes") or {}
    if len(schema) != 1 or not copy_field.endswith(suffix) or NUMBER not in attributes:
        raise OptionError(
            f"The annotation run {anno_key!r} was not made by annotate_tracks. Load it with "
            f"dataset.load_annotations({anno_key!r})"
        )
    field = copy_field.removesuffix(suffix)
    for name in (field, copy_field):
        if not dataset.has_frame_field(name):
            raise FieldError(
                f"The frame field {name!r} was deleted since the task was made, so there is nothing to compare with. "
                f"Delete the run (dataset.delete_annotation_run({anno_key!r})) and send the tracks again"
            )
    return field


def _download(dataset: fo.Dataset, field: str, anno_key: str, options: Mapping[str, Any]) -> set[str]:
    """Loads the server's answer into a field of its own; returns the samples whose tasks answered.

    FiftyOne passes over tasks that are gone, which must not be taken for a person who deleted all tracks.
    """
    target = returned_field_of(field, anno_key)
    if dataset.has_frame_field(target):
        dataset.delete_frame_field(target)  # of a call that did not end
    try:
        dataset.load_annotations(anno_key, dest_field=_FRAMES + target, unexpected="ignore", **options)
        frames = dataset.load_annotation_results(anno_key, **options).frame_id_map
    except Exception as error:
        # the client raises exceptions of no type of its own
        if dataset.has_frame_field(target):
            dataset.delete_frame_field(target)
        raise AnnotationError(
            f"The corrections of {anno_key!r} could not be loaded from CVAT: {error}. Nothing was changed; check the "
            "server and load them again"
        ) from error
    answered = {frame["sample_id"] for of_task in frames.values() for frame in of_task.values()}
    if not answered:
        raise AnnotationError(
            f"The tasks of {anno_key!r} are no longer on the server. Nothing was changed; send the tracks again under "
            "another key"
        )
    return answered


def _delete_tasks(dataset: fo.Dataset, anno_key: str, options: Mapping[str, Any]) -> None:
    """Deletes the tasks on the server, after what they say was stored."""
    try:
        dataset.load_annotation_results(anno_key, **options).cleanup()
    except Exception as error:
        raise AnnotationError(
            f"The corrections of {anno_key!r} are stored, but its tasks could not be deleted on the server: {error}. "
            f"Delete them there, and the run here: dataset.delete_annotation_run({anno_key!r})"
        ) from error


def _sample_ids(dataset: fo.Dataset, copy_field: str) -> list[str]:
    kind = list_of(dataset, copy_field)
    ids, numbers = videos_of(dataset).values(["id", f"{_FRAMES}{kind}.{NUMBER}"])
    return [sample_id for sample_id, frames in zip(ids, numbers, strict=True) if any(frame for frame in frames or ())]


def _correct_sample(
    sample: fo.Sample,
    copies: LabelLists,
    returned: LabelLists,
    report: CorrectionsLoaded,
    *,
    retrack: bool,
    tracker: str | Tracker | None,
) -> None:
    size_px = frame_size_of(sample)
    sent: dict[int, dict[int, SentShape]] = {}
    for number, labels in copies.read(sample.id).items():
        for label in labels:
            sent.setdefault(int(label[NUMBER]), {})[int(frame_index_of(number))] = _sent(label, size_px)
    found = [
        (_number(label, sent), int(frame_index_of(number)), _returned(label, size_px), label.get("index"))
        for number, labels in returned.read(sample.id).items()
        for label in labels
    ]
    if not found:
        report.warnings.append(
            (sample.filepath, "its task holds no track at all: nothing was removed; remove_tracks does that")
        )
        return
    shapes, doubles = by_track((track, t, shape) for track, t, shape, _ in found)
    if doubles:
        report.warnings.append((sample.filepath, f"{doubles} labels are copies of a track in the same frame: left out"))
    changes = {number: changes_of_track(labels, shapes.get(number, {})) for number, labels in sorted(sent.items())}
    changes = {number: change for number, change in changes.items() if not change.is_empty or change.num_deleted}
    new: dict[Any, dict[int, ReturnedShape]] = {}
    for track, t, shape, index in found:
        if track is None:
            new.setdefault(index, {})[t] = shape
    _count(report, changes, new)
    if copies.path.endswith(LISTS["Keypoints"]) and not any(one.source_id for t in sent.values() for one in t.values()):
        _correct_points(sample, changes, new, size_px, report, retrack=retrack, tracker=tracker)
    else:
        apply_to_labels(sample, report, sent, changes, new, size_px)


def _count(
    report: CorrectionsLoaded, changes: Mapping[int, TrackChanges], new: Mapping[Any, Mapping[int, ReturnedShape]]
) -> None:
    for change in changes.values():
        report.num_moved += change.num_moved
        report.num_added += change.num_added
        report.num_deleted += change.num_deleted
        report.num_gone += len(change.gone) + len(change.occluded)
        report.num_removed += change.removed
    report.num_new += len(new)


def _correct_points(
    sample: fo.Sample,
    changes: Mapping[int, TrackChanges],
    new: Mapping[Any, Mapping[int, ReturnedShape]],
    size_px: tuple[int, int],
    report: CorrectionsLoaded,
    *,
    retrack: bool,
    tracker: str | Tracker | None,
) -> None:
    """Corrects point tracks: what was removed and hidden first, since that takes corrections away."""
    field = report.label_field
    removed = [index for index, change in changes.items() if change.removed]
    if removed:
        remove_tracks(sample, field, removed)
    spans: dict[tuple[int, int], list[int]] = {}
    for index, change in changes.items():
        for first, last in [*change.gone, *change.occluded]:
            spans.setdefault((first, last), []).append(index)
    for (first, last), indices in sorted(spans.items()):
        hide_tracks(sample, field, indices, first, last + 1)
    placed = []
    for index, change in changes.items():
        for t, shape in sorted(change.placed.items()):
            if len(shape.xy) != 1:
                report.warnings.append(
                    (sample.filepath, f"track {index} has {len(shape.xy)} points in frame {t}: left out")
                )
            elif not shape.occluded:
                x, y = clamped_to_frame(shape.xy[0], size_px).tolist()
                placed.append((index, t, x, y))
            else:
                report.warnings.append(
                    (sample.filepath, f"track {index} is hidden in frame {t}, where it was moved: left out")
                )
    if placed:
        correct_tracks(sample, field, placed, retrack=retrack, tracker=tracker, progress=False)
    if new:
        report.new_points[sample.id] = [
            (
                next(iter(shapes.values())).label or "",
                [(t, float(s.xy[0, 0]), float(s.xy[0, 1])) for t, s in sorted(shapes.items()) if s.keyframe],
            )
            for shapes in new.values()
        ]
        report.warnings.append(
            (sample.filepath, f"{len(new)} point tracks were drawn anew: track them from report.new_points")
        )


def _number(label: Document, sent: Mapping[int, Any]) -> int | None:
    """The number of the track that a returned label is of; None where it is of none that was sent."""
    value = label.get(NUMBER)
    return int(value) if isinstance(value, int | float) and int(value) in sent else None


def _sent(label: Document, size_px: tuple[int, int]) -> SentShape:
    return SentShape(
        _pixels(label, size_px),
        bool(label.get("keyframe")),
        bool(label.get("occluded")),
        label.get("source_id"),
        int(label.get("source_part") or 0),
    )


def _returned(label: Document, size_px: tuple[int, int]) -> ReturnedShape:
    return ReturnedShape(
        _pixels(label, size_px), bool(label.get("keyframe")), bool(label.get("occluded")), label.get("label")
    )


def _pixels(label: Document, size_px: tuple[int, int]) -> np.ndarray:
    """(K, 2) pixels of a label: a box has its two corners."""
    if label["_cls"] == "Detection":
        sides = number_array(label["bounding_box"])
        return denormalize_xy(np.stack([sides[:2], sides[:2] + sides[2:]]), size_px)  # (2, 2)
    points = label["points"][0] if label["_cls"] == "Polyline" else label["points"]
    return denormalize_xy(number_array([list(point) for point in points]).reshape(-1, 2), size_px)
