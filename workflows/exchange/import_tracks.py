"""Tracks in from files of other programs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from fiftyone.core.collections import SampleCollection

from ...store.runs.outcomes import FAILED
from ...store.tracks.videos import check_collection
from ...tracker.errors import FormatError, PointTrackingError
from ...tracker.formats.clip import TrackedClip
from ...tracker.formats.registry import FileFormat
from ...tracker.models.base import CancelCheck
from ..lifecycle.progress import ProgressOption, ProgressReporter
from ..output_files.side_by_side import SideBySide
from .clips.to_dataset import default_layout, store_clip, unsure_warning, without_unsure
from .files import FoundFiles, SampleFile, found_files
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
    by the video's name; one clip for one sample needs no match. Clips that say they are of other videos are left alone,
    and told, where at least one is of these samples.

    Args:
        samples: a video dataset or view
        field: where to put the tracks, "tracks" if None. For "cvat": None = as the file says, which files of
            `export_tracks` do; those of others fill "tracks" (single points), "keypoints", "boxes" and "polylines"; a
            name, where a file holds one field only; or what the file calls them -> names. For "mot": "boxes" if None
        path: of a file, or of a folder of files
        format: "npz", "csv", "parquet", "tapvid", "dlc", "lightning-pose", "slp", "coco", "cvat" or "mot"
        frame_offset: the number that the video's first frame has in the file; None as the format is used to
        min_confidence: for formats that hold a likelihood: points with less count as hidden, boxes with less are left
            out
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
    found = clips_of(samples, path, options.file_format)
    report = ExchangeReport(options.format, "imported", others=found.others)
    groups = [tuple(group) for _, group in groupby(found.files, key=lambda one: one.path)]
    alone = len(found.files) == 1 and Path(path).is_file()
    outcomes: dict[tuple[SampleFile, ...], list[FileOutcome]] = {}
    storing = threading.Lock()

    def attempt(clips: tuple[SampleFile, ...], _: Callable[[float], None], stopped: CancelCheck) -> list[FileOutcome]:
        if stopped():
            return [not_run_outcome(one) for one in clips]
        if options.format in LABEL_FORMATS:
            with storing:
                return [_labels_outcome(samples, clips[0], options, alone=alone)]
        return _clip_outcomes(samples, clips, options, storing, alone=alone)

    with ProgressReporter(progress, len(found.files)) as reporter:

        def finished(clips: tuple[SampleFile, ...]) -> None:
            for outcome in outcomes[clips]:
                words = "could not be imported" if outcome.status == FAILED else "imported"
                reporter.finished(f"{Path(outcome.path).name} {words}")

        work = SideBySide(groups, attempt, name_of=lambda clips: clips[0].path.name, num_samples=len)
        report.cancelled = not work.run(outcomes.__setitem__, finished, reporter, cancelled)
    report.outcomes = [one for clips in groups for one in outcomes.get(clips) or map(not_run_outcome, clips)]
    return report


def clips_of(samples: SampleCollection, path: str | os.PathLike[str], kept_in: FileFormat) -> FoundFiles:
    """The clips at a path that are of some samples, and those that are not.

    Args:
        samples: a video dataset or view
        path: of a file, or of a folder of files
        kept_in: the format

    Raises:
        CollectionError, FormatError: as `import_tracks`
    """
    pairs = list(zip(*samples.values(["id", "filepath"]), strict=True))
    left_out = set(samples._dataset.values("id")) - {sample_id for sample_id, _ in pairs}
    keys_of = getattr(kept_in.load(), "read_keys", None) if kept_in.module else None
    return found_files(path, kept_in.suffix, pairs, keys_of, left_out)


def _labels_outcome(samples: SampleCollection, one: SampleFile, options: ImportOptions, *, alone: bool) -> FileOutcome:
    try:
        return LABEL_FORMATS[options.format].import_file(samples, one, options)
    except PointTrackingError as error:
        if alone:
            raise
        return failed_outcome(one, error)


def _clip_outcomes(
    samples: SampleCollection,
    clips: Sequence[SampleFile],
    options: ImportOptions,
    storing: threading.Lock,
    *,
    alone: bool,
) -> list[FileOutcome]:
    """Reads one file; its clips are held one after another, and stored while no other is."""
    wanted = {one.entry: one for one in clips}
    outcomes: dict[int, FileOutcome] = {}
    try:
        for entry, clip in enumerate(options.file_format.load().read_clips(clips[0].path, options.read_options())):
            if entry not in wanted:
                continue
            try:
                # FiftyOne keeps what it reads in tables that threads share
                with storing:
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


def _stored(samples: SampleCollection, one: SampleFile, clip: TrackedClip, options: ImportOptions) -> FileOutcome:
    kept_in = options.file_format
    clip = without_unsure(clip, options.min_confidence)
    name = str(options.field or DEFAULT_FIELD).removeprefix("frames.")
    layout = options.layout or default_layout(clip, kept_in.pose)
    made = store_clip(
        samples._dataset,
        one.sample_id,
        clip,
        name,
        layout,
        str(one.path),
        overwrite=options.overwrite,
        own_frames=kept_in.own_frames,
    )
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
