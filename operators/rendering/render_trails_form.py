"""The form of `render_trails`: what to draw, how it looks, where the files go, and how its values are read."""

from __future__ import annotations

import os
from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...store.runs.outcomes import count_of
from ...tracker.errors import OptionError, OutputExistsError
from ...tracker.rendering.options import MAX_SIDE, MIN_SIDE
from ...tracker.rendering.output import ANIMATION_SIDE, VIDEO
from ...workflows.correction.points import fields_with_tracks
from ...workflows.lifecycle.run import choose_key
from ...workflows.output_files.folders import check_writable
from ...workflows.output_files.side_by_side import check_num_workers
from ...workflows.rendering.options import RENDER_DEFAULTS, SUFFIXES, RenderOptions
from ...workflows.rendering.render_dataset import check_render_fields
from ..shared import forms

MEDIA_FIELD = "trails"
_FOLDER, _BESIDE = "folder", "beside"
_PLACES = {_FOLDER: "In one folder", _BESIDE: "Each beside its video"}
_REFUSE = "refuse"
_EXISTING = {
    _REFUSE: "Refuse to begin",
    "skip_existing": "Leave finished files alone: makes those that are missing",
    "overwrite": "Replace existing files",
}
_NONE = ""
# files that are looked for before a run
_LOOKED_FOR = 1000


