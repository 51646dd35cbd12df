"""The operator that shows the tracks of the open video that are most likely wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import fiftyone.operators.types as types

from ...store.runs.outcomes import count_of, table_of
from ...tracker.coordinates import frame_number_of
from ...workflows.correction.points import tracked_sample
from ...workflows.correction.suggest_points import DEFAULT_SHARE, SuspectTrack, suggest_points, view_of_tracks
from ...workflows.lifecycle.progress import Progress
from ..shared import forms
from ..shared.background import errors_shown, is_from_app, show_text
from ..shared.refresh import OpenSample
from ..shared.samples_operator import SamplesOperator
from .actions import field_of
from .edit_points_form import add_field
from .selected import open_sample_of

_SHOWN = 50
_NAMED = 10


@dataclass(frozen=True)
class Suggestions:
    """The tracks to check.

    Args:
        label_field: of the tracks
        tracks: the most suspicious first
    """

    label_field: str
    tracks: tuple[SuspectTrack, ...]

    @property
    def indices(self) -> list[int]:
        return [one.index for one in self.tracks]

    def __str__(self) -> str:
        named = ", ".join(str(index) for index in self.indices[:_NAMED])
        more = ", ..." if len(self.tracks) > _NAMED else ""
        return f"{count_of(len(self.tracks), 'track')} of {self.label_field} to check first: {named}{more}"

    def table(self) -> str:
        """The tracks with what speaks against them, as a table in markdown."""
        rows = [
            {
                "track": one.index,
                "frame to look at": int(frame_number_of(one.frame_index)),
                "suspicion (%)": f"{one.suspicion:.0%}"[:-1],
                "way back (px)": one.cycle_px,
                "jump (px)": one.jump_px,
                "least confidence": f"{1 - one.doubt:.2f}",
            }
            for one in self.tracks[:_SHOWN]
        ]
        return table_of(rows, list(rows[0])) if rows else ""


class SuggestPoints(SamplesOperator):
    """Orders the tracks of the open video by how likely they are wrong, and shows the first of them."""

    NAME = "suggest_points"
    TITLE = "Suggest points to check"
    DESCRIPTION = "Show the tracks of the open video that are most likely wrong"
    ICON = "correct_tracks"
    ALLOWS_SCHEDULING = False
    RISK = types.RiskLevel.LOW  # writes nothing
    WHEN_STOPPED = "Stopping the App ends it; nothing is written by it."

    def build_form(self, ctx: Any) -> types.Object:
        inputs = types.Object()
        add_field(ctx, inputs)
        error = forms.error_of(lambda: tracked_sample(open_sample_of(ctx), field_of(ctx)))
        if error is not None:
            forms.add_error(inputs, "cannot", error)
        label, description = "Percent of the tracks to show", "Above 0, up to 100"
        prop = inputs.float("percent", default=100 * DEFAULT_SHARE, label=label, description=description)
        given = ctx.params.get("percent")
        if given is not None and not 0 < given <= 100:
            prop.invalid, prop.error_message = True, f"Invalid percentage ({given:g}). Expected more than 0, up to 100"
        inputs.bool(
            "cycle",
            default=True,
            label="Send points back to their start",
            description="Takes as long as tracking, and finds more: a point that does not come back was lost",
        )
        return inputs

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        sample, label_field = open_sample_of(ctx), field_of(ctx)
        share = (ctx.params.get("percent") or 100 * DEFAULT_SHARE) / 100
        cycle = bool(ctx.params.get("cycle", True))

        def work(sample: Any, label_field: str, *, progress: Any, cancelled: Callable[[], bool] | None = None) -> Any:
            def told(done: float) -> None:
                if progress is not None:
                    progress(Progress(0, 1, done, sample.filepath))

            found = suggest_points(sample, label_field, share=share, cycle=cycle, progress=told, cancelled=cancelled)
            return Suggestions(label_field, tuple(found))

        found = yield from self.run(ctx, work, sample, label_field)
        if found is None:
            return
        yield ctx.ops.set_view(view=view_of_tracks(sample, label_field, found.indices))
        if is_from_app(ctx) and ctx.current_sample is not None:
            yield from OpenSample(ctx).after()
        text = "The view shows them alone; clear the view bar above the grid to see all again."
        yield show_text(ctx, self.TITLE, f"**{found}.** {text}\n\n{found.table()}")

    def __call__(self, sample: Any, label_field: str, **params: Any) -> list[SuspectTrack]:
        """Suggests tracks to check from Python; arguments, result and errors as of `point_tracking.suggest_points`."""
        return suggest_points(sample, label_field, **params)
