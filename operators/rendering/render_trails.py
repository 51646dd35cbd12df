"""The operator that draws tracks on their videos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown, show_summary
from ..shared.refresh import show_what_is_stored
from ..shared.samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/render_trails"
_FILES_NAMED = 10


class RenderTrails(SamplesOperator):
    """Draws tracks on their videos: as videos, pictures or animated pictures; samples and videos are only read."""

    NAME = "render_trails"
    TITLE = "Render trails"
    DESCRIPTION = (
        "Draw tracks with trails on their videos, as videos, pictures or animated pictures: in a folder, "
        "beside the videos, or shown in the App as media"
    )
    PLACE = types.Places.SAMPLES_GRID_SECONDARY_ACTIONS
    WHEN_STOPPED = (
        "Stopping the App ends it in order: finished files stay, and the same choices with *Leave finished files "
        "alone* go on from there."
    )

    def build_form(self, ctx: Any) -> types.Object:
        from .render_trails_form import build_form

        return build_form(ctx)

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.rendering.render_dataset import run_rendering
        from .render_trails_form import options_of

        forms.unfold(ctx)
        samples, options = forms.target_of(ctx), options_of(ctx.params)
        report = yield from self.run(ctx, run_rendering, samples, options)
        if report is None or ctx.delegated:
            return
        if report.media_field is not None:
            yield from show_what_is_stored(ctx)
        yield from show_summary(
            ctx,
            self.TITLE,
            report,
            failed="Not drawn",
            warned="Drawn, with a warning",
            notes=_where_to_look(report),
        )

    def __call__(self, sample_collection: Any, output_dir: Any = None, *, delegate: bool = False, **params: Any) -> Any:
        """Draws the tracks of a dataset or view from Python.

        Args:
            sample_collection: a video dataset or view
            output_dir: folder for the files; None = each beside its video
            delegate: schedule the run instead of waiting for it
            params: as for `point_tracking.render_dataset`; `label_field` is "tracks" where not given

        Returns:
            the report of `render_dataset`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `render_dataset`
        """
        from ...workflows.rendering.options import RENDER_DEFAULTS
        from ...workflows.rendering.render_dataset import render_dataset

        label_field = params.pop("label_field", RENDER_DEFAULTS.label_field)
        if delegate:
            place = {"place": "beside"} if output_dir is None else {"output_dir": str(output_dir)}
            return self.schedule(sample_collection, {"label_field": label_field, **place, **params})
        return render_dataset(sample_collection, label_field, output_dir, **params)


class RenderOpenSample(RenderTrails):
    """The same for the video that is open: an operator has one place, and this one's is the sample's toolbar."""

    NAME = "render_open_sample"
    LABEL = "Render trails of the open video"
    DESCRIPTION = "Draw the tracks of the video that is open in the App; elsewhere, use Render trails"
    ICON = "render_trails"
    PLACE = types.Places.SAMPLES_VIEWER_ACTIONS
    UNLISTED = True


def _where_to_look(report: Any) -> list[str]:
    """Where the files are, as lines in markdown."""
    paths = [outcome.output_path for outcome in report.outcomes if outcome.output_path]
    lines = [f"- `{path}`" for path in paths[:_FILES_NAMED]]
    if len(paths) > _FILES_NAMED:
        lines.append(f"- ... and {len(paths) - _FILES_NAMED:,} more")
    if report.media_field is not None and paths:
        lines += [
            "",
            f"To see them in place of the videos: the gear above the grid, or above an open sample, *Media field*, "
            f"`{report.media_field}`.",
        ]
    return lines
