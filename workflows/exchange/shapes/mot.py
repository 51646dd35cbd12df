"""One sample's boxes as lines of the MOT challenge, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from fiftyone.core.collections import SampleCollection

from ....store.tracks.videos import select_videos, video_shape_of
from ....tracker.errors import FormatError, VideoError
from ....tracker.formats.annotation.mot_boxes import MotSequence, read_mot_boxes, write_mot_boxes
from ....tracker.formats.annotation.tracked_shapes import AnnotatedVideo, ShapeTrack
from ....tracker.video.probe import probe
from ..files import SampleFile
from ..options import ExportOptions, ImportOptions
from ..report import BELOW_CONFIDENCE, FileOutcome
from ..targets import ExportTarget
from .choosing import chosen_tracks
from .cvat import read_shape_tracks
from .notes import made_track, numbered
from .to_labels import check_list_target, list_labels_of, store_list_labels

DEFAULT_FIELD = "boxes"


def export_mot(
    samples: SampleCollection, one: SampleFile, target: ExportTarget, fields: Sequence[str], options: ExportOptions
) -> Callable[[], FileOutcome]:
    """Reads one sample's boxes for its file.

    Args:
        samples: a dataset or view; labels that a view hides are not written
        one: the file, and what it is of
        target: the sample, or its source
        fields: frame fields with Detections
        options: of the export

    Returns:
        what writes the file, and tells what was written; it may raise an OutputError

    Raises:
        FormatError: if there are labels and none is a box
        FieldError, VideoError
    """
    left_out: Counter[str] = Counter()
    tracks, video = read_shape_tracks(samples, target.sample_id, fields, left_out)
    boxes = [track for track in tracks if any(shape.kind == "box" for shape in track.shapes)]
    if tracks and not boxes:
        raise FormatError(
            f"{', '.join(fields)} holds no boxes, and MOT holds nothing else. Give a field of Detections, or use "
            "format='csv' for points"
        )
    if len(boxes) < len(tracks):
        left_out["labels that are no boxes"] += len(tracks) - len(boxes)
    boxes, video = chosen_tracks(boxes, video, target.link, options, left_out)
    _count_losses(boxes, left_out)
    try:
        fps = probe(one.media_path).fps or None
    except VideoError:
        fps = None
    about = AnnotatedVideo(Path(one.media_path).name, video.num_frames, video.size_px)

    def write() -> FileOutcome:
        first = options.first_frame
        write_mot_boxes(one.path, about, numbered(boxes), fps=fps, first_frame=first, overwrite=options.overwrite)
        return FileOutcome(
            str(one.path),
            one.sample_id,
            one.media_path,
            num_tracks=len(boxes),
            num_labels=sum(not shape.outside for track in boxes for shape in track.shapes),
            left_out=left_out,
        )

    return write


def _count_losses(boxes: Sequence[ShapeTrack], left_out: Counter[str]) -> None:
    shapes = [shape for track in boxes for shape in track.shapes if not shape.outside]
    left_out["confidences"] += sum("confidence" in shape.notes for shape in shapes)
    left_out["attributes of labels"] += sum(len(shape.attributes) for shape in shapes)
    left_out += Counter()  # without what was counted zero times


def import_mot(samples: SampleCollection, one: SampleFile, options: ImportOptions) -> FileOutcome:
    """Reads one sample's file into a frame field of Detections.

    Args:
        samples: of the dataset
        one: the sample and its file
        options: of the import

    Returns:
        what was read

    Raises:
        FormatError, FieldError, VideoError
    """
    dataset = samples._dataset
    if options.field is not None and not isinstance(options.field, str):
        raise FormatError("A MOT file holds one field of boxes. Give its name alone")
    name = (options.field or DEFAULT_FIELD).removeprefix("frames.")
    left_out: Counter[str] = Counter()
    found = _sure(read_mot_boxes(one.path, first_frame=options.first_frame), options.min_confidence, left_out)
    sample = select_videos(dataset, one.sample_id).first()
    video = video_shape_of(sample, expected_frames=found.num_frames or 0)
    if found.size_px is not None and found.size_px != video.size_px:
        raise FormatError(
            f"{one.path} is of a video of {found.size_px[0]} x {found.size_px[1]} pixels, and this sample's is "
            f"{video.size_px[0]} x {video.size_px[1]}. Import it onto the video that it is of"
        )
    if not found.tracks:
        return FileOutcome(
            str(one.path), one.sample_id, one.media_path, left_out=left_out, warnings=("the file holds no boxes",)
        )
    # nothing is said of keyframes: as one of ours, whose labels say nothing either
    noted = [
        replace(
            made_track(track.label, track.shapes, {"field": name, "kind": "Detections", "index": track.number}),
            number=track.number,
        )
        for track in found.tracks
    ]
    made = list_labels_of(noted, video.size_px, video.num_frames, fill=False)
    check_list_target(dataset, one.sample_id, name, made, overwrite=options.overwrite)
    store_list_labels(dataset, one.sample_id, name, made, overwrite=options.overwrite)
    return FileOutcome(
        str(one.path),
        one.sample_id,
        one.media_path,
        num_tracks=len(found.tracks),
        num_labels=made.num_labels,
        left_out=left_out,
        warnings=tuple(made.warnings),
    )


def _sure(found: MotSequence, min_confidence: float, left_out: Counter[str]) -> MotSequence:
    """The boxes that are sure enough; one without a confidence is."""
    kept = []
    for track in found.tracks:
        shapes = tuple(shape for shape in track.shapes if shape.notes.get("confidence", 1.0) >= min_confidence)
        left_out[BELOW_CONFIDENCE] += len(track.shapes) - len(shapes)
        if shapes:
            kept.append(replace(track, shapes=shapes))
    left_out += Counter()  # without what was counted zero times
    return replace(found, tracks=tuple(kept))
