"""Tracks up to a CVAT server, as the few keyframes that a person needs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ....store.database.fields import check_label_name
from ....store.database.frame_documents import FrameStore
from ....store.labels.frame_labels import read_values
from ....store.labels.label_writer import declare_list_field, write_labels
from ....store.labels.shapes import check_shapes_field
from ....store.tracks.sample_status import read_marks
from ....store.tracks.videos import VideoShape, check_collection, fill_metadata, select_videos, video_shape_of
from ....tracker.coordinates import column_of
from ....tracker.errors import AnnotationError, CollectionError, FieldError, FieldExistsError, OptionError
from ....tracker.formats.annotation.keyframes import DEFAULT_TOLERANCE_PX
from ....tracker.formats.annotation.tracked_shapes import ShapeTrack
from ..shapes.from_labels import shape_tracks_of
from ..shapes.notes import TRACKS, numbered
from .report import AnnotationTask
from .task_fields import (
    COPY_ATTRIBUTES,
    copied_labels,
    copy_field_of,
    keyframes_of,
    label_schema,
    list_kind,
    returned_field_of,
)

# they renumber the task's frames, cut tracks where a job ends, or say what is said here
_REFUSED = ("frame_start", "frame_stop", "frame_step", "segment_size", "backend", "label_schema", "label_field")
_LONGEST_CLASS = 64


def annotate_tracks(
    samples: SampleCollection,
    field: str,
    anno_key: str,
    *,
    url: str | None = None,
    username: str | None = None,
    password: str | None = None,
    tolerance_px: float = DEFAULT_TOLERANCE_PX,
    **options: Any,
) -> AnnotationTask:
    """Sends tracks, boxes or polylines to a CVAT server, where a person corrects their keyframes.

    Each track is sent as keyframes: where it was asked for or corrected, where it begins and ends and its occlusion
    changes, and as few more as keep straight lines between them within `tolerance_px`. They are sent from a copy of the
    field, `<field>_<anno_key>`, made for the task; the field itself is not changed. One task per video.

    Args:
        samples: a video dataset or view; labels that a view hides are not sent
        field: a frame field with point tracks (layout "points" or "objects"), Keypoints, Detections or Polylines;
            "frames." may be left out
        anno_key: a name for the run, by which `load_corrections` finds it
        url, username, password: of the server; None = as FiftyOne is configured, else the user is asked
        tolerance_px: how far a position may be from the line between two keyframes
        options: further ones of FiftyOne's CVAT backend, such as `task_name`, `project_name`, `organization`,
            `headers`

    Returns:
        what was sent; `print(task)` says it in words

    Raises:
        CollectionError: if the collection holds no videos, or nothing that can be sent
        FieldError: for a field that does not exist or holds something else
        FieldExistsError: if the copy's field exists
        OptionError: for a key that is taken or no name, or options that cannot be used here
        AnnotationError: if the server cannot be reached or refuses; nothing is left in the dataset
    """
    check_collection(samples)
    dataset = samples._dataset
    name = check_shapes_field(dataset, field)
    copy_field = _check(dataset, name, anno_key, tolerance_px, options)
    given = {"url": url, "username": username, "password": password}
    options.update({key: value for key, value in given.items() if value is not None})
    fill_metadata(samples)
    task, left_out, classes = AnnotationTask(anno_key, name, copy_field), Counter[str](), set[str]()
    ids = []
    try:
        for sample_id in samples.values("id"):
            tracks, video = _tracks_of(samples, sample_id, name, left_out)
            if tracks:
                ids.append(sample_id)
                classes |= {track.label for track in tracks}
                _write_copy(dataset, sample_id, tracks, video, task, tolerance_px)
        if not ids:
            raise CollectionError(f"The field {name!r} holds nothing of these samples that can be sent")
        _check_classes(classes)
        _send(dataset, ids, anno_key, label_schema(dataset, copy_field, sorted(classes)), options)
    except BaseException:
        forget_task(dataset, name, anno_key)
        raise
    task.num_samples = len(ids)
    task.left_out = [f"{number:,} x {what}" for what, number in sorted(left_out.items())]
    return task


def forget_task(dataset: fo.Dataset, field: str, anno_key: str) -> None:
    """Removes what a task left in the dataset: its fields and FiftyOne's record of it; nothing on the server.

    Args:
        dataset: the dataset
        field: that was sent, without "frames."
        anno_key: of the run
    """
    for name in (copy_field_of(field, anno_key), returned_field_of(field, anno_key)):
        if dataset.has_frame_field(name):
            dataset.delete_frame_field(name)
    if dataset.has_annotation_run(anno_key):
        dataset.delete_annotation_run(anno_key)


def _check(dataset: fo.Dataset, name: str, anno_key: str, tolerance_px: float, options: dict[str, Any]) -> str:
    if not isinstance(anno_key, str) or not anno_key.isidentifier():
        raise OptionError(f"Invalid anno_key ({anno_key!r}). A name consists of letters, digits and underscores")
    if dataset.has_annotation_run(anno_key):
        raise OptionError(
            f"There is an annotation run {anno_key!r} already. Load its corrections, take another name, or delete it: "
            f"dataset.delete_annotation_run({anno_key!r})"
        )
    if not (isinstance(tolerance_px, int | float) and 0 <= tolerance_px < float("inf")):
        raise OptionError(f"Invalid tolerance_px ({tolerance_px!r}). Expected pixels, 0 or more")
    refused = sorted(set(options) & set(_REFUSED))
    if refused:
        raise OptionError(f"{', '.join(refused)} cannot be used here: the copied field is sent in one piece")
    copy_field = check_label_name(copy_field_of(name, anno_key))
    for taken in (copy_field, returned_field_of(name, anno_key)):
        if dataset.has_frame_field(taken):
            raise FieldExistsError(
                f"The frame field {taken!r} exists, and this task needs that name. Choose another anno_key"
            )
    return copy_field


def _tracks_of(
    samples: SampleCollection, sample_id: str, name: str, left_out: Counter[str]
) -> tuple[list[ShapeTrack], VideoShape]:
    """A sample's tracks as they are sent, numbered from 1, and its video."""
    dataset = samples._dataset
    values = read_values(samples, sample_id, f"frames.{name}", 0)
    latest = max((t for t, _ in values.frames), default=-1) if values is not None else -1
    video = video_shape_of(select_videos(dataset, sample_id).first(), expected_frames=latest + 1)
    if values is None:
        return [], video
    mark = read_marks(dataset, [sample_id], name).get(sample_id)
    if mark is not None and mark.layout == "frame":
        raise FieldError(
            f"The tracks in {name!r} are stored in the layout 'frame', in which single points cannot be corrected. "
            "Track again with layout='points'"
        )
    found = shape_tracks_of(values, mark, video, left_out)
    shown = [track for track in found if not all(shape.outside for shape in track.shapes)]
    if shown and shown[0].notes.get("kind") == TRACKS:
        return numbered(shown), video
    # the indices of labels need not be unique in a field
    return [replace(track, number=number) for number, track in enumerate(shown, start=1)], video


