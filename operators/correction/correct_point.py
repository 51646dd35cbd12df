"""Operators that place a selected point, and that follow tracks again from all their corrections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import fiftyone.operators.types as types

from ..shared.background import errors_shown, is_from_app
from ..shared.refresh import OpenSample
from ..shared.samples_operator import SamplesOperator


class _Retracking(SamplesOperator):
    """Follows tracks of the open video again, with progress."""

    ICON = "correct_tracks"
    ALLOWS_SCHEDULING = False
    WHEN_STOPPED = "Stopping the App ends it: corrections stay, and 'Retrack from corrections' goes on from them."

    def options(self, ctx: Any) -> Any:
        """(sample, options of `correct_tracks`) for the values of the form."""
        raise NotImplementedError

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...workflows.correction.correct_tracks import run_correction

        sample, options = self.options(ctx)
        report = yield from self.run(ctx, run_correction, sample, options)
        yield ctx.ops.clear_selected_labels()
        if report is None:
            return
        if is_from_app(ctx) and ctx.current_sample is not None:
            yield from OpenSample(ctx).after()
        yield ctx.ops.notify(str(report), variant="success")


class CorrectPoint(_Retracking):
    """Says where a selected point really is."""

    NAME = "correct_point"
    TITLE = "Correct a point"
    DESCRIPTION = "Say where the selected point of the open video really is, and follow its track from there"

    def build_form(self, ctx: Any) -> types.Object:
        from .correct_point_form import build_point_form

        return build_point_form(ctx)

    def options(self, ctx: Any) -> Any:
        from .correct_point_form import point_options

        return point_options(ctx)

    def __call__(self, sample: Any, label_field: str, corrections: Sequence[Sequence[float]], **params: Any) -> Any:
        """Corrects tracks from Python; arguments, result and errors as of `point_tracking.correct_tracks`."""
        from ...workflows.correction.correct_tracks import correct_tracks

        return correct_tracks(sample, label_field, corrections, **params)


class RetrackCorrections(_Retracking):
    """Follows all corrected tracks of the open video again."""

    NAME = "retrack_corrections"
    TITLE = "Retrack from corrections"
    DESCRIPTION = "Follow all corrected tracks of the open video again, through all their corrections"

    def build_form(self, ctx: Any) -> types.Object:
        from .correct_point_form import build_retrack_form

        return build_retrack_form(ctx)

    def options(self, ctx: Any) -> Any:
        from .correct_point_form import retrack_options

        return retrack_options(ctx)

    def __call__(self, sample: Any, label_field: str, **params: Any) -> Any:
        """Follows corrected tracks again from Python; as `point_tracking.correct_tracks(sample, label_field, [])`."""
        from ...workflows.correction.correct_tracks import correct_tracks

        return correct_tracks(sample, label_field, [], **params)
