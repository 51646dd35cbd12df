"""Operators that hide and remove tracks whose points were selected in the open video, and take that back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..shared import forms
from ..shared.background import errors_shown, is_from_app
from ..shared.refresh import OpenSample

_ICON = "/assets/correct_tracks.svg"


class EditPoints(foo.Operator):
    """What is done at once, without tracking: one of some actions, which the form tells in numbers."""

    NAME = ""
    LABEL = ""
    DESCRIPTION = ""
    # names of `actions.ACTIONS`; several are offered as a choice
    CHOICES: tuple[str, ...] = ()

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name=self.NAME,
            label=self.LABEL,
            description=self.DESCRIPTION,
            icon=_ICON,
            dynamic=True,
            execute_as_generator=True,
            # changes tracks; the last change can be taken back
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        from .actions import ACTIONS
        from .edit_points_form import add_field

        inputs = types.Object()
        if len(self.CHOICES) > 1:
            choices = types.RadioGroup()
            for name in self.CHOICES:
                choices.add_choice(name, label=ACTIONS[name].label)
            inputs.enum("action", list(self.CHOICES), default=self.CHOICES[0], label="What to do", view=choices)
        if self._action(ctx) == "undo":
            add_field(ctx, inputs)
        told: list[str] = []
        error = forms.error_of(lambda: told.append(ACTIONS[self._action(ctx)].preview(ctx)))
        if error is not None:
            forms.add_error(inputs, "cannot", error)
        else:
            inputs.view("preview", types.Notice(label=told[0]))
        return types.Property(inputs, view=types.View(label=self.LABEL))

    def _action(self, ctx: Any) -> str:
        given = ctx.params.get("action")
        return given if given in self.CHOICES else self.CHOICES[0]

    @errors_shown
    def execute(self, ctx: Any) -> Iterator[Any]:
        from .actions import ACTIONS

        text = ACTIONS[self._action(ctx)].do(ctx)
        yield ctx.ops.clear_selected_labels()
        if is_from_app(ctx) and ctx.current_sample is not None:
            yield from OpenSample(ctx).after()
        yield ctx.ops.notify(text, variant="success")


class HidePoints(EditPoints):
    """Hides tracks from the frame on in which they were selected, or in all frames."""

    NAME = "hide_points"
    LABEL = "Points are wrong from here"
    DESCRIPTION = "Hide the tracks of the selected points from this frame on, or in all frames"
    CHOICES = ("hide", "hide_all")

    def __call__(self, sample: Any, label_field: str, indices: Sequence[int], **params: Any) -> Any:
        """Hides tracks from Python; arguments, result and errors as of `point_tracking.hide_tracks`."""
        from ...workflows.correction.edit_tracks import hide_tracks

        return hide_tracks(sample, label_field, indices, **params)


class RemoveTracks(EditPoints):
    """Deletes the tracks of the selected points."""

    NAME = "remove_tracks"
    LABEL = "Remove tracks"
    DESCRIPTION = "Delete the tracks of the selected points from all frames of the open video"
    CHOICES = ("remove",)

    def __call__(self, sample: Any, label_field: str, indices: Sequence[int]) -> Any:
        """Removes tracks from Python; arguments, result and errors as of `point_tracking.remove_tracks`."""
        from ...workflows.correction.edit_tracks import remove_tracks

        return remove_tracks(sample, label_field, indices)


class KeepTracks(EditPoints):
    """Deletes all tracks but those of the selected points."""

    NAME = "keep_tracks"
    LABEL = "Keep only these tracks"
    DESCRIPTION = "Delete all tracks of the open video but those of the selected points"
    CHOICES = ("keep",)

    def __call__(self, sample: Any, label_field: str, indices: Sequence[int]) -> Any:
        """Removes all tracks but some from Python; as of `point_tracking.remove_tracks` for the others."""
        from ...workflows.correction.edit_tracks import remove_tracks, shown_indices

        kept = set(indices)
        others = [index for index in shown_indices(sample, label_field) if index not in kept]
        return remove_tracks(sample, label_field, others)


class UndoCorrection(EditPoints):
    """Takes the last correction of the open video back."""

    NAME = "undo_correction"
    LABEL = "Take the last correction back"
    DESCRIPTION = "Put the tracks of the open video back as they were before the last correction"
    CHOICES = ("undo",)

    def __call__(self, sample: Any, label_field: str) -> int:
        """Takes the last correction back from Python; as `point_tracking.undo_correction`."""
        from ...workflows.correction.edit_tracks import undo_correction

        return undo_correction(sample, label_field)


class CorrectOpenSample(EditPoints):
    """All of these in one form, in the toolbar of the open video."""

    NAME = "correct_open_sample"
    LABEL = "Correct the selected points"
    DESCRIPTION = "Hide or remove the tracks of the selected points of the open video, or take the last correction back"
    CHOICES = ("hide", "hide_all", "remove", "keep", "undo")

    @property
    def config(self) -> foo.OperatorConfig:
        config = super().config
        config.unlisted = True
        return config

    def resolve_placement(self, ctx: Any) -> types.Placement:
        button = types.Button(label=self.LABEL, icon=_ICON, prompt=True)
        return types.Placement(types.Places.SAMPLES_VIEWER_ACTIONS, button)
