"""The operator that makes small copies of videos, with a way back to their frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown, show_summary
from ..shared.refresh import show_what_is_stored
from ..shared.samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/preprocess_videos"


class PreprocessVideos(SamplesOperator):
    """Copies videos at a lower rate or size; sources are only read."""

    NAME = "preprocess_videos"
    TITLE = "Preprocess videos"
    DESCRIPTION = (
        "Make small copies of long, large or unplayable videos before tracking points; tracks made on the "
        "copies can be written back onto the original frames"
    )
    PLACE = types.Places.SAMPLES_GRID_ACTIONS
    WHEN_STOPPED = (
        "Stopping the App ends it in order: what is finished stays, and the same folder and choices go on from there."
    )

    def build_form(self, ctx: Any) -> types.Object:
        from .preprocess_videos_form import build_form

        return build_form(ctx)

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.preprocessing.preprocess_dataset import run_preprocessing
        from .preprocess_videos_form import OPEN_DATASET, options_of

        forms.unfold(ctx)
        samples, options = forms.target_of(ctx), options_of(ctx.params)
        report = yield from self.run(ctx, run_preprocessing, samples, options)
        if report is None or ctx.delegated:
            return
        if report.media_field is not None:
            yield from show_what_is_stored(ctx)
        opens = report.dataset_name is not None and ctx.params.get("open_dataset", OPEN_DATASET)
        yield from show_summary(
            ctx,
            self.TITLE,
            report,
            failed="Not preprocessed",
            warned="Preprocessed, with a warning",
            dataset=ctx.dataset.name if opens else "",
        )
        if opens:
            yield ctx.ops.open_dataset(report.dataset_name)

    def __call__(self, sample_collection: Any, output_dir: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Preprocesses a dataset or view from Python.

        Args:
            sample_collection: a video dataset or view
            output_dir: folder for the copies
            delegate: schedule the run instead of waiting for it
            params: as for `point_tracking.preprocess_dataset`

        Returns:
            the report of `preprocess_dataset`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `preprocess_dataset`
        """
        if delegate:
            return self.schedule(sample_collection, {"output_dir": str(output_dir), **params})
        from ...workflows.preprocessing.preprocess_dataset import preprocess_dataset

        return preprocess_dataset(sample_collection, output_dir, **params)
