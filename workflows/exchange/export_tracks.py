"""Tracks out to files of other programs."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fiftyone.core.collections import SampleCollection

from ...store.runs.outcomes import DONE, FAILED, SKIPPED
from ...store.tracks.videos import check_collection
from ...tracker.errors import OptionError, PointTrackingError
from ...tracker.formats.clip import TrackedClip
from ...tracker.formats.output_files import check_free
from ...tracker.models.base import CancelCheck
from ..lifecycle.progress import ProgressOption, ProgressReporter
from ..output_files.side_by_side import SideBySide, usable_cores
from .clips.choosing import check_media, chosen_clip, count_losses
from .clips.from_dataset import read_clip
from .files import SampleFile, planned_files, write_index
from .formats import LABEL_FORMATS, failed_outcome, not_run_outcome
from .options import ExportOptions
from .report import ExchangeReport, FileOutcome
from .targets import ExportTarget, export_targets

_DLC_FOLDER = "labeled-data"


def export_tracks(
    samples: SampleCollection,
    field: str | Sequence[str],
    path: str | os.PathLike[str],
    *,
    format: str = "cvat",
    frame_offset: int | None = None,
    every: int = 1,
    min_confidence: float | None = None,
    min_length: int = 1,
    top: int | None = None,
    names: str = "labels",
    frames: str = "video",
    images: bool = False,
    scorer: str = "point_tracking",
    reconstruct: bool = False,
    overwrite: bool = False,
    skip_existing: bool = False,
    progress: ProgressOption = False,
    cancelled: CancelCheck | None = None,
) -> ExchangeReport:
    """Writes point tracks, and for "cvat" and "mot" other labels, to files of other programs.

    Samples are read one after another and written several at a time; each file appears only when it is complete.

    Args:
        samples: a video dataset or view; labels that a view hides are not written
        field: a frame field with point tracks; for "cvat" also several, and Keypoints, Detections or Polylines; for
            "mot" Detections; "frames." may be left out
        path: with the format's suffix one file, for one sample, or for "csv" and "parquet" for all; without a suffix a
            folder with one file per sample and an `index.json`
        format: "npz", "csv", "parquet", "tapvid", "dlc", "lightning-pose", "slp", "coco", "cvat", "mot", "colmap",
            "rerun", "nuke", "after-effects", "blender" or "3de"; what each holds: docs/exchange.md
        frame_offset: the number that the video's first frame has in the file; None as the format is used to
        every: every k-th frame of the video alone
        min_confidence: positions with less are left out; None = 0.5 for "colmap", else 0
        min_length: tracks that are seen in fewer frames are left out
        top: so many tracks, those with the highest sum of confidence over the frames in which they are seen
        names: "labels": points are named by their nodes or labels, where a format names them; "index": by number
        frames: "video": frame numbers and pixels of the tracked file; "source": of the original that it was made from
        images: also write the pictures: a training set for "dlc" and "lightning-pose", colours for "colmap"
        scorer: who made the positions, for "dlc" and "lightning-pose"
        reconstruct: for "colmap", also the model that the tracks give
        overwrite: replace files that are there
        skip_existing: leave files that are there as they are: an export that was cut off goes on
        progress: None as FiftyOne is configured, True or False, or a function that takes a `Progress`
        cancelled: asked again and again; True ends the export, finished files stay

    Returns:
        the report; `print(report)` says what was written, and what the format cannot hold. In a folder a sample that
        fails is a failure of the report, and the others go on

    Raises:
        CollectionError: if the collection holds no videos or no samples, or one file is to hold several
        OptionError: for an unknown format or suffix, and options outside what is supported
        FieldError: for fields that do not exist or hold something else
        FormatError: for tracks that the format cannot hold at all
        DependencyError: if the format needs a library that is not installed; names it
        OutputExistsError: if a file exists, and replacing it was not asked for
        OutputError: if a file cannot be written; nothing half written is left
    """
    options = ExportOptions(
        format, frame_offset, every, min_confidence, min_length, top, names, frames, images, scorer, reconstruct,
        overwrite, skip_existing,
    )  # fmt: skip
    return run_export(samples, field, path, options, progress=progress, cancelled=cancelled)


def run_export(
    samples: SampleCollection,
    field: str | Sequence[str],
    path: str | os.PathLike[str],
    options: ExportOptions,
    *,
    progress: ProgressOption = False,
    cancelled: CancelCheck | None = None,
) -> ExchangeReport:
    """Does `export_tracks` with checked options."""
    check_collection(samples)
    fields = _checked_fields(field, options)
    targets = export_targets(samples, options.frames)
    planned = _planned(path, targets, options)
    in_folder = not Path(path).suffix or Path(path).is_dir()
    if not options.skip_existing:
        for one in planned:
            check_free(one.path, overwrite=options.overwrite)
    report = ExchangeReport(options.format, "exported")
    with ProgressReporter(progress, len(planned)) as reporter:
        export = _Export(samples, fields, options, reporter, cancelled, report)
        if options.file_format.holds_many and not in_folder:
            export.into_one(planned, targets)
        else:
            try:
                export.into_files(planned, targets, in_folder=in_folder)
            finally:
                if in_folder and report.outcomes:
                    there = {o.path for o in report.outcomes if o.status in (DONE, SKIPPED)}
                    write_index(Path(path), options.format, [one for one in planned if str(one.path) in there])
    return report


def _checked_fields(field: str | Sequence[str], options: ExportOptions) -> list[str]:
    fields = [field] if isinstance(field, str) else list(field)
    if not fields or len(set(fields)) < len(fields):
        raise OptionError(f"Invalid field ({field!r}). Expected a frame field, or several different ones")
    if len(fields) > 1 and options.file_format.module:
        raise OptionError(f"A file of the format {options.format!r} holds one field, and {len(fields)} were named")
    return [name.removeprefix("frames.") if isinstance(name, str) else name for name in fields]


def _planned(path: str | os.PathLike[str], targets: Sequence[ExportTarget], options: ExportOptions) -> list[SampleFile]:
    def training_table(stem: str) -> str:
        return f"{_DLC_FOLDER}/{stem}/CollectedData_{options.scorer}.csv"

    return planned_files(
        path,
        options.file_format.suffix,
        [(target.named_id, target.named_path) for target in targets],
        holds_many=options.file_format.holds_many,
        inside=training_table if options.format == "dlc" and options.images else None,
    )


class _Export:
    """Writes the files of one export; outcomes go into the report."""

    def __init__(
        self,
        samples: SampleCollection,
        fields: Sequence[str],
        options: ExportOptions,
        reporter: ProgressReporter,
        cancelled: CancelCheck | None,
        report: ExchangeReport,
    ) -> None:
        self._samples, self._fields, self._options = samples, fields, options
        self._reporter, self._cancelled, self._report = reporter, cancelled, report
        self._reading = threading.Lock()

    def into_files(self, planned: Sequence[SampleFile], targets: Sequence[ExportTarget], *, in_folder: bool) -> None:
        """A file per sample, several at a time; outcomes stand in the order of the samples."""
        outcomes: dict[SampleFile, FileOutcome] = {}
        target_of = dict(zip(planned, targets, strict=True))

        def attempt(one: SampleFile, _: Callable[[float], None], stopped: CancelCheck) -> FileOutcome:
            if stopped():
                return not_run_outcome(one)
            if self._options.skip_existing and one.path.exists():
                return FileOutcome(str(one.path), one.sample_id, one.media_path, SKIPPED)
            try:
                # FiftyOne keeps what it reads in tables that threads share
                with self._reading:
                    write = self._prepared(one, target_of[one])
                return write()
            except PointTrackingError as error:
                if not in_folder:
                    raise
                return failed_outcome(one, error)

        work = SideBySide(
            planned,
            attempt,
            name_of=lambda one: one.path.name,
            # one more reads while each core writes
            num_workers=usable_cores() + 1,
        )
        try:
            going = work.run(
                outcomes.__setitem__, lambda one: self._told(outcomes[one]), self._reporter, self._cancelled
            )
            self._report.cancelled = not going
        finally:
            self._report.outcomes += [outcomes.get(one) or not_run_outcome(one) for one in planned]

    def into_one(self, planned: Sequence[SampleFile], targets: Sequence[ExportTarget]) -> None:
        """One file for all samples; those that cannot be read are failures, unless there is only one."""
        if self._options.skip_existing and planned[0].path.exists():
            for one in planned:
                self._tell(FileOutcome(str(one.path), one.sample_id, one.media_path, SKIPPED))
            return

        def clips() -> Iterator[TrackedClip]:
            for one, target in zip(planned, targets, strict=True):
                if self._is_cancelled():
                    self._report.outcomes.append(not_run_outcome(one))
                    continue
                try:
                    clip, outcome = self._clip(one, target)
                except PointTrackingError as error:
                    if len(planned) == 1:
                        raise
                    self._tell(failed_outcome(one, error))
                    continue
                yield clip
                self._tell(outcome)

        self._options.file_format.load().write_clips(planned[0].path, clips(), self._options.write_options())

    def _prepared(self, one: SampleFile, target: ExportTarget) -> Callable[[], FileOutcome]:
        """Reads a sample; what is returned writes it, and asks the database nothing."""
        if self._options.format in LABEL_FORMATS:
            return LABEL_FORMATS[self._options.format].prepare(self._samples, one, target, self._fields, self._options)
        clip, outcome = self._clip(one, target)
        module, told = self._options.file_format.load(), self._options.write_options()

        def write() -> FileOutcome:
            return outcome.with_warnings(module.write_clips(one.path, [clip], told) or ())

        return write

    def _clip(self, one: SampleFile, target: ExportTarget) -> tuple[TrackedClip, FileOutcome]:
        """A sample's tracks as they are written, and what will be told of them."""
        left_out: Counter[str] = Counter()
        kept_by = self._options.file_format
        found = read_clip(self._samples, target, self._fields[0])
        warnings = check_media(found, kept_by)
        clip = chosen_clip(found, self._options, left_out)
        count_losses(clip, kept_by, left_out)
        outcome = FileOutcome(
            str(one.path),
            one.sample_id,
            one.media_path,
            num_tracks=clip.tracks.num_points,
            num_labels=int(clip.known.sum()),
            left_out=left_out,
            warnings=tuple(warnings),
        )
        return clip, outcome

    def _tell(self, outcome: FileOutcome) -> None:
        self._report.outcomes.append(outcome)
        self._told(outcome)

    def _told(self, outcome: FileOutcome) -> None:
        words = "could not be exported" if outcome.status == FAILED else "exported"
        self._reporter.finished(f"{Path(outcome.filepath).name} {words}")

    def _is_cancelled(self) -> bool:
        self._report.cancelled = self._report.cancelled or (self._cancelled is not None and self._cancelled())
        return self._report.cancelled
