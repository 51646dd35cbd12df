"""The operator that reads tracks from files of other programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone.operators.types as types

from .exchange_operator import ExchangeOperator

URI = "@fo-video/point-tracking/import_tracks"


class ImportTracks(ExchangeOperator):
    """Reads files into frame fields of the samples that they are of."""

    NAME = "import_tracks"
    TITLE = "Import tracks"
    DESCRIPTION = "Read tracks from files of other programs onto the videos that they are of"
    STORES = True

    def build_form(self, ctx: Any) -> types.Object:
        from .import_tracks_form import build_form

        return build_form(ctx)

    def work_of(self, params: dict[str, Any]) -> tuple[Callable[..., Any], Any]:
        from ...workflows.exchange.import_tracks import run_import
        from .import_tracks_form import options_of, path_of

        path, options = path_of(params), options_of(params)

        def run(samples: Any, told: Any, **hooks: Any) -> Any:
            return run_import(samples, path, told, **hooks)

        return run, options

    def called(self, sample_collection: Any, **params: Any) -> Any:
        from ...workflows.exchange.import_tracks import import_tracks

        return import_tracks(sample_collection, **{"field": None, **params})