def build_form(ctx: Any) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context

    Returns:
        the inputs
    """
    forms.unfold(ctx)
    inputs, more = types.Object(), types.Object()
    if not forms.add_videos(ctx, inputs, "Render trails of", blocked="Point tracking needs videos"):
        return inputs
    fields = fields_to_draw(ctx.dataset)
    if not fields:
        error = OptionError("There are no tracks to draw: track points first, or import some")
        forms.add_error(inputs, "no_tracks", error)
        return inputs
    _add_fields(ctx, inputs, fields)
    _add_section(inputs, "look", "What it looks like")
    forms.add_options(ctx, inputs, RenderOptions, "look")
    _add_section(inputs, "files", "The files")
    suffix = _add_suffix(ctx, inputs)
    _add_size(ctx, inputs, suffix)
    _add_place(ctx, inputs)
    if suffix == VIDEO:
        _add_media_field(ctx, inputs)
        more.bool("keep_audio", default=RENDER_DEFAULTS.keep_audio, label="Keep the sound")
    _add_existing(ctx, inputs)
    _add_number(ctx, inputs)
    _add_workers(ctx, more)
    forms.add_run_key(ctx, more, lambda key: choose_key(ctx.dataset, RenderOptions(run_key=key, overwrite=_again(ctx))))
    forms.add_folded(inputs, more)
    return inputs


def fields_to_draw(dataset: fo.Dataset) -> list[str]:
    """The frame fields of keypoints: those that runs wrote first, the usual one before all others.

    Args:
        dataset: the dataset
    """
    schema = dataset.get_frame_field_schema(flat=False) or {}
    found = [name for name, field in schema.items() if getattr(field, "document_type", None) is fo.Keypoints]
    tracked = fields_with_tracks(dataset)
    return sorted(found, key=lambda name: (name != RENDER_DEFAULTS.label_field, name not in tracked, found.index(name)))


def options_of(params: dict[str, Any]) -> RenderOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    values = forms.given_values(params, RenderOptions)
    values["output_dir"] = forms.output_folder_in(params) if _place_in(params) == _FOLDER else None
    # what another choice showed keeps its last value
    if "show_in_app" in params:
        is_video = values.get("suffix", VIDEO) == VIDEO
        values["media_field"] = values.get("media_field", MEDIA_FIELD) if params["show_in_app"] and is_video else None
        values["keep_audio"] = is_video and values.get("keep_audio", RENDER_DEFAULTS.keep_audio)
    existing = params.get("existing")
    if existing in _EXISTING and existing != _REFUSE:
        values[existing] = True
    return RenderOptions(**values)


def _place_in(params: dict[str, Any]) -> str:
    given = params.get("place")
    if given in _PLACES:
        return given
    return _BESIDE if "output_dir" in params and params["output_dir"] is None else _FOLDER


def _again(ctx: Any) -> bool:
    return ctx.params.get("existing") == "overwrite" or bool(ctx.params.get("overwrite"))


def _add_section(inputs: types.Object, name: str, label: str) -> None:
    inputs.view(f"section_{name}", types.Header(label=label, divider=True))


def _add_fields(ctx: Any, inputs: types.Object, fields: list[str]) -> None:
    choices = types.DropdownView()
    for name in fields:
        choices.add_choice(name, label=name)
    inputs.enum("label_field", fields, default=fields[0], required=True, label="Tracks", view=choices)
    chosen = ctx.params.get("label_field") or fields[0]
    others = [name for name in fields if name != chosen]
    if not others:
        return
    choices = types.DropdownView()
    choices.add_choice(_NONE, label="(nothing)")
    for name in others:
        choices.add_choice(name, label=name)
    prop = inputs.enum(
        "compare_field",
        choices.values(),
        default=_NONE,
        label="Beside them",
        description="Other tracks of the same video, known ones for example, in a second picture on the right",
        view=choices,
    )
    other = ctx.params.get("compare_field")
    if other:
        forms.check_field(prop, lambda: RenderOptions(label_field=chosen, compare_field=other))


def _add_suffix(ctx: Any, inputs: types.Object) -> str:
    choices = types.DropdownView()
    for suffix, label in SUFFIXES.items():
        choices.add_choice(suffix, label=label)
    inputs.enum("suffix", list(SUFFIXES), default=RENDER_DEFAULTS.suffix, label="Kind of file", view=choices)
    given = ctx.params.get("suffix")
    return given if given in SUFFIXES else RENDER_DEFAULTS.suffix


def _add_size(ctx: Any, inputs: types.Object, suffix: str) -> None:
    empty = f"at most {ANIMATION_SIDE}" if suffix in (".gif", ".webp") else "as the video"
    prop = inputs.int(
        "longest_side",
        label="Longest side (pixels)",
        description=f"From {MIN_SIDE} to {MAX_SIDE:,}, smaller or larger than the video; empty: {empty}",
    )
    side = ctx.params.get("longest_side")
    forms.check_field(prop, lambda: RenderOptions(longest_side=side))


def _add_place(ctx: Any, inputs: types.Object) -> None:
    choices = types.RadioGroup()
    for name, label in _PLACES.items():
        choices.add_choice(name, label=label)
    place = _place_in(ctx.params)
    inputs.enum("place", list(_PLACES), default=place, label="Where the files go", view=choices)
    if place == _BESIDE:
        text = "Named after video, field and sample. A dataset that is made of these folders later holds them too"
        inputs.view("beside_meaning", types.Notice(label="The files lie among the videos", description=text))
        return
    text = "It is made where it does not exist. Files are named after video, field and sample"
    forms.add_output_folder(ctx, inputs, text, _check_folder)


def _check_folder(folder: str) -> None:
    path = RenderOptions(output_dir=folder).folder
    assert path is not None  # one was given
    check_writable(path)


def _add_media_field(ctx: Any, inputs: types.Object) -> None:
    shown = bool(ctx.params.get("show_in_app", ctx.params.get("media_field") is not None))
    inputs.bool(
        "show_in_app",
        default=shown,
        label="Show them in the App",
        description="As a second media field of the same samples: the gear above the grid chooses between them",
    )
    if not shown:
        return
    prop = inputs.str("media_field", default=MEDIA_FIELD, label="Name of the media field")
    name = ctx.params.get("media_field") or MEDIA_FIELD
    forms.check_field(prop, lambda: check_render_fields(ctx.dataset, _fields_of(ctx, name)))
    if ctx.params.get("compare_field"):
        text = "Two pictures side by side: labels of the sample are drawn across both, and fit neither"
        inputs.view("side_by_side", types.Warning(label=text))


def _fields_of(ctx: Any, media_field: str) -> RenderOptions:
    return RenderOptions(label_field=_label_field_in(ctx), media_field=media_field)


def _label_field_in(ctx: Any) -> str:
    return ctx.params.get("label_field") or fields_to_draw(ctx.dataset)[0]


def _add_existing(ctx: Any, inputs: types.Object) -> None:
    choices = types.RadioGroup()
    for name, label in _EXISTING.items():
        choices.add_choice(name, label=label)
    given = next((name for name in _EXISTING if ctx.params.get(name) is True), _REFUSE)
    prop = inputs.enum("existing", list(_EXISTING), default=given, label="Files that are there already", view=choices)
    if (ctx.params.get("existing") or given) == _REFUSE:
        forms.check_field(prop, lambda: _check_new(ctx))


def _check_new(ctx: Any) -> None:
    """Refuses to begin where the first files are there already."""
    if _place_in(ctx.params) == _FOLDER and not forms.output_folder_in(ctx.params):
        return
    options = RenderOptions(
        label_field=_label_field_in(ctx),
        output_dir=forms.output_folder_in(ctx.params) if _place_in(ctx.params) == _FOLDER else None,
        suffix=ctx.params.get("suffix") or RENDER_DEFAULTS.suffix,
    )
    samples = zip(*forms.target_of(ctx).limit(_LOOKED_FOR).values(["id", "filepath"]), strict=True)
    found = [path for sample in samples if os.path.lexists(path := options.file_of(*sample))]
    if found:
        raise OutputExistsError(
            f"There already: {count_of(len(found), 'file')}, such as {found[0].name}. Leave finished files alone, or "
            "replace existing ones"
        )


def _add_number(ctx: Any, inputs: types.Object) -> None:
    number = len(forms.target_of(ctx))
    text = f"{count_of(number, 'video')} will be drawn; videos and tracks are only read"
    view = types.Notice(label=text) if number else types.Warning(label="The chosen target holds no samples")
    inputs.view("size", view)


def _add_workers(ctx: Any, more: types.Object) -> None:
    prop = more.int(
        "num_workers", label="Videos at the same time", description="Empty: one per core of the App's server"
    )
    forms.check_field(prop, lambda: check_num_workers(ctx.params.get("num_workers")))
