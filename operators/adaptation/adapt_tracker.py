"""The operator that trains a tracker further on the user's own videos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone.operators.types as types

from ...store.runs.outcomes import count_of
from ...workflows.lifecycle.scheduled_runs import worker_is_seen
from ..shared import forms
from ..shared.background import bullets, errors_shown, show_text
from ..shared.samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/adapt_tracker"


class AdaptTracker(SamplesOperator):
    """Adapts a tracker to unlabelled videos and keeps it only if it is better."""

    NAME = "adapt_tracker"
    TITLE = "Adapt a tracker"
    DESCRIPTION = (
        "Train a point tracker further on your own videos, without labels; the result is kept under a name of "
        "its own only if it is better on videos that were held out"
    )
    WHEN_STOPPED = "Stopping the App ends it with nothing stored."

    def resolve_execution_options(self, ctx: Any) -> foo.ExecutionOptions:
        # takes half an hour and all of the machine; but without a worker nobody would do it
        scheduled = bool(fo.config.allow_legacy_orchestrators) and worker_is_seen()
        return foo.ExecutionOptions(
            allow_immediate_execution=True, allow_delegated_execution=True, default_choice_to_delegated=scheduled
        )

    def build_form(self, ctx: Any) -> types.Object:
        from .adapt_tracker_form import build_form

        return build_form(ctx)

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.adaptation.adapt_tracker import run_adaptation
        from .adapt_tracker_form import options_of

        forms.unfold(ctx)
        samples, options = forms.target_of(ctx), options_of(ctx.params)
        report = yield from self.run(ctx, run_adaptation, samples, options)
        if report is not None and not ctx.delegated:
            yield show_text(ctx, self.TITLE, "\n\n".join(_told(report)))

    def __call__(self, sample_collection: Any, name: str, *, delegate: bool = False, **params: Any) -> Any:
        """Adapts a tracker from Python.

        Args:
            sample_collection: a video dataset or view
            name: of the new tracker
            delegate: schedule the run instead of waiting for it
            params: as for `point_tracking.adapt_tracker`

        Returns:
            the report of `adapt_tracker`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `adapt_tracker`
        """
        if delegate:
            return self.schedule(sample_collection, {"name": name, **params})
        from ...workflows.adaptation.adapt_tracker import adapt_tracker

        return adapt_tracker(sample_collection, name, **params)


def _told(report: Any) -> list[str]:
    """What became of a run, for a person who has not read how it works; paragraphs in markdown."""
    if report.cancelled:
        return [str(report)]
    parts = [_outcome(report), str(report), *report.notes]
    for heading, rows in (
        ("Held-out videos that were not judged by", [(f.filepath, f.message) for f in report.failures]),
        ("Clips that were not learnt from", report.warnings),
    ):
        if rows:
            parts += [f"**{heading}**", "\n".join(bullets(rows))]
    return [*parts, f"All of this is kept with the run `{report.run_key}`."]


def _outcome(report: Any) -> str:
    """The first sentence: better or not, and what to do now."""
    if report.kept:
        return (
            f"**Better: the new tracker is stored as `{report.name}`.** Choose it as *Tracker* in *Track points*, or "
            f'load it with `pt.load_tracker("{report.name}")`. Its weights: `{report.path}`. Terms: {report.terms}.'
        )
    return (
        f"**Not better than `{report.tracker}`: nothing was stored.** There is no new tracker of the name "
        f"`{report.name}`; one that had it before is as it was. What may help: more minutes (this run took "
        f"{count_of(report.steps, 'step')}; published gains took thousands), more videos, or a tracker to learn from "
        "that is better on them."
    )
