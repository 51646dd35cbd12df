"""The operator that tells what the camera does and what moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown, show_summary
from ..shared.refresh import show_what_is_stored
from ..shared.samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/describe_motion"


class DescribeMotion(SamplesOperator):
    """Tells what the camera does and what moves, by tracks or by a grid tracked for this alone."""

    NAME = "describe_motion"
    TITLE = "Describe motion"
    DESCRIPTION = (
        "Tell what the camera does, what moves and how well points can be tracked, in sample fields to filter "
        "by, spans of time, and saved views"
    )
    PLACE = types.Places.SAMPLES_GRID_SECONDARY_ACTIONS

    def build_form(self, ctx: Any) -> types.Object:
        from .describe_motion_form import build_form

        return build_form(ctx)

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.lifecycle.sidebar import group_notes
        from ...workflows.motion.describe_motion import run_description
        from .describe_motion_form import options_of

        forms.unfold(ctx)
        samples, options = forms.target_of(ctx), options_of(ctx.params)
        report = yield from self.run(
            ctx, run_description, samples, options, after=lambda _: group_notes(samples._dataset)
        )
        if report is not None and not ctx.delegated:
            yield from show_what_is_stored(ctx)
            yield from show_summary(
                ctx,
                self.TITLE,
                report,
                failed="Not described",
                warned="Described, with a warning",
                notes=report.notes,
            )

    def __call__(self, sample_collection: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Describes the motion in a dataset or view from Python.

        Args:
            sample_collection: a video dataset or view
            delegate: schedule the run instead of waiting for it
            params: as for `point_tracking.describe_motion`

        Returns:
            the report of `describe_motion`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `describe_motion`
        """
        if delegate:
            return self.schedule(sample_collection, params)
        from ...workflows.motion.describe_motion import describe_motion

        return describe_motion(sample_collection, **params)
