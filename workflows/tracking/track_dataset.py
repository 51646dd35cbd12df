"""The run: every sample of a dataset or view is read, tracked and written."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.claims import Claims
from ...store.database.connection import LAST_PATIENCE_S, reload_dataset, with_retries
from ...store.database.frame_documents import FrameStore
from ...store.labels.skeletons import copy_skeleton
from ...store.runs.outcomes import DONE, NOT_RUN, Outcome
from ...store.tracks.videos import check_collection, holds_nothing
from ...tracker.engine.rates import Work, learn
from ...tracker.errors import DatabaseError
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.models.registry import load_tracker
from ...tracker.video.sampling import Sampling
from ..lifecycle.progress import ProgressOption, ProgressReporter
from ..lifecycle.run import Run, choose_key, open_run, run_environment
from .marked_samples import marked_outcomes
from .options import TRACK_DEFAULTS, TrackOptions
from .report import TrackReport
from .sample_steps import SampleSteps
from .scheduler import JobQueue, Scheduler, local_queue
from .targets import Target, destination_of, find_targets

logger = logging.getLogger(__name__)


def track_dataset(
    samples: SampleCollection,
    label_field: str = TRACK_DEFAULTS.label_field,
    *,
    tracker: str | Tracker = TRACK_DEFAULTS.tracker,
    tracker_options: Mapping[str, Any] | None = TRACK_DEFAULTS.tracker_options,
    grid_size: int = TRACK_DEFAULTS.grid_size,
    frame_index: int = TRACK_DEFAULTS.frame_index,
    mask_field: str | None = TRACK_DEFAULTS.mask_field,
    points_per_object: int | None = TRACK_DEFAULTS.points_per_object,
    points: Sequence[Sequence[float]] | Mapping[str, Sequence[Sequence[float]]] | str | None = TRACK_DEFAULTS.points,
    classes: Sequence[str] | str | None = TRACK_DEFAULTS.classes,
    prompt_frames: str = TRACK_DEFAULTS.prompt_frames,
    featureless: str = TRACK_DEFAULTS.featureless,
    backward: bool = TRACK_DEFAULTS.backward,
    sampling: Sampling | Mapping[str, Any] | None = TRACK_DEFAULTS.sampling,
    layout: str = TRACK_DEFAULTS.layout,
    keep_hidden: bool = TRACK_DEFAULTS.keep_hidden,
    overwrite: bool = TRACK_DEFAULTS.overwrite,
    replace_labels: int | None = TRACK_DEFAULTS.replace_labels,
    discard_corrections: bool = TRACK_DEFAULTS.discard_corrections,
    skip_existing: bool = TRACK_DEFAULTS.skip_existing,
    media_field: str = TRACK_DEFAULTS.media_field,
    write_to: str = TRACK_DEFAULTS.write_to,
    interpolate: bool = TRACK_DEFAULTS.interpolate,
    only_failed_of: str | None = TRACK_DEFAULTS.only_failed_of,
    wait_for_others: bool = TRACK_DEFAULTS.wait_for_others,
    engine: str = TRACK_DEFAULTS.engine,
    address: str | None = TRACK_DEFAULTS.address,
    num_workers: int | None = TRACK_DEFAULTS.num_workers,
    gpus_per_worker: float = TRACK_DEFAULTS.gpus_per_worker,
    path_map: Mapping[str, str] | None = TRACK_DEFAULTS.path_map,
    run_key: str | None = TRACK_DEFAULTS.run_key,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> TrackReport:
    """Tracks points through every video of a dataset or view.

    A sample that cannot be tracked is recorded as a failure, leaves nothing
    behind, and the run goes on. Reading, tracking and writing overlap. A run whose
    process died is continued by the same call with `skip_existing=True`; several runs
    may be at one dataset at once, and each sample and field is written by one of them.

    Args:
        samples: a video dataset or view; a view that filters labels or frames chooses the
            prompt, never which frames are tracked or written
        label_field: name of the frame field to write, without "frames."
        tracker: a name from `list_trackers()`, or a loaded Tracker
        tracker_options: what `load_tracker` takes for that name
        grid_size: points per side of the grid, where neither points nor a mask's
            own field decide
        frame_index: frame (from 0) the grid and the mask belong to
        mask_field: Segmentation or Detections with instance masks, on samples or
            frames; only grid points on the mask are tracked. With write_to="source"
            also one on the sources' samples
        points_per_object: with mask_field, in place of the grid: about so many points,
            evenly, on each object (a detection; a segmentation as a whole). With a field of
            labels as `points`: so many in each box or mask, or along each line (25 where not given)
        points: [(t, x, y)] in pixels for every sample, {sample_id: [...]}, or the
            name of a field on samples or frames: Keypoints (every point), Detections (boxes,
            instance masks), Polylines, a single one of these, Segmentation, or a list of (t, x, y)
        classes: of the field of labels, only those called so
        prompt_frames: "first": each object of the field is asked for in its keyframes; where it has
            none, in its first labelled frame; "all": in every labelled frame
        featureless: points of a grid on ground that gives a tracker nothing to hold on to (sky, water, plain
            walls): "keep" them and say how many, "leave_out", or "snap_to_texture": move them to the nearest corner
        backward: also track towards the start of the video
        sampling: None for every frame, or {"every_nth": n}, {"fps": f},
            {"max_frames": m}; frame numbers stay those of the video, and frames
            that hold query points are always used
        layout: "points", one Keypoint per visible point and frame; "frame", one Keypoint
            per frame with all points (hidden = NaN); or "objects", one Keypoint per frame and
            label that points were asked for with, under its label, index and instance
        keep_hidden: also store hidden points, with occluded=True
        overwrite: replace the tracks that earlier runs left in the field
        replace_labels: the number of labels in the field of these samples that no run
            made, such as hand labels: replace these too; without it they are never
            touched, and the run is refused
        discard_corrections: with overwrite, also replace what was corrected by hand; without it corrections stay
            (`correct_tracks`), and the new tracks pass through them
        skip_existing: leave finished samples alone; redo half-written ones, and those whose
            tracks were removed since
        media_field: the sample field with the path of the video to track; another
            one than "filepath" needs write_to="source", and its frame indices and
            pixels are those of that video
        write_to: "media", the frames of the tracked video, or "source": the tracked
            video was made by `preprocess_dataset`, and tracks are written onto the
            frame numbers of the video it was made from (for copies in a dataset of
            their own, onto the samples of the source's dataset, which also keeps
            the run)
        interpolate: with write_to="source", also fill the frames in between,
            linearly by frame number, where a point is visible on both sides; such
            keypoints carry interpolated=True and the lower of the two confidences
        only_failed_of: key of an earlier run; only the samples that failed in it
        wait_for_others: samples that another run is writing to the same field: True
            waits for it and takes what it leaves, False leaves them to it
        engine: "local", or "ray": the samples are handed out to the workers of a Ray
            cluster, each of which reads from shared storage and writes to the shared
            database itself (docs/scaling.md)
        address: of the cluster; None joins one that this process is connected to, or
            starts one on this machine
        num_workers: of the cluster; as many as there is room for where not given
        gpus_per_worker: of the cluster; fractions share a GPU
        path_map: {"/path/here": "/path/on/the/nodes"}, where the media lies elsewhere there
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
        DatabaseError: if the database stays away, or lets this user only read
    """
    options = TrackOptions.picked_from(locals())
    return run_tracking(samples, options, progress=progress, cancelled=cancelled)


def run_tracking(
    samples: SampleCollection,
    options: TrackOptions,
    *,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> TrackReport:
    """Does what `track_dataset` says, for options that are checked already.

    Args:
        samples: a video dataset or view
        options: what the run is told
        progress, cancelled: as for `track_dataset`

    Returns:
        the report

    Raises:
        the same errors as `track_dataset`
    """
    started = time.monotonic()
    check_collection(samples)
    report = TrackReport(label_field=options.label_field, tracker=options.tracker_name)
    if holds_nothing(samples):
        return report
    dataset = destination_of(samples, options)
    with run_environment(dataset):
        targets = find_targets(samples, options)
        if not targets:
            return report
        choose_key(dataset, options)  # refuses a taken one before anything is loaded
        with _cluster(samples, dataset, targets, options) as cluster:
            tracker = None if cluster else _loaded(options)
            with open_run(dataset, options, report, num_targets=len(targets), started=started) as run:
                claims = Claims(FrameStore(dataset, options.label_field), run.owner)
                steps = SampleSteps(samples, dataset, tracker, options, run.key, claims, cancelled)
                if options.layout == "objects" and isinstance(options.points, str):
                    copy_skeleton(samples._dataset, options.points, dataset, options.label_field)
                _run_targets(targets, steps, run, cluster, report, progress)
    return report


@contextmanager
def _cluster(
    samples: SampleCollection, destination: fo.Dataset, targets: Sequence[Target], options: TrackOptions
) -> Iterator[JobQueue | None]:
    """Where the samples are worked on, if not in this process; refuses a cluster that cannot do it."""
    if options.engine == "local":
        yield None
        return
    from .ray_cluster.runner import RayQueue

    cluster = RayQueue(samples, destination, targets, options)
    try:
        yield cluster
    finally:
        cluster.shut_down()


def _loaded(options: TrackOptions) -> Tracker:
    if isinstance(options.tracker, Tracker):
        return options.tracker
    return load_tracker(options.tracker, **dict(options.tracker_options or {}))


def _run_targets(
    targets: Sequence[Target],
    steps: SampleSteps,
    run: Run,
    cluster: JobQueue | None,
    report: TrackReport,
    progress: ProgressOption,
) -> None:
    """Runs every target and fills the report in, however it ends."""
    with ProgressReporter(progress, len(targets), run.key) as reporter:
        queue = cluster or local_queue(steps)
        scheduler = Scheduler(targets, steps, run.journal, reporter, queue)
        try:
            queue.begin(run.owner, steps.claims, run.key)
            report.cancelled = not scheduler.run()
        finally:
            run.owner.keep = not scheduler.close()
            outcomes = scheduler.outcomes
            if cluster is not None and len(outcomes) < len(targets):
                outcomes = {**_marked_by_workers(steps), **outcomes}
            report.outcomes = [outcomes.get(t.sample_id) or t.outcome(NOT_RUN) for t in targets]
            report.stages = scheduler.stages()
            measured = report.outcomes_with(DONE)
            learn(
                report.tracker,
                (Work(o.num_frames, o.num_points, o.megapixels, o.seconds, o.num_passes) for o in measured),
            )


def _marked_by_workers(steps: SampleSteps) -> dict[str, Outcome]:
    """Samples that workers finished and did not live to tell."""
    dataset, options = steps.destination, steps.options
    try:
        reload_dataset(dataset, patience_s=LAST_PATIENCE_S)
        look = partial(
            marked_outcomes, dataset, options.label_field, steps.run_key, onto_source=options.write_to == "source"
        )
        found = with_retries(look, patience_s=LAST_PATIENCE_S)
    except DatabaseError:
        logger.warning("The database is away; the report may lack samples that were finished last")
        return {}
    return {outcome.sample_id: outcome for outcome in found}
