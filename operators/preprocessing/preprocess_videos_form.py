"""The form of `preprocess_videos`: its fields, its early warnings, and how its values are read."""

from __future__ import annotations

from typing import Any

import fiftyone.operators.types as types

from ...store.tracks.source_links import FILEPATH
from ...tracker.transcoding.policy import DEFAULT_POLICY, POLICIES, FramePolicy
from ...tracker.transcoding.transcode import MAX_CRF, MIN_SIDE, PRESETS, TranscodeOptions
from ...workflows.lifecycle.run import choose_key
from ...workflows.output_files.folders import check_folder, check_writable
from ...workflows.preprocessing.options import PREPROCESS_DEFAULTS, TARGETS, PreprocessOptions
from ...workflows.preprocessing.targets import check_destination, dataset_name_of
from ..shared import forms

# shown where a policy is chosen for the first time
_SUGGESTED = {"fps": 10.0, "every_nth": 3, "max_frames": 300}
OPEN_DATASET = False
_POLICY_LABELS = {"fps": "Frames per second", "every_nth": "Keep every ... frame", "max_frames": "At most ... frames"}


def build_form(ctx: Any) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context

    Returns:
        the inputs
    """
    forms.unfold(ctx)
    inputs, more = types.Object(), types.Object()
    if not forms.add_videos(ctx, inputs, "Preprocess", blocked="Preprocessing needs videos"):
        return inputs
    _add_folder(ctx, inputs)
    _add_policy(ctx, inputs)
    _add_size(ctx, inputs)
    _add_result(ctx, inputs)
    inputs.bool(
        "overwrite",
        default=PREPROCESS_DEFAULTS.overwrite,
        label="Replace earlier copies",
        description=(
            "Copies of the same sources made with other options are replaced, and in a dataset of copies their "
            "samples with all labels. Fitting copies are always reused. Original videos are never touched"
        ),
    )
    num_samples = len(forms.target_of(ctx))
    text = f"{num_samples:,} video{'' if num_samples == 1 else 's'} will be copied; the originals stay as they are"
    view = types.Notice(label=text) if num_samples else types.Warning(label="The chosen target holds no samples")
    inputs.view("size", view)
    _add_encoding(ctx, more)
    forms.add_run_key(ctx, more, lambda key: _check_run_key(ctx, key))
    forms.add_folded(inputs, more)
    return inputs


def options_of(params: dict[str, Any]) -> PreprocessOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    values = forms.given_values(params, PreprocessOptions)
    values["output_dir"] = forms.output_folder_in(params)
    if values.get("policy") in POLICIES:  # hidden fields keep their last value
        hidden = set(_SUGGESTED) - {values["policy"]}
        values = {name: value for name, value in values.items() if name not in hidden}
    return PreprocessOptions(**values)


def _add_folder(ctx: Any, inputs: types.Object) -> None:
    text = (
        "Not among the original videos. It is made where it does not exist. The same folder and choices again continue "
        "a run that was interrupted: finished copies are reused, and only those that failed or are missing are made"
    )
    forms.add_output_folder(ctx, inputs, text, lambda folder: _check_folder(ctx, folder))


def _check_folder(ctx: Any, folder: str) -> None:
    path = PreprocessOptions(output_dir=folder).folder
    check_folder(path, forms.target_of(ctx).values(FILEPATH))
    check_writable(path)


def _add_policy(ctx: Any, inputs: types.Object) -> None:
    choices = types.RadioGroup()
    for name, label in POLICIES.items():
        choices.add_choice(name, label=label)
    given = [name for name in _SUGGESTED if ctx.params.get(name) is not None]
    chosen = ctx.params.get("policy") or (given[0] if given else DEFAULT_POLICY)
    prop = inputs.enum("policy", choices.values(), default=DEFAULT_POLICY, label="Frames to keep", view=choices)
    if chosen not in _SUGGESTED:
        forms.check_field(prop, lambda: FramePolicy(chosen))
        return
    value = ctx.params.get(chosen)
    value = _SUGGESTED[chosen] if value is None else value
    add = inputs.float if chosen == "fps" else inputs.int
    prop = add(
        chosen,
        default=_SUGGESTED[chosen],
        label=_POLICY_LABELS[chosen],
        description="The real duration is kept; a video's rate is never raised",
    )
    forms.check_field(prop, lambda: FramePolicy(chosen, **{chosen: value}))


def _add_size(ctx: Any, inputs: types.Object) -> None:
    prop = inputs.int(
        "longest_side",
        label="Longest side (pixels)",
        description=f"Larger videos are scaled down to it (at least {MIN_SIDE}); empty keeps the size",
    )
    side = ctx.params.get("longest_side")
    forms.check_field(prop, lambda: TranscodeOptions(longest_side=side))


def _add_encoding(ctx: Any, inputs: types.Object) -> None:
    inputs.bool("keep_audio", default=PREPROCESS_DEFAULTS.keep_audio, label="Keep the sound")
    choices = types.DropdownView()
    for name in PRESETS:
        choices.add_choice(name, label=name)
    inputs.enum(
        "preset",
        choices.values(),
        default=PREPROCESS_DEFAULTS.preset,
        label="Encoder preset",
        description="Slower presets make smaller files",
        view=choices,
    )
    crf = ctx.params.get("crf", PREPROCESS_DEFAULTS.crf)
    prop = inputs.int(
        "crf",
        default=PREPROCESS_DEFAULTS.crf,
        label="Quality (crf)",
        description=f"From 0 (lossless) to {MAX_CRF}; higher makes smaller files, and below 18 is hardly told apart",
    )
    if crf is not None:
        forms.check_field(prop, lambda: TranscodeOptions(crf=crf))


def _add_result(ctx: Any, inputs: types.Object) -> None:
    choices = types.RadioGroup()
    for name, label in TARGETS.items():
        choices.add_choice(name, label=label)
    inputs.enum(
        "target", choices.values(), default=PREPROCESS_DEFAULTS.target, label="Where the copies go", view=choices
    )
    target = ctx.params.get("target") or PREPROCESS_DEFAULTS.target
    if target == "media_field":
        prop = inputs.str("media_field", default=PREPROCESS_DEFAULTS.media_field, label="Name of the media field")
        inputs.view(
            "media_field_meaning",
            types.Notice(
                label="Labels with frame numbers belong to the original video",
                description=(
                    "The App draws frame labels by the frame numbers of the original in filepath. On a copy with fewer "
                    "frames they appear at the wrong time. Track points can track the copy and write onto the original "
                    "frames"
                ),
            ),
        )
    else:
        prop = inputs.str(
            "dataset_name",
            label="Name of the new dataset",
            description=f"Empty: {dataset_name_of(ctx.dataset, PREPROCESS_DEFAULTS)}",
        )
        inputs.bool(
            "persistent", default=PREPROCESS_DEFAULTS.persistent, label="Keep the new dataset after this session"
        )
        inputs.bool(
            "open_dataset",
            default=OPEN_DATASET,
            label="Open the new dataset when done",
            description="Not where the run is scheduled",
        )
        inputs.view(
            "dataset_meaning",
            types.Notice(
                label="Labels stay with the original videos",
                description=(
                    "The copies get the tags of their originals and a link to them, but none of their labels: those "
                    "with frame numbers would not fit. Track points can track the copies, use a mask field of the "
                    "originals' samples, and write onto the original frames"
                ),
            ),
        )
    if target in TARGETS:
        forms.check_field(prop, lambda: _check_destination(ctx, target))


def _check_run_key(ctx: Any, run_key: str) -> None:
    again = bool(ctx.params.get("overwrite"))
    options = PreprocessOptions(output_dir=PREPROCESS_DEFAULTS.output_dir, run_key=run_key, overwrite=again)
    choose_key(ctx.dataset, options)


def _check_destination(ctx: Any, target: str) -> None:
    names = ("dataset_name", "media_field", "overwrite")
    values = {name: ctx.params[name] for name in names if ctx.params.get(name) not in (None, "")}
    folder = forms.output_folder_in(ctx.params) or PREPROCESS_DEFAULTS.output_dir
    options = PreprocessOptions(output_dir=folder, target=target, **values)
    check_destination(forms.target_of(ctx), options)
