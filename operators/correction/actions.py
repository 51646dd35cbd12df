"""What can be done with selected points: what it comes to, in numbers, and doing it.

Adding an action: a subclass of `Action` in `ACTIONS` below, and its operator in `correct_points`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...store.corrections.corrections import read_corrections
from ...store.database.frame_documents import FrameStore
from ...store.runs.outcomes import count_of
from ...tracker.coordinates import frame_number_of
from ...tracker.errors import OptionError
from ...workflows.correction.edit_tracks import (
    hide_tracks,
    preview_edit,
    remove_tracks,
    shown_indices,
    undo_correction,
)
from ...workflows.correction.points import fields_with_tracks, tracked_sample
from .selected import Selection, open_sample_of, selection_of


class Action:
    """Something that is done to a video's tracks."""

    label = ""

    def preview(self, ctx: Any) -> str:
        """What it will come to.

        Raises:
            PointTrackingError: if it cannot be done
        """
        raise NotImplementedError

    def do(self, ctx: Any) -> str:
        """Does it, and says what was done."""
        raise NotImplementedError


class HideFromHere(Action):
    label = "Points are wrong from here on: hide them"

    def preview(self, ctx: Any) -> str:
        chosen = selection_of(ctx)
        number = frame_number_of(chosen.first_t)
        edit = preview_edit(chosen.sample, chosen.label_field, chosen.indices, chosen.first_t)
        return f"From frame {number} on, {edit} will be hidden: {chosen}"

    def do(self, ctx: Any) -> str:
        chosen = selection_of(ctx)
        edit = hide_tracks(chosen.sample, chosen.label_field, chosen.indices, chosen.first_t)
        return f"Hid {edit}"


class HideEverywhere(Action):
    label = "Points are wrong in all frames: hide them"

    def preview(self, ctx: Any) -> str:
        chosen = selection_of(ctx)
        return f"{preview_edit(chosen.sample, chosen.label_field, chosen.indices)} will be hidden: {chosen}"

    def do(self, ctx: Any) -> str:
        chosen = selection_of(ctx)
        return f"Hid {hide_tracks(chosen.sample, chosen.label_field, chosen.indices)}"


class Remove(Action):
    label = "Remove these tracks"

    def preview(self, ctx: Any) -> str:
        chosen = selection_of(ctx)
        edit = preview_edit(chosen.sample, chosen.label_field, chosen.indices)
        return f"{edit} will be deleted: {chosen}. The other tracks keep their numbers"

    def do(self, ctx: Any) -> str:
        chosen = selection_of(ctx)
        return f"Removed {remove_tracks(chosen.sample, chosen.label_field, chosen.indices)}"


class KeepOnly(Action):
    label = "Keep only these tracks"

    def preview(self, ctx: Any) -> str:
        chosen = selection_of(ctx)
        edit = preview_edit(chosen.sample, chosen.label_field, self._others(chosen))
        return f"{edit} will be deleted: all but {chosen}"

    def do(self, ctx: Any) -> str:
        chosen = selection_of(ctx)
        return f"Removed {remove_tracks(chosen.sample, chosen.label_field, self._others(chosen))}"

    def _others(self, chosen: Selection) -> list[int]:
        kept = set(chosen.indices)
        others = [index for index in shown_indices(chosen.sample, chosen.label_field) if index not in kept]
        if not others:
            raise OptionError("All tracks of this video are selected, so there is none to remove. Select fewer")
        return others


class Undo(Action):
    label = "Take the last correction of this video back"

    def preview(self, ctx: Any) -> str:
        sample = open_sample_of(ctx)
        name = field_of(ctx)
        found = tracked_sample(sample, name)
        replaced = FrameStore(ctx.dataset, name).replaced(found.sample_id)
        if replaced is None:
            raise OptionError("There is no correction of this video to take back. Only the last one is kept")
        return f"{count_of(len(replaced[1]), 'frame')} of {name} will be as they were before"

    def do(self, ctx: Any) -> str:
        number = undo_correction(open_sample_of(ctx), field_of(ctx))
        return f"Took the last correction back: {count_of(number, 'frame')} are as they were"


ACTIONS: Mapping[str, Action] = {
    "hide": HideFromHere(),
    "hide_all": HideEverywhere(),
    "remove": Remove(),
    "keep": KeepOnly(),
    "undo": Undo(),
}


def field_of(ctx: Any) -> str:
    """The field with tracks that the person chose; the only one, or that of the selected points, where none was.

    Raises:
        OptionError: if the dataset holds no tracks
    """
    tracked = fields_with_tracks(ctx.dataset)
    if not tracked:
        raise OptionError("This dataset holds no tracks yet. Use 'Track points' first")
    given = ctx.params.get("label_field")
    if given:
        return str(given).removeprefix("frames.")
    selected = [str(label["field"]).removeprefix("frames.") for label in ctx.selected_labels or ()]
    return next((name for name in selected if name in tracked), tracked[0])


def stored_corrections(ctx: Any) -> tuple[int, int]:
    """How many corrections the open video holds, and of how many tracks."""
    name = field_of(ctx)
    found = tracked_sample(open_sample_of(ctx), name)
    stored = read_corrections(FrameStore(ctx.dataset, name), found.sample_id, found.size_px)
    return len(stored), len({one.index for one in stored})
