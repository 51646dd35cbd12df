"""What *Export tracks* and *Import tracks* share: where they are offered, how they are run, and how they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown
from ..shared.refresh import show_what_is_stored
from ..shared.samples_operator import SamplesOperator
from .exchange_inputs import show_report


class ExchangeOperator(SamplesOperator):
    """An exchange of tracks with files.

    A subclass brings what a run does and the function for Python, beside what every operator on samples brings.
    """

    PLACE = types.Places.SAMPLES_GRID_SECONDARY_ACTIONS
    # whether labels are stored, so that the App has to show them
    STORES: ClassVar[bool] = False

    def work_of(self, params: dict[str, Any]) -> tuple[Callable[..., Any], Any]:
        """(what a run calls with samples, options and hooks, the options) for the form's values.

        Raises:
            PointTrackingError: for values that are not supported
        """
        raise NotImplementedError

    def called(self, sample_collection: Any, **params: Any) -> Any:
        """What the operator does when it is called from Python."""
        raise NotImplementedError

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        forms.unfold(ctx)
        run, options = self.work_of(ctx.params)
        report = yield from self.run(ctx, run, forms.target_of(ctx), options)
        if report is not None and not ctx.delegated:
            if self.STORES:
                yield from show_what_is_stored(ctx)
            yield from show_report(ctx, self.TITLE, report)

    def __call__(self, sample_collection: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Does the same for a dataset or view from Python.

        Args:
            sample_collection: a video dataset or view
            delegate: schedule it instead of waiting for it
            params: as for the function of this name in `point_tracking`

        Returns:
            that function's report, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as that function
        """
        if delegate:
            return self.schedule(sample_collection, params)
        return self.called(sample_collection, **params)
