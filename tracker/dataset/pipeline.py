"""The run: every sample of a data set or view is read, tracked and written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from ..coordinates import frame_number_of
from ..engine.run import track_clip
from ..errors import Cancelled, VideoError
from ..models.base import CancelCheck, Tracker
from ..models.registry import load_tracker
from ..types import Queries, Tracks
from ..video.frames import VideoFrames
from ..video.sampling import Sampling
from .keypoints import check_document_size
from .marks import WRITING, SampleMark
from .options import DEFAULTS, TrackOptions, check_track_size
from .origins import FILEPATH, check_copy, onto_source
from .progress import ProgressOption, ProgressReporter
from .prompts import sample_queries
from .report import DONE, FAILED, NOT_RUN, SKIPPED, Outcome, TrackReport
from .runs import choose_run_key, register_run, save_report
from .targets import Target, destination_of, find_targets
from .video_samples import VideoShape, store_metadata
from .writer import store_tracks

_SAVE_REPORT_EVERY_S = 30.0


def track_dataset(
    samples: SampleCollection,
    label_field: str = DEFAULTS.label_field,
    *,
    tracker: str | Tracker = DEFAULTS.tracker,
    tracker_options: Mapping[str, Any] | None = DEFAULTS.tracker_options,
    grid_size: int = DEFAULTS.grid_size,
    frame_index: int = DEFAULTS.frame_index,
    mask_field: str | None = DEFAULTS.mask_field,
    points: Sequence[Sequence[float]] | Mapping[str, Sequence[Sequence[float]]] | str | None = DEFAULTS.points,
    backward: bool = DEFAULTS.backward,
    sampling: Sampling | Mapping[str, Any] | None = DEFAULTS.sampling,
    layout: str = DEFAULTS.layout,
    keep_hidden: bool = DEFAULTS.keep_hidden,
    overwrite: bool = DEFAULTS.overwrite,
    skip_existing: bool = DEFAULTS.skip_existing,
    media_field: str = DEFAULTS.media_field,
    write_to: str = DEFAULTS.write_to,
    interpolate: bool = DEFAULTS.interpolate,
    run_key: str | None = DEFAULTS.run_key,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> TrackReport:
    """Tracks points through every video of a data set or view.

    A sample that cannot be tracked is recorded as a failure, leaves nothing
    behind, and the run goes on.

    Args:
        samples: a video data set or view
        label_field: name of the frame field to write, without "frames."
        tracker: a name from `list_trackers()`, or a loaded Tracker
        tracker_options: what `load_tracker` takes for that name
        grid_size: points per side of the grid, where neither points nor a mask's
            own field decide
        frame_index: frame (from 0) the grid and the mask belong to
        mask_field: Segmentation or Detections with instance masks, on samples or
            frames; only grid points on the mask are tracked
        points: [(t, x, y)] in pixels for every sample, {sample_id: [...]}, or the
            name of a field (Keypoints, or a list of (t, x, y))
        backward: also track towards the start of the video
        sampling: None for every frame, or {"every_nth": n}, {"fps": f},
            {"max_frames": m}; frame numbers stay those of the video, and frames
            that hold query points are always used
        layout: "points", one Keypoint per visible point and frame, or "frame",
            one Keypoint per frame with all points (hidden = NaN)
        keep_hidden: also store hidden points, with occluded=True
        overwrite: replace what the field holds
        skip_existing: leave finished samples alone, redo half-written ones
        media_field: the sample field with the path of the video to track; another
            one than "filepath" needs write_to="source", and its frame indices and
            pixels are those of that video
        write_to: "media", the frames of the tracked video, or "source": the tracked
            video was made by `preprocess_dataset`, and tracks are written onto the
            frame numbers of the video it was made from (for copies in a data set of
            their own, onto the samples of the source's data set, which also keeps
            the run)
        interpolate: with write_to="source", also fill the frames in between,
            linearly, where a point is visible on both sides; such keypoints carry
            interpolated=True and the lower of the two confidences
        run_key: name of the run record; chosen where not given
        progress: None as FiftyOne is configured, True or False, or a function
            that takes a `Progress`
        cancelled: asked between chunks of work; True ends the run after undoing
            the current sample

    Returns:
        the report; `report.failures` lists what could not be tracked

    Raises:
        CollectionError: if the collection holds no videos
        OptionError: for an option outside what is supported
        UnknownTrackerError: for an unknown tracker
        FieldError: for a label, mask or points field that does not fit
        FieldExistsError: if stored data would be touched without being told to
        QueryError: for points that are no (t, x, y)
        LimitError: if the request passes a named limit
    """
    options = TrackOptions(
        label_field=label_field,
        tracker=tracker,
        tracker_options=tracker_options,
        grid_size=grid_size,
        frame_index=frame_index,
        mask_field=mask_field,
        points=points,
        backward=backward,
        sampling=sampling,
        layout=layout,
        keep_hidden=keep_hidden,
        overwrite=overwrite,
        skip_existing=skip_existing,
        media_field=media_field,
        write_to=write_to,
        interpolate=interpolate,
        run_key=run_key,
    )
    return run(samples, options, progress=progress, cancelled=cancelled)


def run(
    samples: SampleCollection,
    options: TrackOptions,
    *,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> TrackReport:
    """Does what `track_dataset` says, for options that are checked already.

    Args:
        samples: a video data set or view
        options: of the run
        progress, cancelled: as for `track_dataset`

    Returns:
        the report

    Raises:
        the same errors as `track_dataset`
    """
    started = time.monotonic()
    targets = find_targets(samples, options)
    report = TrackReport(run_key=None, label_field=options.label_field, tracker=options.tracker_name)
    if not targets:
        return report
    dataset = destination_of(samples, options)
    report.run_key = choose_run_key(dataset, options)
    tracker = options.tracker if isinstance(options.tracker, Tracker) else _load(options)
    register_run(dataset, report.run_key, options, len(targets))
    try:
        with ProgressReporter(progress, len(targets)) as reporter:
            _run_targets(samples._dataset, dataset, targets, tracker, options, report, reporter, cancelled, started)
    finally:
        done = len(report.outcomes)
        report.outcomes.extend(Outcome(t.sample_id, t.filepath, NOT_RUN) for t in targets[done:])
        report.cancelled = report.cancelled or done < len(targets)
        report.seconds = time.monotonic() - started
        save_report(dataset, report)
    return report


def _load(options: TrackOptions) -> Tracker:
    return load_tracker(options.tracker_name, **dict(options.tracker_options or {}))


def _run_targets(
    dataset: fo.Dataset,
    destination: fo.Dataset,
    targets: Sequence[Target],
    tracker: Tracker,
    options: TrackOptions,
    report: TrackReport,
    reporter: ProgressReporter,
    cancelled: CancelCheck | None,
    started: float,
) -> None:
    assert report.run_key is not None
    task = _SampleTask(dataset, destination, tracker, options, report.run_key, reporter, cancelled)
    saved = time.monotonic()
    for target in targets:
        try:
            outcome = task.skip(target) if target.finished else task.attempt(target)
        except Cancelled:
            report.cancelled = True
            return
        report.outcomes.append(outcome)
        reporter.finished(f"{Path(target.filepath).name}: {outcome.status}")
        if time.monotonic() - saved > _SAVE_REPORT_EVERY_S:
            report.seconds = time.monotonic() - started
            save_report(destination, report)
            saved = time.monotonic()


@dataclass(frozen=True)
class _SampleTask:
    """Everything that stays the same from sample to sample."""

    dataset: fo.Dataset
    destination: fo.Dataset
    tracker: Tracker
    options: TrackOptions
    run_key: str
    reporter: ProgressReporter
    cancelled: CancelCheck | None

    def skip(self, target: Target) -> Outcome:
        return Outcome(target.sample_id, target.filepath, SKIPPED)

    def attempt(self, target: Target) -> Outcome:
        """Tracks one sample; whatever goes wrong with it becomes a failure."""
        started = time.monotonic()
        warnings: list[str] = []
        try:
            return self._track(target, warnings, started)
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - one bad clip must not end the run; the reason is recorded
            return Outcome(
                target.sample_id,
                target.filepath,
                FAILED,
                kind=type(error).__name__,
                message=str(error) or type(error).__name__,
                seconds=time.monotonic() - started,
                warnings=tuple(warnings),
            )

    def _track(self, target: Target, warnings: list[str], started: float) -> Outcome:
        options = self.options
        if options.write_to == "source" and target.origin is None:
            raise VideoError("This sample has no preprocessed video, so there is nothing to track. Preprocess it first")
        video = VideoFrames(target.filepath)
        queries = sample_queries(self.dataset, target.sample_id, options, video.size_px, warnings)
        check_document_size(len(queries), options.layout, options.keep_hidden, options.interpolate)
        clip = track_clip(
            video,
            queries,
            self.tracker,
            backward=options.backward,
            sampling=options.checked_sampling,
            check_size=check_track_size,
            progress=lambda share: self.reporter.inside(share, Path(target.filepath).name),
            cancelled=self.cancelled,
        )
        warnings.extend(video.warnings)
        stored = self._store(target, video, clip.tracks, clip.source_indices, queries)
        return Outcome(
            target.sample_id,
            target.filepath,
            DONE,
            seconds=time.monotonic() - started,
            num_points=len(queries),
            num_frames=clip.tracks.num_frames,
            num_keypoints=stored,
            warnings=tuple(warnings),
            plan=dict(clip.tracks.info),
        )

    def _store(
        self, target: Target, video: VideoFrames, tracks: Tracks, source_indices: np.ndarray, queries: Queries
    ) -> int:
        shape = VideoShape(video.size_px, video.num_frames)
        frame_numbers, interpolated = frame_number_of(source_indices), None
        if target.origin is not None:
            check_copy(target.filepath, video.num_frames, target.origin)
            moved = onto_source(
                tracks, source_indices, video.size_px, target.origin, interpolate=self.options.interpolate
            )
            tracks, frame_numbers, interpolated = moved.tracks, moved.frame_numbers, moved.interpolated
            shape = VideoShape(target.origin.size_px, target.origin.num_frames)
            check_track_size(tracks.num_points, tracks.num_frames)
        stored = store_tracks(
            self.destination,
            target.destination_id,
            self.options.label_field,
            tracks,
            shape,
            frame_numbers=frame_numbers,
            keep_hidden=self.options.keep_hidden,
            mark=SampleMark(
                state=WRITING,
                layout=self.options.layout,
                num_points=len(queries),
                num_frames=shape.num_frames,
                tracker=self.options.tracker_name,
                run_key=self.run_key,
            ),
            interpolated=interpolated,
        )
        if self.options.media_field == FILEPATH:
            store_metadata(self.dataset, target.sample_id, video)
        return stored
