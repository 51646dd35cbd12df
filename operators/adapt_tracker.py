"""The operator that trains a tracker further on the user's own videos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from . import forms
from .samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/adapt_tracker"
_ICON = "/assets/adapt_tracker.svg"


class AdaptTracker(SamplesOperator):
    """Adapts a tracker to unlabelled videos and keeps it only if it is better."""

    @property
    def config(self) -> foo.OperatorConfig:
        return self.samples_config(
            "adapt_tracker",
            label="Adapt a tracker",
            description=(
                "Train a point tracker further on your own videos, without labels; the result is kept under a name of "
                "its own only if it is better on videos that were held out"
            ),
            icon=_ICON,
        )

    def resolve_execution_options(self, ctx: Any) -> foo.ExecutionOptions:
        # takes half an hour and all of the machine
        return foo.ExecutionOptions(
            allow_immediate_execution=True, allow_delegated_execution=True, default_choice_to_delegated=True
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        from .adapt_tracker_form import build_form

        return types.Property(build_form(ctx), view=types.View(label="Adapt a tracker"))

    def execute(self, ctx: Any) -> Iterator[Any]:
        from ..tracker.dataset.adaptation import run
        from .adapt_tracker_form import options_of

        samples, options = forms.target_of(ctx), options_of(ctx.params)
        report = yield from self.run(ctx, run, samples, options)
        if not ctx.delegated:
            outputs = types.Object()
            outputs.str("summary", label="Result", view=types.MarkdownView())
            yield ctx.ops.show_output(
                outputs=types.Property(outputs, view=types.View(label="Adapt a tracker")).to_json(),
                results={"summary": "\n".join([str(report), "", *_unused(report)])},
            )

    def __call__(self, sample_collection: Any, name: str, *, delegate: bool = False, **params: Any) -> Any:
        """Adapts a tracker from Python.

        Args:
            sample_collection: a video data set or view
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
        from ..tracker.dataset.adaptation import adapt_tracker

        return adapt_tracker(sample_collection, name, **params)


def _unused(report: Any) -> list[str]:
    """What was left out, and why, as a markdown list."""
    failures = [(failure.filepath, f"not judged by: {failure.message}") for failure in report.failures]
    return [f"- `{path}`: {text}" for path, text in [*failures, *report.warnings]]
