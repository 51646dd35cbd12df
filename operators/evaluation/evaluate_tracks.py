"""The operator that judges tracks and stores scores with the samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown, show_summary
from ..shared.refresh import show_what_is_stored
from ..shared.samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/evaluate_tracks"


class EvaluateTracks(SamplesOperator):
    """Compares tracks with known ones, with an object's masks, or with themselves."""

    NAME = "evaluate_tracks"
    TITLE = "Evaluate tracks"
    DESCRIPTION = (
        "Score stored point tracks against known tracks or object masks, or by tracking them back to their "
        "start, and store the scores in sample fields to sort and filter by"
    )
    PLACE = types.Places.SAMPLES_GRID_ACTIONS

    def build_form(self, ctx: Any) -> types.Object:
        from .evaluate_tracks_form import build_form

        return build_form(ctx)

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.evaluation.evaluate_dataset import run_evaluation
        from ...workflows.lifecycle.sidebar import group_notes
        from .evaluate_tracks_form import options_of

        forms.unfold(ctx)
        samples, options = forms.target_of(ctx), options_of(ctx.params)
        report = yield from self.run(
            ctx, run_evaluation, samples, options, after=lambda _: group_notes(samples._dataset)
        )
        if report is not None and not ctx.delegated:
            yield from show_what_is_stored(ctx)
            yield from show_summary(
                ctx,
                self.TITLE,
                report,
                failed="Not evaluated",
                warned="Evaluated, with a warning",
                notes=report.notes,
            )

    def __call__(self, sample_collection: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Evaluates the tracks of a dataset or view from Python.

        Args:
            sample_collection: a video dataset or view
            delegate: schedule the run instead of waiting for it
            params: as for `point_tracking.evaluate_dataset`

        Returns:
            the report of `evaluate_dataset`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `evaluate_dataset`
        """
        if delegate:
            return self.schedule(sample_collection, params)
        from ...workflows.evaluation.evaluate_dataset import evaluate_dataset

        return evaluate_dataset(sample_collection, **params)
