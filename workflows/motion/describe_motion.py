"""Motion as fields: what the camera does and what moves, for every sample of a dataset or view."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from fiftyone.core.collections import SampleCollection

from ...store.labels.annotation import show_on_time_line
from ...store.tracks.videos import check_collection
from ...tracker.errors import MotionError
from ...tracker.models.base import CancelCheck, Tracker
from ..lifecycle.progress import ProgressOption, ProgressReporter
from ..lifecycle.run import attempt_each, open_run, run_environment
from .brain_index import index_motion
from .describe_sample import SampleDescription
from .motion_fields import check_motion_fields, declare_motion_fields, save_motion_views
from .options import MotionOptions
from .report import MotionReport

MOTION_DEFAULTS = MotionOptions()


def describe_motion(
    samples: SampleCollection,
    label_field: str | None = None,
    *,
    texture: bool = MOTION_DEFAULTS.texture,
    pictures: bool = MOTION_DEFAULTS.pictures,
    groups: bool = MOTION_DEFAULTS.groups,
    find_similar: bool = MOTION_DEFAULTS.find_similar,
    cycle_consistency: bool = MOTION_DEFAULTS.cycle_consistency,
    tracker: str | Tracker = MOTION_DEFAULTS.tracker,
    tracker_options: Mapping[str, Any] | None = None,
    grid_size: int = MOTION_DEFAULTS.grid_size,
    overwrite: bool = MOTION_DEFAULTS.overwrite,
    run_key: str | None = None,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> MotionReport:
    """Tells of every sample what the camera does and what moves, in fields to filter and curate by.

    Figures go to the sample field `<label_field>_motion` (`motion` without a label field), whose subfields the App's
    sidebar filters by; spans of time to `<label_field>_motion_events`, whose names the App writes on an open
    video, and which the time line of its tab Annotate shows; and a view is saved for each kind of camera. A sample
    that cannot be described is a failure, and the run goes on. Samples that were described from the same tracks are
    left alone.

    Args:
        samples: a video dataset or view
        label_field: the frame field with tracks, in any layout; None = a small grid is tracked for this alone, and
            not stored
        texture: with a label field, look in the video for tracks on featureless ground; their keypoints get
            `featureless=True` (in the layout "points"; the share is told in all)
        pictures: with a label field, lay frames of the video half a second apart on each other, so that the camera is
            told right also where tracks lag behind; without one, that is always done
        groups: with a label field, give keypoints of the layout "points" the attribute `motion_group`: 0 goes with the
            picture, 1, 2, ... move together apart from it, -1 is not known
        find_similar: also do what `index_motion` does, for all samples that are described
        cycle_consistency: with a label field, follow tracks back from the last frame in which they are seen to the
            first, and tell how far from their start they come: costs as much as tracking the video
        tracker: without a label field, that follows the grid; with `cycle_consistency`, that goes back: the one that
            made the tracks tells of itself, another one how far the two agree
        tracker_options: what `load_tracker` takes for that name
        grid_size: of that grid, points per side
        overwrite: describe all samples again
        run_key: name of the run record; chosen where not given
        progress: None as FiftyOne is configured, True or False, or a function that takes a `Progress`
        cancelled: asked again and again; True ends the run, keeping finished samples

    Returns:
        the report; `report.failures` lists what could not be described

    Raises:
        CollectionError: if the collection holds no whole videos
        OptionError: for an option outside what is supported, or `cycle_consistency` without a label field
        FieldError: if there is no such frame field, or a field of that name is somebody else's
        DatabaseError: if the database lets this user only read
    """
    options = MotionOptions.picked_from(locals())
    return run_description(samples, options, progress=progress, cancelled=cancelled)


def run_description(
    samples: SampleCollection,
    options: MotionOptions,
    *,
    progress: ProgressOption = None,
    cancelled: CancelCheck | None = None,
) -> MotionReport:
    """Does what `describe_motion` says, for options that are checked already.

    Args:
        samples: a video dataset or view
        options: what the run is told
        progress, cancelled: as for `describe_motion`

    Raises:
        the same errors as `describe_motion`
    """
    started = time.monotonic()
    check_collection(samples)
    dataset = samples._dataset
    check_motion_fields(dataset, options)
    report = MotionReport(
        label_field=options.label_field, motion_field=options.motion_field, events_field=options.events_field
    )
    reporter = ProgressReporter(progress, len(samples))
    with run_environment(dataset):
        ids, paths = samples.values(["id", "filepath"])
        if not ids:
            return report
        with open_run(dataset, options, report, num_targets=len(ids), started=started) as run:
            declare_motion_fields(dataset, options)
            work = SampleDescription(samples, options, cancelled)
            targets = list(zip(ids, paths, strict=True))
            attempt_each(
                run, report, reporter, targets, lambda sample_id, path: work.attempt(sample_id, path, reporter)
            )
            report.views = save_motion_views(dataset, options)
            show_on_time_line(dataset, options.events_field)
            if options.find_similar:
                try:
                    report.brain_keys = list(index_motion(dataset, options.label_field))
                except MotionError as error:  # too few samples: what was described is no worse for it
                    report.not_indexed = str(error)
    return report
