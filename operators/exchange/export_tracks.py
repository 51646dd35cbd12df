"""The operator that writes tracks to files of other programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone.operators.types as types

from .exchange_operator import ExchangeOperator

URI = "@fo-video/point-tracking/export_tracks"


class ExportTracks(ExchangeOperator):
    """Writes point tracks, boxes and polylines to files."""

    NAME = "export_tracks"
    TITLE = "Export tracks"
    DESCRIPTION = "Write tracks to files of other programs: tables, pose estimation, COLMAP, CVAT, Nuke, Blender"
    WHEN_STOPPED = "Stopping the App ends it in order: finished files stay, and the same choices go on from there."

    def build_form(self, ctx: Any) -> types.Object:
        from .export_tracks_form import build_form

        return build_form(ctx)

    def work_of(self, params: dict[str, Any]) -> tuple[Callable[..., Any], Any]:
        from ...workflows.exchange.export_tracks import run_export
        from .export_tracks_form import field_of, options_of, path_of

        field, path, options = field_of(params), path_of(params), options_of(params)

        def run(samples: Any, told: Any, **hooks: Any) -> Any:
            return run_export(samples, field, path, told, **hooks)

        return run, options

    def called(self, sample_collection: Any, **params: Any) -> Any:
        from ...workflows.exchange.export_tracks import export_tracks

        return export_tracks(sample_collection, **params)
