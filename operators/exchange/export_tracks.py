"""The operator that writes tracks to files of other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown
from ..shared.samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/export_tracks"
_ICON = "/assets/export_tracks.svg"


class ExportTracks(SamplesOperator):
    """Writes point tracks, boxes and polylines to files."""

    WHEN_STOPPED = "Stopping the App ends it in order: finished files stay, and the same choices go on from there."

    @property
    def config(self) -> foo.OperatorConfig:
        return self.samples_config(
            "export_tracks",
            label="Export tracks",
            description="Write tracks to files of other programs: tables, pose estimation, COLMAP, CVAT, Nuke, Blender",
            icon=_ICON,
        )

    def resolve_placement(self, ctx: Any) -> types.Placement:
        return types.Placement(
            types.Places.SAMPLES_GRID_SECONDARY_ACTIONS, types.Button(label="Export tracks", icon=_ICON, prompt=True)
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        from .export_tracks_form import build_form

        return types.Property(build_form(ctx), view=types.View(label="Export tracks"))

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.exchange.export_tracks import run_export
        from .exchange_inputs import show_report
        from .export_tracks_form import field_of, options_of, path_of

        forms.unfold(ctx)
        field, path, options = field_of(ctx.params), path_of(ctx.params), options_of(ctx.params)

        def run(samples: Any, told: Any, **hooks: Any) -> Any:
            return run_export(samples, field, path, told, **hooks)

        report = yield from self.run(ctx, run, forms.target_of(ctx), options)
        if report is not None and not ctx.delegated:
            yield from show_report(ctx, "Export tracks", report)

    def __call__(self, sample_collection: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Exports tracks of a dataset or view from Python.

        Args:
            sample_collection: a video dataset or view
            delegate: schedule it instead of waiting for it
            params: as for `point_tracking.export_tracks`

        Returns:
            the report of `export_tracks`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `export_tracks`
        """
        if delegate:
            return self.schedule(sample_collection, params)
        from ...workflows.exchange.export_tracks import export_tracks

        return export_tracks(sample_collection, **params)
