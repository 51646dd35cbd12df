"""The preprocessing run: every video is copied small, and the copies become samples or a media field."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import LAST_PATIENCE_S
from ...store.database.journal import Journal
from ...store.runs.outcomes import DONE, FAILED, NOT_RUN
from ...store.tracks.videos import check_collection, holds_nothing, video_metadata
from ...tracker.errors import Cancelled, DatabaseError, OutputExistsError
from ...tracker.models.base import CancelCheck
from ...tracker.transcoding.output_file import remove_abandoned_parts
from ...tracker.transcoding.transcode import Transcoded, transcode
from ...tracker.video.probe import probe
from ..lifecycle.progress import ProgressOption, ProgressReporter
from ..lifecycle.run import open_run, run_environment
from ..output_files.side_by_side import SideBySide
from .options import PREPROCESS_DEFAULTS, PreprocessOptions
from .preprocessed_videos import Copy, store_copies
from .report import REUSED, CopyOutcome, PreprocessReport
from .targets import CopyTarget, find_copy_targets

# a rate this close above the source's was not meant to be higher
_RATE_SLACK = 1.01
# a copy larger than its source by this is worth a word
_SIZE_SLACK_BYTES = 2**16

logger = logging.getLogger(__name__)


def preprocess_dataset(
    samples: SampleCollection,
    output_dir: str | os.PathLike[str],
    *,
    policy: str | None = None,
    fps: float | None = None,
    every_nth: int | None = None,
    max_frames: int | None = None,
    longest_side: int | None = PREPROCESS_DEFAULTS.longest_side,
    keep_audio: bool = PREPROCESS_DEFAULTS.keep_audio,
    preset: str = PREPROCESS_DEFAULTS.preset,
    crf: int = PREPROCESS_DEFAULTS.crf,
    target: str = PREPROCESS_DEFAULTS.target,
    dataset_name: str | None = PREPROCESS_DEFAULTS.dataset_name,
    persistent: bool = PREPROCESS_DEFAULTS.persistent,
    media_field: str = PREPROCESS_DEFAULTS.media_field,
    overwrite: bool = PREPROCESS_DEFAULTS.overwrite,
    num_workers: int | None = PREPROCESS_DEFAULTS.num_workers,
    run_key: str | None = PREPROCESS_DEFAULTS.run_key,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> PreprocessReport:
    """Makes a small copy of every video, with an exact way back to its frames.

    Copies are H.264 mp4 files that every browser plays. Their real duration is
    that of the source, its rate is never raised, and no frame is invented. Sources
    are only read. A video that cannot be copied is recorded as a failure, leaves
    nothing behind, and the run goes on. After a run whose process died, the same call
    makes the copies that are missing.

    Args:
        samples: a video dataset or view
        output_dir: folder for the copies; not a folder of sources, nor inside one
        policy: "auto" (videos longer than 10 s: of every third frame, 7 per second;
            others: 10 per second), "fps", "every_nth" or "max_frames"; None is the
            one whose value is given, or "auto"
        fps: target rate, by time stamps; a lower rate of the source is kept
        every_nth: keep frames 1, n + 1, 2n + 1, ...
        max_frames: keep at most this many, evenly spread in time
        longest_side: scale larger frames down to this many pixels
        keep_audio: keep the sound
        preset: x264's speed, "ultrafast" to "veryslow"
        crf: x264's quality, 0 (lossless) to 51
        target: "dataset", a new dataset of the copies, whose samples have the tags
            of their sources and a link to them, but none of their labels and other
            fields; or "media_field", a second media field of the same samples,
            whose frame-numbered labels keep belonging to the source
        dataset_name: of the new dataset; "<name>-preprocessed" where not given.
            One that an earlier run made is continued
        persistent: whether the new dataset outlives the session
        media_field: name of the second media field
        overwrite: replace copies that were made with other options; their samples
            in the new dataset are replaced with them, labels included. Without it
            such copies are failures, and fitting ones are always reused
        num_workers: videos at the same time; one per core where not given
        run_key: name of the run record; chosen where not given
        progress: None as FiftyOne is configured, True or False, or a function
            that takes a `Progress`
        cancelled: asked again and again; True ends the run, keeping finished copies

    Returns:
        the report; `report.dataset` is the new dataset, `report.failures` lists
        what could not be copied

    Raises:
        CollectionError: if the collection holds no videos, or the dataset to write
            to is someone else's
        OptionError: for an option outside what is supported, or an output folder
            among the sources
        FieldError: for a media field that cannot be written
        FieldExistsError: if stored data would be replaced without being told to
        OutputError: if the output folder cannot be written to
    """
    options = PreprocessOptions.picked_from(locals())
    return run_preprocessing(samples, options, progress=progress, cancelled=cancelled)


def run_preprocessing(
    samples: SampleCollection,
    options: PreprocessOptions,
    *,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> PreprocessReport:
    """Does what `preprocess_dataset` says, for options that are checked already.

    Args:
        samples: a video dataset or view
        options: what the run is told
        progress, cancelled: as for `preprocess_dataset`

    Returns:
        the report

    Raises:
        the same errors as `preprocess_dataset`
    """
    started = time.monotonic()
    is_dataset = options.target == "dataset"
    report = PreprocessReport(
        output_dir=str(options.folder),
        target=options.target,
        media_field=None if is_dataset else options.media_field,
    )
    check_collection(samples)
    if holds_nothing(samples):
        return report
    dataset = samples._dataset
    with run_environment(dataset):
        targets = find_copy_targets(samples, options)
        if not targets:
            return report
        remove_abandoned_parts(options.folder)
        with open_run(dataset, options, report, num_targets=len(targets), started=started) as run:
            work = _Work(targets, options, run.journal)
            try:
                with ProgressReporter(progress, len(targets), run.key) as reporter:
                    report.cancelled = not work.run(reporter, cancelled)
            except BaseException:
                _store_at_last(dataset, work, report)
                raise
            _store(dataset, work, report)
    return report


def _store_at_last(dataset: fo.Dataset, work: _Work, report: PreprocessReport) -> None:
    """As `_store`, for a run that something ended, which stays the error to see."""
    try:
        _store(dataset, work, report, patience_s=LAST_PATIENCE_S)
    except DatabaseError:
        logger.exception("What the run %r made could not be stored; the same call does it", report.run_key)


def _store(dataset: fo.Dataset, work: _Work, report: PreprocessReport, *, patience_s: float | None = None) -> None:
    """Stores the copies that were made, and says what became of every video."""
    targets, options = work.targets, work.options
    report.outcomes = [work.outcomes.get(t) or CopyOutcome(t.sample_id, t.source, NOT_RUN) for t in targets]
    copies = [work.copies[target] for target in targets if target in work.copies]
    if copies:
        report.dataset_name = store_copies(dataset, copies, options, patience_s=patience_s)


@dataclass
class _Work:
    """All copies of a run."""

    targets: Sequence[CopyTarget]
    options: PreprocessOptions
    journal: Journal
    outcomes: dict[CopyTarget, CopyOutcome] = field(default_factory=dict)
    copies: dict[CopyTarget, Copy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # samples of the same file share its copy
        groups: dict[tuple[Path, str], list[CopyTarget]] = {}
        self._first_sources: dict[Path, str] = {}
        for target in self.targets:
            groups.setdefault((target.output, target.source), []).append(target)
            self._first_sources.setdefault(target.output, target.source)
        self._work = SideBySide(
            list(groups.values()),
            self._attempt,
            name_of=lambda group: Path(group[0].source).name,
            num_samples=len,
            num_workers=self.options.num_workers,
        )

    def run(self, reporter: ProgressReporter, cancelled: CancelCheck | None) -> bool:
        """Makes the copies; returns False where the run was cancelled."""
        return self._work.run(self._note, partial(self._tell, reporter), reporter, cancelled)

    def _note(self, group: list[CopyTarget], result: tuple[CopyOutcome, Copy | None]) -> None:
        outcome, copy = result
        for position, target in enumerate(group):
            again = {"status": REUSED, "seconds": 0.0} if position and outcome.status == DONE else {}
            self.outcomes[target] = CopyOutcome(
                **{**outcome.__dict__, **again, "sample_id": target.sample_id, "filepath": target.source}
            )
            if copy is not None:
                self.copies[target] = Copy(target, copy.made, copy.metadata)

    def _tell(self, reporter: ProgressReporter, group: list[CopyTarget]) -> None:
        for target in group:
            self.journal.add(asdict(self.outcomes[target]))
            reporter.finished(f"{Path(target.source).name}: {self.outcomes[target].status}")

    def _attempt(
        self, group: list[CopyTarget], progress: Callable[[float], None], cancelled: CancelCheck
    ) -> tuple[CopyOutcome, Copy | None]:
        """Makes one copy; whatever goes wrong with it becomes a failure."""
        target, started = group[0], time.monotonic()
        try:
            first = self._first_sources[target.output]
            if first != target.source:
                raise OutputExistsError(f"The copy of {first} has the same place, {target.output}. Rename a source")
            made = transcode(
                target.source,
                target.output,
                self.options.copy,
                overwrite=self.options.overwrite,
                threads=self._work.threads,
                progress=progress,
                cancelled=cancelled,
            )
            return self._finished(target, made, time.monotonic() - started)
        except Cancelled:
            return CopyOutcome(target.sample_id, target.source, NOT_RUN), None
        except BaseException as error:  # noqa: BLE001 - one bad video must not end the run; the reason is recorded
            return CopyOutcome(
                target.sample_id,
                target.source,
                FAILED,
                kind=type(error).__name__,
                message=str(error) or type(error).__name__,
                seconds=time.monotonic() - started,
            ), None

    def _finished(self, target: CopyTarget, made: Transcoded, seconds: float) -> tuple[CopyOutcome, Copy]:
        frame_map = made.provenance.frame_map
        facts = replace(probe(made.path), fps=made.provenance.fps)
        warnings = [*made.warnings, *self._advice(made, facts.size_bytes)]
        outcome = CopyOutcome(
            target.sample_id,
            target.source,
            REUSED if made.reused else DONE,
            output_path=made.path,
            seconds=seconds,
            num_frames=len(frame_map),
            num_source_frames=frame_map.num_source_frames,
            size_bytes=facts.size_bytes,
            source_bytes=made.provenance.source.size_bytes,
            warnings=tuple(warnings),
        )
        return outcome, Copy(target, made, video_metadata(facts, len(frame_map)))

    def _advice(self, made: Transcoded, size_bytes: int) -> Iterator[str]:
        """Yields what is probably not as the user meant it."""
        source, num_frames = made.provenance.source, made.provenance.frame_map.num_source_frames
        fps, every_nth = self.options.fps, self.options.every_nth
        if fps is not None and source.fps and fps > source.fps * _RATE_SLACK:
            yield f"the source has {source.fps:.3g} frames per second, fewer than {fps:g}: all were kept"
        if every_nth is not None and every_nth >= num_frames > 1:
            yield f"the source has {num_frames} frames, and every_nth is {every_nth}: only the first was kept"
        if size_bytes > source.size_bytes + _SIZE_SLACK_BYTES:
            yield (
                f"the copy is larger than the source ({size_bytes / 2**20:.1f} MiB, {source.size_bytes / 2**20:.1f} "
                "MiB). A higher crf, a slower preset, fewer frames or a smaller longest_side make it smaller"
            )
