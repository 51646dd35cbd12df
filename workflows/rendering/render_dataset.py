"""The tracks of many samples as files in a folder; the same call again makes those that are missing."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.fields import OWNER_KEY, check_sample_field_name, has_label_field, owner_of
from ...store.runs.outcomes import DONE, FAILED, NOT_RUN, SKIPPED
from ...store.tracks.videos import check_collection, select_videos
from ...tracker.errors import Cancelled, FieldError, OptionError, OutputError, PointTrackingError
from ...tracker.models.base import CancelCheck
from ...tracker.rendering.options import TRAIL_DEFAULTS, TrailOptions
from ...tracker.rendering.output import WRITERS
from ...tracker.transcoding.output_file import remove_abandoned_parts
from ..lifecycle.progress import ProgressOption, ProgressReporter
from .render_trails import named_fields, render_sample
from .report import RenderOutcome, RenderReport

_STEM_BYTES = 120
_KIND = "kind"


def render_dataset(
    samples: SampleCollection,
    label_field: str,
    output_dir: str | os.PathLike[str],
    *,
    suffix: str = ".mp4",
    tail: int = TRAIL_DEFAULTS.tail,
    color_by: str = TRAIL_DEFAULTS.color_by,
    show_hidden: bool = TRAIL_DEFAULTS.show_hidden,
    background: str = TRAIL_DEFAULTS.background,
    longest_side: int | None = TRAIL_DEFAULTS.longest_side,
    keep_audio: bool = TRAIL_DEFAULTS.keep_audio,
    compare_field: str | None = None,
    media_field: str | None = None,
    overwrite: bool = False,
    skip_existing: bool = False,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> RenderReport:
    """Does `render_trails` for every sample, into one folder.

    Files are named after the video and the sample's id. A sample that cannot be rendered is recorded as a
    failure, leaves nothing behind, and the run goes on.

    Args:
        samples: a video dataset or view
        label_field: name of the frame field that holds the tracks, without "frames."
        output_dir: folder for the files; made where it is missing
        suffix: ".mp4" or ".png"
        tail, color_by, show_hidden, background, longest_side, keep_audio, compare_field: as for `render_trails`
        media_field: name of a sample field for the paths of videos, which the App then offers as media; None = none
        overwrite: replace files that are there
        skip_existing: leave files that are there as they are, whatever they were made from; without it, and without
            `overwrite`, they are failures
        progress: None as FiftyOne is configured, True or False, or a function that takes a `Progress`
        cancelled: asked again and again; True ends the run, keeping finished files

    Returns:
        the report; `report.failures` lists what could not be made

    Raises:
        CollectionError: if the collection holds no whole videos
        OptionError: for an option outside what is supported
        FieldError: if there is no such frame field, or the media field cannot be written
        OutputError: if the folder cannot be made
    """
    started = time.monotonic()
    options = TrailOptions(tail, color_by, show_hidden, background, longest_side, keep_audio)
    fields = named_fields(label_field, compare_field)
    if suffix not in WRITERS:
        raise OptionError(f"Invalid suffix ({suffix!r}). Supported values are {', '.join(WRITERS)}")
    if overwrite and skip_existing:
        raise OptionError("overwrite and skip_existing contradict each other. Set one of them")
    check_collection(samples)
    dataset = samples._dataset
    for name in fields:
        if not has_label_field(dataset, name):
            raise FieldError(f"There is no frame field {name!r}. Track this dataset first, or check the name")
    if media_field is not None:
        _check_media_field(dataset, media_field, suffix)
    folder = _made_folder(Path(output_dir))
    report = RenderReport(output_dir=str(folder), label_field=fields[0], media_field=media_field)
    ids, paths = samples.values(["id", "filepath"])
    targets = [_Target(i, p, folder / file_name(p, i, suffix)) for i, p in zip(ids, paths, strict=True)]
    report.num_targets = len(targets)
    with ProgressReporter(progress, len(targets)) as reporter:
        work = _Work(dataset, fields, options, overwrite, skip_existing, reporter, cancelled)
        for target in targets:
            if not report.cancelled:
                report.cancelled = cancelled is not None and cancelled()
            outcome = target.outcome(NOT_RUN) if report.cancelled else work.outcome(target)
            report.cancelled = report.cancelled or outcome.status == NOT_RUN
            report.outcomes.append(outcome)
            if not report.cancelled:
                reporter.finished(f"rendering {target.output.name}")
    if media_field is not None:
        _store_paths(dataset, report, media_field)
    report.seconds = time.monotonic() - started
    return report


def file_name(filepath: str, sample_id: str, suffix: str) -> str:
    """The name of a sample's file, for example "cat-6741a9d0c3e8f2b15a7d9e04.mp4".

    Args:
        filepath: of the video
        sample_id: keeps videos of the same name, and samples of the same video, apart
        suffix: of the file
    """
    stem = os.fsencode(Path(filepath).stem)[:_STEM_BYTES].decode("utf-8", "ignore")
    return f"{stem}-{sample_id}{suffix}"


@dataclass(frozen=True)
class _Target:
    """One sample of a run, its video and its file."""

    sample_id: str
    filepath: str
    output: Path

    def outcome(self, status: str, **facts: Any) -> RenderOutcome:
        return RenderOutcome(self.sample_id, self.filepath, status, **facts)


@dataclass(frozen=True)
class _Work:
    """What is done with each sample of a run."""

    dataset: fo.Dataset
    fields: list[str]
    options: TrailOptions
    overwrite: bool
    skip_existing: bool
    reporter: ProgressReporter
    cancelled: CancelCheck | None

    def outcome(self, target: _Target) -> RenderOutcome:
        """Makes the file of a sample, or says why there is none."""
        if self.skip_existing and target.output.exists():
            return target.outcome(SKIPPED, output_path=str(target.output))
        started = time.monotonic()
        told = f"rendering {target.output.name}"
        try:
            made = render_sample(
                select_videos(self.dataset, target.sample_id).first(),
                self.fields,
                target.output,
                self.options,
                overwrite=self.overwrite,
                progress=lambda share: self.reporter.inside(share, told),
                cancelled=self.cancelled,
            )
        except Cancelled:
            return target.outcome(NOT_RUN)
        except PointTrackingError as error:
            seconds = time.monotonic() - started
            return target.outcome(FAILED, kind=type(error).__name__, message=str(error), seconds=seconds)
        seconds = time.monotonic() - started
        return target.outcome(
            DONE, output_path=made.path, seconds=seconds, num_frames=made.num_frames, warnings=made.warnings
        )


def _made_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made: {error.strerror}. Choose another one") from error
    remove_abandoned_parts(folder)
    return folder.absolute()


def _check_media_field(dataset: fo.Dataset, name: str, suffix: str) -> None:
    """Refuses a field that somebody else made, or pictures as media of videos."""
    if suffix != ".mp4":
        raise OptionError(f"A media field of videos cannot hold {suffix} files. Leave media_field out, or take .mp4")
    field = dataset.get_field(name) if isinstance(name, str) else None
    if field is None:
        check_sample_field_name(name, "media field")
    elif (owner_of(field) or {}).get(_KIND) != "rendered":
        raise FieldError(f"The field {name!r} holds something else than rendered videos. Choose another name")


def _store_paths(dataset: fo.Dataset, report: RenderReport, name: str) -> None:
    paths = {o.sample_id: o.output_path for o in report.outcomes if o.output_path is not None}
    if not paths:
        return
    if dataset.get_field(name) is None:
        description = f"Videos with the trails of {report.label_field}"
        dataset.add_sample_field(name, fo.StringField, description=description, info={OWNER_KEY: {_KIND: "rendered"}})
    dataset.set_values(name, paths, key_field="id")
    if name not in dataset.app_config.media_fields:
        dataset.app_config.media_fields.append(name)
        dataset.save()
