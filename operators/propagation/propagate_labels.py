"""The operator that carries labels, drawn in a few frames, through the chosen videos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown, is_from_app, show_summary
from ..shared.refresh import OpenSample, show_what_is_stored
from ..shared.samples_operator import SamplesOperator

URI = "@fo-video/point-tracking/propagate_labels"


class PropagateLabels(SamplesOperator):
    """Carries boxes, masks, polylines and keypoints from a few frames to the others."""

    NAME = "propagate_labels"
    TITLE = "Propagate labels"
    DESCRIPTION = "Carry boxes, masks, polylines or keypoints that were drawn in a few frames through the others"
    PLACE = types.Places.SAMPLES_GRID_ACTIONS
    CLOSES_OPEN_SAMPLE = True
    WHEN_STOPPED = "Stopping the App ends it in order: what is finished stays, and the same choices go on from there."

    def build_form(self, ctx: Any) -> types.Object:
        from .propagate_labels_form import build_form

        return build_form(ctx)

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from ...store.labels.annotation import activate_annotation, is_editable
        from ...workflows.propagation.propagate_labels import declare_labels, run_propagation
        from .propagate_labels_form import options_of

        forms.unfold(ctx)
        samples, options = forms.target_of(ctx), options_of(ctx.params)
        editable = ctx.params.get("annotate", True)

        def activate(report: Any) -> None:
            if editable and report.num_samples and is_editable(samples._dataset, options.target_field):
                activate_annotation(samples._dataset, options.target_field)

        # an open Annotate tab saves what it holds of every frame: it is closed while labels are written
        is_open = OpenSample(ctx) if is_from_app(ctx) and forms.only_open_sample(ctx) else None
        if is_open is not None:
            declare_labels(samples._dataset, options)
            yield from is_open.before_new_fields()
        report = yield from self.run(ctx, run_propagation, samples, options, after=activate)
        if report is None or ctx.delegated:
            return
        if is_open is not None:
            yield from is_open.after()
        else:
            yield from show_what_is_stored(ctx)
        yield from show_summary(
            ctx,
            self.TITLE,
            report,
            failed="Not carried",
            warned="Carried, with a warning",
            notes=report.notes,
        )

    def __call__(self, sample_collection: Any, *, delegate: bool = False, **params: Any) -> Any:
        """Carries labels in a dataset or view from Python.

        Args:
            sample_collection: a video dataset or view
            delegate: schedule the run instead of waiting for it
            params: as for `point_tracking.propagate_labels`

        Returns:
            the report of `propagate_labels`, or FiftyOne's ExecutionResult where delegated

        Raises:
            PointTrackingError: as `propagate_labels`
        """
        if delegate:
            return self.schedule(sample_collection, params)
        from ...workflows.propagation.propagate_labels import propagate_labels

        return propagate_labels(sample_collection, **params)


class PropagateOpenSample(PropagateLabels):
    """The same for the video that is open: an operator has one place, and this one's is the sample's toolbar."""

    NAME = "propagate_open_sample"
    LABEL = "Propagate labels in the open video"
    DESCRIPTION = "Carry labels through the video that is open in the App; elsewhere, use Propagate labels"
    ICON = "propagate_labels"
    PLACE = types.Places.SAMPLES_VIEWER_ACTIONS
    UNLISTED = True
