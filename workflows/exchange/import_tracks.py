"""Tracks in from files of other programs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from fiftyone.core.collections import SampleCollection

from ...store.runs.outcomes import FAILED
from ...store.tracks.videos import check_collection, frame_size_of, select_videos
from ...tracker.errors import FormatError, PointTrackingError, VideoError
from ...tracker.formats.clip import TrackedClip
from ...tracker.models.base import CancelCheck
from ..lifecycle.progress import ProgressOption, ProgressReporter
from .clips.to_dataset import default_layout, store_clip, unsure_warning
from .files import SampleFile, found_files
from .formats import LABEL_FORMATS, failed_outcome, not_run_outcome
from .options import ImportOptions
from .report import ExchangeReport, FileOutcome

DEFAULT_FIELD = "tracks"


def import_tracks(
    samples: SampleCollection,
    field: str | Mapping[str, str] | None,
    path: str | os.PathLike[str],
    *,
    format: str = "cvat",
    frame_offset: int | None = None,
    min_confidence: float = 0.0,
    layout: str | None = None,
    overwrite: bool = False,
    interpolate: bool = True,
    progress: ProgressOption = False,
    cancelled: CancelCheck | None = None,
) -> ExchangeReport:
    """Reads files of other programs into frame fields of the samples that they are of.

    A clip in a file is matched by the id that it holds, by the folder's `index.json` or the id in the file's name, then
    by the video's name; one clip for one sample needs no match.

    Args:
        samples: a video dataset or view
        field: where to put the tracks, "tracks" if None. For "cvat": None = as the file says, which files of
            `export_tracks` do; those of others fill "tracks" (single points), "keypoints", "boxes" and "polylines"; a
            name, where a file holds one field only; or what the file calls them -> names. For "mot": "boxes" if None
        path: of a file, or of a folder of files
        format: "npz", "csv", "parquet", "tapvid", "dlc", "lightning-pose", "slp", "coco", "cvat" or "mot"
        frame_offset: the number that the video's first frame has in the file; None as the format is used to
        min_confidence: for formats that hold a likelihood: points with less count as hidden
        layout: in which tracks are stored (README); None = "objects" for named points of individuals, whose names
            become the field's skeleton, else "points"
        overwrite: replace what the fields hold for these samples; hand labels in a field of tracks are never replaced
        interpolate: for "cvat": frames between the file's keyframes are filled, as the program draws them; such labels
            carry `interpolated=True`, points do not
        progress: None as FiftyOne is configured, True or False, or a function that takes a `Progress`
        cancelled: asked again and again; True ends the import, finished samples stay

    Returns:
        the report; `print(report)` says what was read. In a folder, or of several clips in a file, one that fails is a
        failure of the report, and the others go on

    Raises:
        CollectionError: if the collection holds no videos, or it is not clear which sample a file is of
        OptionError: for an unknown format, and options outside what is supported
        FormatError: for a file that is damaged, of another format or of another video; nothing of it is written
        FieldError: for fields whose name or type does not allow it
        FieldExistsError: if a field holds something, and replacing it was not asked for
        DependencyError: if the format needs a library that is not installed; names it
    """
    options = ImportOptions(format, field, frame_offset, min_confidence, layout, interpolate, overwrite)
    return run_import(samples, path, options, progress=progress, cancelled=cancelled)


def run_import(
    samples: SampleCollection,
    path: str | os.PathLike[str],
    options: ImportOptions,
    *,
    progress: ProgressOption = False,
    cancelled: CancelCheck | None = None,
) -> ExchangeReport:
    """Does `import_tracks` with checked options."""
    check_collection(samples)
    pairs = list(zip(*samples.values(["id", "filepath"]), strict=True))
    kept_in = options.file_format
    keys_of = getattr(kept_in.load(), "read_keys", None) if kept_in.module else None
    found = found_files(path, kept_in.suffix, pairs, keys_of)
    report = ExchangeReport(options.format, "imported")
    with ProgressReporter(progress, len(found)) as reporter:
        for _, group in groupby(found, key=lambda one: one.path):
            clips = list(group)
            report.cancelled = report.cancelled or (cancelled is not None and cancelled())
            if report.cancelled:
                report.outcomes += [not_run_outcome(one) for one in clips]
                continue
            if options.format in LABEL_FORMATS:
                outcomes = [_labels_outcome(samples, clips[0], options, alone=len(found) == 1 and Path(path).is_file())]
            else:
                outcomes = _clip_outcomes(samples, clips, options, alone=len(found) == 1 and Path(path).is_file())
            for outcome in outcomes:
                report.outcomes.append(outcome)
                words = "could not be imported" if outcome.status == FAILED else "imported"
                reporter.finished(f"{Path(outcome.path).name} {words}")
    return report


def _labels_outcome(samples: SampleCollection, one: SampleFile, options: ImportOptions, *, alone: bool) -> FileOutcome:
    try:
        return LABEL_FORMATS[options.format].import_file(samples, one, options)
    except PointTrackingError as error:
        if alone:
            raise
        return failed_outcome(one, error)


def _clip_outcomes(
    samples: SampleCollection, clips: Sequence[SampleFile], options: ImportOptions, *, alone: bool
) -> list[FileOutcome]:
    """Reads one file; its clips are held one after another."""
    wanted = {one.entry: one for one in clips}
    outcomes: dict[int, FileOutcome] = {}
    told = options.read_options(_size_of(samples, clips[0]))
    try:
        for entry, clip in enumerate(options.file_format.load().read_clips(clips[0].path, told)):
            if entry not in wanted:
                continue
            try:
                outcomes[entry] = _stored(samples, wanted[entry], clip, options)
            except PointTrackingError as error:
                if alone:
                    raise
                outcomes[entry] = failed_outcome(wanted[entry], error)
    except PointTrackingError as error:
        if alone:
            raise
        # the rest of a damaged file is not to be had
        outcomes |= {entry: failed_outcome(one, error) for entry, one in wanted.items() if entry not in outcomes}
    for entry, one in wanted.items():
        if entry not in outcomes:
            empty = FormatError(f"{one.path} holds no tracks")
            outcomes[entry] = failed_outcome(one, empty)
    return [outcomes[entry] for entry in sorted(outcomes)]


def _size_of(samples: SampleCollection, one: SampleFile) -> tuple[int, int] | None:
    try:
        return frame_size_of(select_videos(samples._dataset, one.sample_id).first())
    except VideoError:
        return None


def _stored(samples: SampleCollection, one: SampleFile, clip: TrackedClip, options: ImportOptions) -> FileOutcome:
    kept_in = options.file_format
    name = str(options.field or DEFAULT_FIELD).removeprefix("frames.")
    layout = options.layout or default_layout(clip, kept_in.pose)
    made = store_clip(samples._dataset, one.sample_id, clip, name, layout, str(one.path), overwrite=options.overwrite)
    unsure = unsure_warning(clip, options.min_confidence) if kept_in.pose else []
    return FileOutcome(
        str(one.path),
        one.sample_id,
        one.media_path,
        num_tracks=made.num_tracks,
        num_labels=made.num_labels,
        left_out=made.left_out,
        warnings=(*made.warnings, *unsure),
    )
