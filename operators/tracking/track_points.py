"""The operator that tracks points in the chosen videos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown, is_from_app, show_summary
from ..shared.refresh import OpenSample, show_what_is_stored
from ..shared.samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/track_points"


class TrackPoints(SamplesOperator):
    """Tracks points in videos and stores them as frame-level keypoints."""

    NAME = "track_points"
    TITLE = "Track points"
    DESCRIPTION = "Track a grid, masks or points through videos and store them as keypoints on the frames"
    PLACE = types.Places.SAMPLES_GRID_ACTIONS
    CLOSES_OPEN_SAMPLE = True
    WHEN_STOPPED = (
        "Stopping the App ends it in order: what is finished stays, and the same choices with *Leave finished samples "
        "alone* go on from there."
    )

    def build_form(self, ctx: Any) -> types.Object:
        from .track_points_form import build_form

        return build_form(ctx)

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.lifecycle.sidebar import group_notes
        from ...workflows.tracking.targets import declare_tracks, destination_of
        from ...workflows.tracking.track_dataset import run_tracking
        from .colors import color_by_track, running_scheme
        from .track_points_form import options_of

        forms.unfold(ctx)
        samples, options = forms.target_of(ctx), options_of(ctx.params)
        colored = ctx.params.get("color_by_track", True)

        def arrange(report: Any) -> None:
            if not report.num_samples:
                return
            group_notes(destination_of(samples, options))
            if colored:
                color_by_track(destination_of(samples, options), options.layout)

        is_open = OpenSample(ctx) if is_from_app(ctx) and forms.only_open_sample(ctx) else None
        if is_open is not None and declare_tracks(samples, options):
            group_notes(destination_of(samples, options))
            yield from is_open.before_new_fields()
        report = yield from self.run(ctx, run_tracking, samples, options, after=arrange)
        if report is None or ctx.delegated:
            return
        # a run that found nothing to do has no key, and its samples may have no destination
        destination = destination_of(samples, options) if report.run_key else ctx.dataset
        if is_open is None:
            yield from show_what_is_stored(ctx)
        if report.num_samples and colored:
            yield ctx.trigger("set_color_scheme", running_scheme(options.layout))
        if is_open is not None:
            yield from is_open.after()
        elsewhere = destination.name if destination.name != ctx.dataset.name else ""
        notes = [f"The tracks are in the dataset `{elsewhere}`, that of the source videos."] if elsewhere else []
        yield from show_summary(
            ctx,
            self.TITLE,
            report,
            failed="Not tracked",
            warned="Tracked, with a warning",
            notes=notes,
            dataset=elsewhere,
        )

    def __call__(self, sample_collection: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Tracks points in a dataset or view from Python.

        Args:
            sample_collection: a video dataset or view
            delegate: schedule the run instead of waiting for it
            params: as for `point_tracking.track_dataset`

        Returns:
            the report of `track_dataset`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `track_dataset`
        """
        if delegate:
            return self.schedule(sample_collection, params)
        from ...workflows.tracking.track_dataset import track_dataset

        return track_dataset(sample_collection, **params)


class TrackOpenSample(TrackPoints):
    """The same for the video that is open: an operator has one place, and this one's is the sample's toolbar."""

    NAME = "track_open_sample"
    LABEL = "Track points in the open video"
    DESCRIPTION = "Track points through the video that is open in the App; elsewhere, use Track points"
    ICON = "track_points"
    PLACE = types.Places.SAMPLES_VIEWER_ACTIONS
    UNLISTED = True
