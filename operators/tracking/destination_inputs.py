"""The part of Track points' form about where tracks are written: media, field, and what is there already."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...store.database.fields import FRAMES_PREFIX, check_label_field, has_label_field
from ...store.runs.outcomes import count_of
from ...store.runs.records import run_keys
from ...store.tracks.sample_status import FieldContents, count_labels, read_contents
from ...store.tracks.source_links import FILEPATH, media_fields_with_copies, source_dataset, source_ids
from ...store.tracks.videos import videos_of
from ...tracker.errors import CollectionError, FieldExistsError, OptionError
from ...workflows.tracking.options import TRACK_DEFAULTS, WRITE_TO, TrackOptions
from ...workflows.tracking.targets import failed_samples, labels_elsewhere
from ..shared import forms


def written_to(ctx: Any) -> fo.Dataset:
    """The dataset that tracks are written to, which also holds the runs."""
    if ctx.params.get("write_to") != "source" or (ctx.params.get("media_field") or FILEPATH) != FILEPATH:
        return ctx.dataset
    try:
        return source_dataset(forms.target_of(ctx))
    except CollectionError:
        return ctx.dataset  # the run says what is wrong


def chosen_samples(ctx: Any, destination: fo.Dataset) -> Any:
    """The samples that the user chose; where only those that failed before are wanted, these."""
    target, run_key = forms.target_of(ctx), ctx.params.get("only_failed_of")
    if not run_key or run_key not in run_keys(destination, TrackOptions.METHOD):
        return target
    return target.select(failed_samples(target, destination, run_key))


def add_media(ctx: Any, inputs: types.Object) -> None:
    """Where samples are preprocessed copies, or have them: what to track, and which frames to write to."""
    fields = media_fields_with_copies(ctx.dataset)
    if not fields:
        return
    chosen = ctx.params.get("media_field") or TRACK_DEFAULTS.media_field
    if fields != [FILEPATH]:
        choices = types.DropdownView()
        for name in dict.fromkeys([FILEPATH, *fields]):
            choices.add_choice(name, label=name)
        inputs.enum(
            "media_field",
            choices.values(),
            default=TRACK_DEFAULTS.media_field,
            label="Media to track",
            description="Tracks of preprocessed media are written onto the frame numbers of the videos in filepath",
            view=choices,
        )
    write_to = ctx.params.get("write_to") or (TRACK_DEFAULTS.write_to if chosen == FILEPATH else "source")
    if chosen in fields:
        choices = types.RadioGroup()
        for name in WRITE_TO if chosen == FILEPATH else ("source",):
            choices.add_choice(name, label=WRITE_TO[name])
        prop = inputs.enum(
            "write_to", choices.values(), default=choices.values()[0], label="Write tracks onto", view=choices
        )
        forms.check_field(prop, lambda: TrackOptions(media_field=chosen, write_to=write_to))
    if write_to == "source":
        inputs.bool(
            "interpolate",
            default=TRACK_DEFAULTS.interpolate,
            label="Fill the frames in between",
            description="Linearly, where a point is visible on both sides; marked with interpolated = True",
        )


def add_destination(ctx: Any, inputs: types.Object, destination: fo.Dataset, chosen: Any) -> Any:
    """Asks for the field to write to, and what to do with what it holds already.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        destination: the dataset that is written to
        chosen: the samples

    Returns:
        of these, those that will be tracked: without finished ones that are left alone
    """
    label_field, contents = ctx.params.get("label_field", TRACK_DEFAULTS.label_field), None
    if isinstance(label_field, str) and has_label_field(destination, label_field):
        contents = read_contents(destination, _among(destination, chosen).values("id"), label_field)
    _add_label_field(ctx, inputs, destination, contents)
    _add_existing(ctx, inputs, destination, contents, label_field)
    if contents is None or not ctx.params.get("skip_existing") or destination.name != ctx.dataset.name:
        return chosen
    return chosen.exclude(list(contents.finished))


def add_only_failed(ctx: Any, inputs: types.Object, destination: fo.Dataset) -> None:
    """Where there were runs before: the choice to run only what failed in one of them."""
    keys = run_keys(destination, TrackOptions.METHOD)
    if not keys and not ctx.params.get("only_failed_of"):
        return
    choices = types.DropdownView()
    for key in keys:
        choices.add_choice(key, label=key)
    prop = inputs.str(
        "only_failed_of",
        label="Only what failed in an earlier run",
        description="Leave empty to track all chosen samples",
        view=choices,
    )
    if ctx.params.get("only_failed_of"):
        forms.check_field(prop, lambda: _check_failed(ctx, destination))


def _check_failed(ctx: Any, destination: fo.Dataset) -> None:
    if not failed_samples(forms.target_of(ctx), destination, ctx.params["only_failed_of"]):
        raise OptionError("None of the chosen samples failed in this run. Leave it empty, or choose another run")


def _add_label_field(ctx: Any, inputs: types.Object, destination: fo.Dataset, contents: FieldContents | None) -> None:
    label_field = ctx.params.get("label_field", TRACK_DEFAULTS.label_field)
    prop = inputs.str(
        "label_field",
        default=TRACK_DEFAULTS.label_field,
        label="Label field",
        description="Name of the frame field to write, without 'frames.'",
    )
    forms.check_field(prop, lambda: check_label_field(destination, label_field))
    if contents is not None and labels_elsewhere(destination, contents, label_field):
        number = videos_of(destination).count(f"{FRAMES_PREFIX}{label_field}.keypoints")
        text = (
            f"Other samples of this dataset hold {count_of(number, 'label')} in {FRAMES_PREFIX}{label_field} that "
            "point tracking did not write, such as labels made by hand. Tracks are not written beside them: choose "
            "another field"
        )
        forms.show_error(prop, FieldExistsError(text))


def _add_existing(
    ctx: Any, inputs: types.Object, destination: fo.Dataset, contents: FieldContents | None, label_field: str
) -> None:
    overwrite, skip = bool(ctx.params.get("overwrite")), bool(ctx.params.get("skip_existing"))
    if contents is None and not overwrite and not skip:
        return
    num_held = 0
    if contents is not None:
        num_held = len(contents.written)
        _add_replace_labels(ctx, inputs, destination, contents.foreign, label_field)
        finished = len(contents.finished)
        inputs.view(
            "field_exists",
            types.Warning(
                label=f"frames.{label_field} exists; finished among the chosen samples: {finished:,}",
                description="Replace their tracks, leave finished samples alone, or choose another label field",
            ),
        )
    inputs.bool(
        "skip_existing",
        default=TRACK_DEFAULTS.skip_existing,
        label="Leave finished samples alone",
        description="Continues a run that was interrupted: tracks the samples that failed or were not reached",
    )
    prop = inputs.bool("overwrite", default=TRACK_DEFAULTS.overwrite, label="Replace existing tracks")
    if overwrite and skip:
        forms.check_field(prop, lambda: TrackOptions(overwrite=True, skip_existing=True))
    elif num_held and not overwrite and not skip:
        prop.invalid = True
        prop.error_message = f"Chosen samples that already hold tracks: {num_held:,}. Replace them, or leave them alone"


def _add_replace_labels(
    ctx: Any, inputs: types.Object, destination: fo.Dataset, foreign: set[str], label_field: str
) -> None:
    """Where the field holds labels that no run made: asks for their number, which nobody types by mistake."""
    if not foreign:
        return
    number = count_labels(destination, foreign, label_field)
    prop = inputs.int(
        "replace_labels",
        label="Number of labels to delete",
        description=(
            f"frames.{label_field} holds {count_of(number, 'label')} in {count_of(len(foreign), 'chosen sample')} that "
            f"point tracking did not write, such as labels made by hand"
        ),
    )
    if ctx.params.get("replace_labels") != number:
        prop.invalid = True
        prop.error_message = f"Choose another label field; or type {number} to delete these labels for the tracks"


def _among(destination: fo.Dataset, chosen: Any) -> Any:
    """The samples whose frames are written, where the chosen ones are copies of them."""
    return chosen if destination.name == chosen._dataset.name else destination.select(source_ids(chosen))