def _write_copy(
    dataset: fo.Dataset,
    sample_id: str,
    tracks: list[ShapeTrack],
    video: VideoShape,
    task: AnnotationTask,
    tolerance_px: float,
) -> None:
    stored = (FrameStore(dataset, task.label_field).mark(sample_id) or {}).get("query_t")
    keyframes = [keyframes_of(track, _query_frames(stored, track), tolerance_px) for track in tracks]
    declare_list_field(dataset, task.copy_field, list_kind(tracks), COPY_ATTRIBUTES)
    labels = copied_labels(tracks, keyframes, video.size_px)
    write_labels(dataset, sample_id, task.copy_field, labels, overwrite=True)
    task.num_tracks += len(tracks)
    task.num_keyframes += sum(map(len, keyframes))
    task.num_labels += sum(map(len, labels.values()))


def _query_frames(stored: Any, track: ShapeTrack) -> list[int]:
    """The frames that a track was asked for in, as far as the sample's mark says."""
    if isinstance(stored, int):
        return [stored]
    index = track.notes.get("index")
    if isinstance(stored, list) and isinstance(index, int) and 0 < index <= len(stored):
        return [int(stored[column_of(index)])]
    return []


def _check_classes(classes: set[str]) -> None:
    long = next((label for label in sorted(classes) if len(label) > _LONGEST_CLASS), None)
    if long is not None:
        raise FieldError(f"The label {long!r} has more than {_LONGEST_CLASS} characters, which CVAT does not take")


def _send(dataset: fo.Dataset, ids: list[str], anno_key: str, schema: dict[str, Any], options: dict[str, Any]) -> None:
    view = dataset.select(ids, ordered=True)
    given = {"launch_editor": False, **options}
    try:
        view.annotate(anno_key, backend="cvat", label_schema=schema, **given)
    except Exception as error:
        # the client raises exceptions of no type of its own
        raise AnnotationError(
            f"The CVAT server did not take the task: {error}. Check its address, the user and the server's log; a task "
            "without annotations may be left there"
        ) from error
