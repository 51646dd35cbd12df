"""The operator that makes small copies of videos, with a way back to their frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from . import forms
from .background import run_in_thread, show_summary

URI = "@fo-video/point-tracking/preprocess_videos"


class PreprocessVideos(foo.Operator):
    """Copies videos at a lower rate or size; sources are only read."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="preprocess_videos",
            label="Preprocess videos",
            description=(
                "Make small copies of long, large or unplayable videos before tracking points; tracks made on the "
                "copies can be written back onto the original frames"
            ),
            icon="video_settings",
            dynamic=True,
            execute_as_generator=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            # writes files into a folder the user names; replaces only copies, and only when told to
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        from .preprocess_videos_form import build_form

        return types.Property(build_form(ctx), view=types.View(label="Preprocess videos"))

    def resolve_execution_options(self, ctx: Any) -> foo.ExecutionOptions:
        large = len(forms.target_of(ctx)) > forms.DELEGATE_ABOVE if ctx.dataset is not None else False
        return foo.ExecutionOptions(
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            default_choice_to_delegated=large,
        )

    def execute(self, ctx: Any) -> Iterator[Any]:
        from ..tracker.dataset.preprocess import run
        from .preprocess_videos_form import options_of

        samples, options = forms.target_of(ctx), options_of(ctx.params)
        if ctx.delegated:
            run(samples, options, progress=lambda p: ctx.set_progress(progress=p.progress, label=p.message))
            return
        report = yield from run_in_thread(ctx, run, samples, options)
        if report.media_field is not None:
            yield ctx.trigger("reload_dataset")
        yield from show_summary(
            ctx, "Preprocess videos", report, failed="Not preprocessed", warned="Preprocessed, with a warning"
        )

    def __call__(self, sample_collection: Any, output_dir: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Preprocesses a data set or view from Python.

        Args:
            sample_collection: a video data set or view
            output_dir: folder for the copies
            delegate: schedule the run instead of waiting for it
            params: as for `point_tracking.preprocess_dataset`

        Returns:
            the report of `preprocess_dataset`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `preprocess_dataset`
        """
        if delegate:
            return foo.execute_operator(
                self.uri,
                {"view": sample_collection.view()},
                params={"output_dir": str(output_dir), **params},
                request_delegation=True,
            )
        from ..tracker.dataset.preprocess import preprocess_dataset

        return preprocess_dataset(sample_collection, output_dir, **params)
