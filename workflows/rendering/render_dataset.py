"""The tracks of many samples as files in a folder; the same call again makes those that are missing."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import LAST_PATIENCE_S, with_retries
from ...store.database.fields import has_label_field
from ...store.database.journal import Journal
from ...store.runs.outcomes import DONE, FAILED, NOT_RUN, SKIPPED
from ...store.tracks.videos import check_collection, holds_nothing, select_videos
from ...tracker.errors import Cancelled, CollectionError, DatabaseError, FieldError
from ...tracker.models.base import CancelCheck
from ...tracker.rendering.output import check_target, render
from ...tracker.transcoding.output_file import remove_abandoned_parts
from ...tracker.types import Tracks
from ..lifecycle.progress import ProgressOption, ProgressReporter
from ..lifecycle.run import open_run, run_environment
from ..output_files.folders import make_folder
from ..output_files.side_by_side import SideBySide
from .options import RENDER_DEFAULTS, RenderOptions
from .render_trails import tracks_of
from .report import RenderOutcome, RenderReport
from .shown_paths import check_shown_paths, store_paths

logger = logging.getLogger(__name__)


def render_dataset(
    samples: SampleCollection,
    label_field: str,
    output_dir: str | os.PathLike[str] | None,
    *,
    suffix: str = RENDER_DEFAULTS.suffix,
    tail: int = RENDER_DEFAULTS.tail,
    color_by: str = RENDER_DEFAULTS.color_by,
    show_hidden: bool = RENDER_DEFAULTS.show_hidden,
    background: str = RENDER_DEFAULTS.background,
    longest_side: int | None = RENDER_DEFAULTS.longest_side,
    keep_audio: bool = RENDER_DEFAULTS.keep_audio,
    compare_field: str | None = None,
    media_field: str | None = None,
    overwrite: bool = RENDER_DEFAULTS.overwrite,
    skip_existing: bool = RENDER_DEFAULTS.skip_existing,
    num_workers: int | None = RENDER_DEFAULTS.num_workers,
    run_key: str | None = None,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> RenderReport:
    """Does `render_trails` for every sample, several at a time, into one folder or beside the videos.

    Files are named after the video, the field and the sample's id. A sample that cannot be rendered is recorded as a
    failure, leaves nothing behind, and the run goes on. After a run whose process died, the same call with
    `skip_existing` makes the files that are missing.

    Args:
        samples: a video dataset or view
        label_field: name of the frame field that holds the tracks, without "frames."
        output_dir: folder for the files, made where it is missing; None = each file beside its video
        suffix: ".mp4", ".png", ".gif" or ".webp"
        tail, color_by, show_hidden, background, longest_side, keep_audio, compare_field: as for `render_trails`
        media_field: name of a sample field for the paths of videos, which the App then offers as media; None = none
        overwrite: replace files that are there
        skip_existing: leave files that are there as they are, whatever they were made from; without it, and without
            `overwrite`, they are failures
        num_workers: videos at the same time; one per core where not given
        run_key: name of the run record; chosen where not given
        progress: None as FiftyOne is configured, True or False, or a function that takes a `Progress`
        cancelled: asked again and again; True ends the run, keeping finished files

    Returns:
        the report; `report.failures` lists what could not be made

    Raises:
        CollectionError: if the collection holds no whole videos
        OptionError: for an option outside what is supported
        FieldError: if there is no such frame field, or the media field cannot be written
        OutputError: if the folder cannot be written to
        DatabaseError: if the database stays away, or lets this user only read
    """
    options = RenderOptions.picked_from(locals())
    return run_rendering(samples, options, progress=progress, cancelled=cancelled)


def run_rendering(
    samples: SampleCollection,
    options: RenderOptions,
    *,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> RenderReport:
    """Does what `render_dataset` says, for options that are checked already.

    Args:
        samples: a video dataset or view
        options: what the run is told
        progress, cancelled: as for `render_dataset`

    Returns:
        the report

    Raises:
        the same errors as `render_dataset`
    """
    started = time.monotonic()
    folder = options.folder
    report = RenderReport(
        label_field=options.label_field,
        output_dir=None if folder is None else str(folder),
        media_field=options.media_field,
    )
    check_collection(samples)
    dataset = samples._dataset
    check_render_fields(dataset, options)
    if holds_nothing(samples):
        return report
    with run_environment(dataset):
        targets = _targets(samples, options)
        if folder is not None:
            make_folder(folder)
        for used in sorted({target.output.parent for target in targets}):
            remove_abandoned_parts(used)
        with open_run(dataset, options, report, num_targets=len(targets), started=started) as run:
            work = _Work(dataset, targets, options, run.journal)
            try:
                with ProgressReporter(progress, len(targets), run.key) as reporter:
                    report.cancelled = not work.run(reporter, cancelled)
            except BaseException:
                _store_at_last(dataset, work, report)
                raise
            _store(dataset, work, report)
    return report


def check_render_fields(dataset: fo.Dataset, options: RenderOptions) -> None:
    """Refuses fields that are not there, and a media field that somebody else made.

    Args:
        dataset: the dataset
        options: what the run is told

    Raises:
        FieldError: saying what was found
    """
    for name in options.fields:
        if not has_label_field(dataset, name):
            raise FieldError(f"There is no frame field {name!r}. Track this dataset first, or check the name")
    if options.media_field is not None:
        check_shown_paths(dataset, options.media_field)


@dataclass(frozen=True)
class _Target:
    """One sample of a run, its video and its file."""

    sample_id: str
    filepath: str
    output: Path

    def outcome(self, status: str, **facts: Any) -> RenderOutcome:
        return RenderOutcome(self.sample_id, self.filepath, status, **facts)


def _targets(samples: SampleCollection, options: RenderOptions) -> list[_Target]:
    ids_and_paths = zip(*samples.values(["id", "filepath"]), strict=True)
    return [_Target(i, path, options.file_of(i, path)) for i, path in ids_and_paths]


class _Work:
    """All files of a run.

    Args:
        dataset: of the samples
        targets: what is to be made
        options: what the run is told
        journal: receives outcomes as they come

    Attributes:
        outcomes: what became of the targets that were reached
    """

    def __init__(self, dataset: fo.Dataset, targets: list[_Target], options: RenderOptions, journal: Journal) -> None:
        self.targets = targets
        self.outcomes: dict[_Target, RenderOutcome] = {}
        self._dataset = dataset
        self._options = options
        self._journal = journal
        self._reading = threading.Lock()
        self._work = SideBySide(
            targets,
            self._attempt,
            name_of=lambda target: Path(target.filepath).name,
            num_workers=options.num_workers,
        )

    def run(self, reporter: ProgressReporter, cancelled: CancelCheck | None) -> bool:
        """Makes the files; returns False where the run was cancelled."""
        return self._work.run(self.outcomes.__setitem__, partial(self._tell, reporter), reporter, cancelled)

    def _tell(self, reporter: ProgressReporter, target: _Target) -> None:
        outcome = self.outcomes[target]
        self._journal.add(asdict(outcome))
        reporter.finished(f"{Path(target.filepath).name}: {outcome.status}")

    def _attempt(self, target: _Target, progress: Callable[[float], None], cancelled: CancelCheck) -> RenderOutcome:
        """Makes one file; whatever is wrong with its sample becomes a failure, and an outage ends the run."""
        if self._options.skip_existing and target.output.exists():
            return target.outcome(SKIPPED, output_path=str(target.output))
        started = time.monotonic()
        try:
            return self._made(target, started, progress, cancelled)
        except Cancelled:
            return target.outcome(NOT_RUN)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - one bad video must not end the run; the reason is recorded
            return target.outcome(
                FAILED,
                kind=type(error).__name__,
                message=str(error) or type(error).__name__,
                seconds=time.monotonic() - started,
            )

    def _made(
        self, target: _Target, started: float, progress: Callable[[float], None], cancelled: CancelCheck
    ) -> RenderOutcome:
        overwrite = self._options.overwrite
        check_target(target.output, overwrite=overwrite)
        tracks, warnings = with_retries(partial(self._read, target), attempt_s=None)
        made = render(
            target.filepath,
            target.output,
            tracks,
            self._options.trails,
            overwrite=overwrite,
            threads=self._work.threads,
            progress=progress,
            cancelled=cancelled,
        )
        written = target.output.stat()
        return target.outcome(
            DONE,
            output_path=made.path,
            num_frames=made.num_frames,
            size_bytes=written.st_size,
            modified_ns=written.st_mtime_ns,
            seconds=time.monotonic() - started,
            warnings=(*made.warnings, *warnings),
        )

    def _read(self, target: _Target) -> tuple[list[tuple[str, Tracks]], list[str]]:
        # FiftyOne keeps what it reads in tables that threads share
        with self._reading:
            sample = next(iter(select_videos(self._dataset, target.sample_id)), None)
            if sample is None:
                raise CollectionError("The sample was deleted since the run began. There is nothing to be done")
            return tracks_of(sample, self._options.fields)


def _store_at_last(dataset: fo.Dataset, work: _Work, report: RenderReport) -> None:
    """As `_store`, for a run that something ended, which stays the error to see."""
    try:
        _store(dataset, work, report, patience_s=LAST_PATIENCE_S)
    except DatabaseError:
        logger.exception("The media field of the run %r could not be stored; the same call does it", report.run_key)


def _store(dataset: fo.Dataset, work: _Work, report: RenderReport, *, patience_s: float | None = None) -> None:
    """Says what became of every sample, and stores the paths where they were asked for."""
    report.outcomes = [work.outcomes.get(target) or target.outcome(NOT_RUN) for target in work.targets]
    paths = {o.sample_id: o.output_path for o in report.outcomes if o.output_path is not None}
    if report.media_field is not None and paths:
        description = f"Videos with the trails of {report.label_field}"
        store = partial(store_paths, dataset, report.media_field, paths, description)
        with_retries(store, attempt_s=None, patience_s=patience_s)
