"""The operator that reads tracks from files of other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown
from ..shared.refresh import show_what_is_stored
from ..shared.samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/import_tracks"
_ICON = "/assets/import_tracks.svg"


class ImportTracks(SamplesOperator):
    """Reads files into frame fields of the samples that they are of."""

    @property
    def config(self) -> foo.OperatorConfig:
        return self.samples_config(
            "import_tracks",
            label="Import tracks",
            description="Read tracks from files of other programs onto the videos that they are of",
            icon=_ICON,
        )

    def resolve_placement(self, ctx: Any) -> types.Placement:
        return types.Placement(
            types.Places.SAMPLES_GRID_SECONDARY_ACTIONS, types.Button(label="Import tracks", icon=_ICON, prompt=True)
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        from .import_tracks_form import build_form

        return types.Property(build_form(ctx), view=types.View(label="Import tracks"))

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.exchange.import_tracks import run_import
        from .exchange_inputs import show_report
        from .import_tracks_form import options_of, path_of

        forms.unfold(ctx)
        path, options = path_of(ctx.params), options_of(ctx.params)

        def run(samples: Any, told: Any, **hooks: Any) -> Any:
            return run_import(samples, path, told, **hooks)

        report = yield from self.run(ctx, run, forms.target_of(ctx), options)
        if report is not None and not ctx.delegated:
            yield from show_what_is_stored(ctx)
            yield from show_report(ctx, "Import tracks", report)

    def __call__(self, sample_collection: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Imports tracks onto a dataset or view from Python.

        Args:
            sample_collection: a video dataset or view
            delegate: schedule it instead of waiting for it
            params: as for `point_tracking.import_tracks`

        Returns:
            the report of `import_tracks`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `import_tracks`
        """
        if delegate:
            return self.schedule(sample_collection, params)
        from ...workflows.exchange.import_tracks import import_tracks

        return import_tracks(sample_collection, **{"field": None, **params})
