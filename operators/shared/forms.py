"""Fields that several operators' forms share, and how their values are read.

A form only collects and warns early; the options classes of `workflows`
decide what is valid.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import fiftyone.operators.types as types

from ...store.tracks.videos import check_collection, shows_clips, video_id_of, videos_of, whole_videos
from ...tracker.errors import OptionError, PointTrackingError, QueryError
from ...workflows.lifecycle.app_words import in_app_words
from ...workflows.lifecycle.options import FormInput, facts_of, given_options

# above this many samples a run is scheduled instead of keeping the App busy
DELEGATE_ABOVE = 100

SAMPLING_RULES = {
    "all": "Every frame",
    "every_nth": "Every n-th frame",
    "fps": "A target rate (frames per second)",
    "max_frames": "A maximum number of frames",
}

_GROUP = "group"
_FOLDED = "more"
_FOLDER = "output_dir"
_ONLY_OPEN_SAMPLE = "only_open_sample"


def add_videos(ctx: Any, inputs: types.Object, action: str, *, blocked: str) -> bool:
    """Lets the user choose videos, or says why there are none to choose from.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        action: verb of the choice, as in "Preprocess the entire dataset"
        blocked: heading where the dataset holds no videos

    Returns:
        False where the form ends here
    """
    try:
        check_collection(videos_of(ctx.dataset))
    except PointTrackingError as error:
        text = in_app_words(str(error))
        show_error(inputs.view("no_videos", types.Error(label=blocked, description=text)), error)
        return False
    if shows_clips(ctx.view):
        text = "The view shows clips: the videos that they are parts of are taken, whole"
        inputs.view("clips_view", types.Notice(label=text))
    elif _is_grouped_view(ctx.view):
        text = "The view groups its samples: all videos of its groups are taken, one by one"
        inputs.view("grouped_view", types.Notice(label=text))
    elif ctx.dataset.media_type == _GROUP:
        inputs.view("group_slices", types.Notice(label="Of each group, its videos are taken, whichever slice is shown"))
    add_target(ctx, inputs, action)
    return True


def add_target(ctx: Any, inputs: types.Object, action: str) -> None:
    """Lets the user choose which samples to process; in the modal, the open one."""
    if ctx.current_sample is not None:
        inputs.bool(
            _ONLY_OPEN_SAMPLE,
            default=True,
            label="Only the open sample",
            description="Off: choose which samples below",
            view=types.SwitchView(),
        )
    if not only_open_sample(ctx):
        inputs.view_target(ctx, action_description=action)


def only_open_sample(ctx: Any) -> bool:
    """Whether the run is about the sample that is open in the modal."""
    return ctx.current_sample is not None and bool(ctx.params.get(_ONLY_OPEN_SAMPLE, True))


def target_of(ctx: Any) -> Any:
    """The samples that the user chose; of groups, their videos, and of clips, those that they are parts of.

    Returns:
        a dataset or view
    """
    if only_open_sample(ctx):
        # of the view that is shown: what it filters chooses the prompt
        return videos_of(_one_by_one(ctx.view)).select(video_id_of(ctx.view, ctx.current_sample))
    return videos_of(_one_by_one(ctx.target_view()))


def _is_grouped_view(samples: Any) -> bool:
    """Whether a view makes groups of samples that have none themselves (`group_by`)."""
    return bool(getattr(samples, "_is_dynamic_groups", False))


def _one_by_one(samples: Any) -> Any:
    return samples.flatten() if _is_grouped_view(samples) else whole_videos(samples)


def unfold(ctx: Any) -> None:
    """Puts the values of folded inputs beside the others, where Python gives them too."""
    ctx.params.update(ctx.params.get(_FOLDED) or {})


def add_folded(inputs: types.Object, folded: types.Object, label: str = "More options") -> None:
    """Adds inputs that are rarely used, as a group that is closed at first.

    Args:
        inputs: the form
        folded: the inputs; their values come back by way of `unfold`
        label: of the group
    """
    if not folded.properties:
        return
    wrong = [prop for prop in folded.properties.values() if prop.invalid]
    if wrong:  # why Execute is disabled must be in sight
        add_error(inputs, "folded_error", OptionError(f"{label}: {wrong[0].error_message}"))
    view = types.ObjectView(label=label, collapsible=True, default_expanded=False)
    inputs.define_property(_FOLDED, folded, view=view)


def given_values(params: dict[str, Any], options_class: type) -> dict[str, Any]:
    """The parameters that belong to an options class and are not left empty, by name."""
    names = [spec.name for spec in given_options(options_class)]
    return {name: params[name] for name in names if not _is_empty(params.get(name))}


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list) and not value)


def add_classes(ctx: Any, inputs: types.Object, path: str) -> None:
    """A choice among what labels are called, where there are several names.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        path: of the names, such as "frames.box.detections.label"
    """
    names = [name for name in ctx.dataset.distinct(path) if name]
    if len(names) < 2:
        return
    choices = types.DropdownView(multiple=True)
    for name in names:
        choices.add_choice(name, label=name)
    inputs.list("classes", types.String(), label="Only these", description="Empty: all objects", view=choices)


def add_options(ctx: Any, inputs: types.Object, options_class: type, section: str) -> None:
    """Adds the options that describe their own input.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        options_class: a subclass of `RunOptions`
        section: which of them
    """
    for spec in given_options(options_class):
        form = facts_of(spec).form
        if form is None or form.section != section:
            continue
        prop = _add_input(inputs, spec.name, spec.default, form)
        value = ctx.params.get(spec.name)
        if not _is_empty(value):
            check_field(prop, lambda name=spec.name, value=value: options_class(**{name: value}))


def _add_input(inputs: types.Object, name: str, default: Any, form: FormInput) -> Any:
    texts: dict[str, Any] = {"label": form.label, "description": form.description, "default": default}
    if form.choices is not None:
        view = types.RadioGroup()
        for choice, label in form.choices.items():
            view.add_choice(choice, label=label)
        return inputs.enum(name, list(form.choices), view=view, **texts)
    adders = {bool: inputs.bool, int: inputs.int, float: inputs.float}
    return adders.get(type(default), inputs.str)(name, **texts)


def add_sampling(ctx: Any, inputs: types.Object) -> None:
    """A choice of which frames to use.

    A caller's own `sampling` dict (as in the SDK) takes the place of the choice.
    """
    if isinstance(ctx.params.get("sampling"), dict):
        rule = inputs.obj("sampling", label="Frame sampling")
        del rule
        return
    choices = types.DropdownView()
    for rule, label in SAMPLING_RULES.items():
        choices.add_choice(rule, label=label)
    inputs.enum("sampling_rule", choices.values(), default="all", label="Frames to use", view=choices)
    chosen = ctx.params.get("sampling_rule") or "all"
    if chosen == "fps":
        inputs.float("sampling_fps", default=5.0, label="Frames per second")
    elif chosen in ("every_nth", "max_frames"):
        label, default = ("Use every ... frame", 3) if chosen == "every_nth" else ("At most ... frames", 100)
        inputs.int(f"sampling_{chosen}", default=default, label=label)


def sampling_of(params: dict[str, Any]) -> dict[str, Any] | None:
    """Reads the sampling fields, or a `sampling` dict given from Python.

    Returns:
        what `track_dataset(sampling=...)` takes
    """
    if params.get("sampling") is not None:
        return params["sampling"]
    rule = params.get("sampling_rule") or "all"
    if rule == "all":
        return None
    return {rule: params.get(f"sampling_{rule}")}


def given_sampling(params: dict[str, Any]) -> dict[str, Any] | None:
    """As `sampling_of`; None also where the value of the rule is not given yet."""
    sampling = sampling_of(params)
    # a field that was just added to the form has its default, not a value yet
    return None if sampling and None in sampling.values() else sampling


def add_run_key(ctx: Any, inputs: types.Object, check: Callable[[str], Any]) -> None:
    """Asks for the name of the run; one that cannot be had is refused before the run and not after.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        check: raises for a key that does not fit or is taken
    """
    prop = inputs.str("run_key", label="Run key", description="Name of the run record; chosen for you where empty")
    run_key = ctx.params.get("run_key")
    if run_key:
        check_field(prop, lambda: check(run_key))


def add_output_folder(ctx: Any, inputs: types.Object, description: str, check: Callable[[str], Any]) -> None:
    """Asks for the folder of a run's files: `output_dir`, picked in the App, or typed.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        description: what becomes of it
        check: called with the path, once there is one; raises where it does not do
    """
    texts: dict[str, Any] = {"required": True, "label": "Output folder", "description": description}
    if isinstance(ctx.params.get(_FOLDER), str):  # typed, or from Python
        prop = inputs.str(_FOLDER, **texts)
    else:
        explorer = types.FileExplorerView(
            choose_dir=True, button_label="Choose a folder...", choose_button_label="Use this folder"
        )
        prop = inputs.file(_FOLDER, view=explorer, **texts)
    folder = output_folder_in(ctx.params)
    if folder:
        check_field(prop, lambda: check(folder))


def output_folder_in(params: dict[str, Any]) -> str:
    """The folder that was picked or typed; empty where there is none yet."""
    value = params.get(_FOLDER)
    if isinstance(value, dict):  # as the file explorer gives it
        value = value.get("absolute_path")
    return value or ""


def parse_points(value: Any) -> Any:
    """Reads points as a person types them.

    Args:
        value: None, "", the name of a field, rows "t, x, y; t, x, y", JSON, or a
            list or dict given from Python

    Returns:
        what `track_dataset(points=...)` takes

    Raises:
        QueryError: saying how to write points
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        return None
    if text[0] in "[{":
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise QueryError(
                f"These points are no valid JSON ({error}). Write [[0, 320, 180], [0, 100, 50]]"
            ) from error
    if text.removeprefix("frames.").isidentifier():
        return text
    try:
        return [[float(number) for number in row.split(",")] for row in text.split(";") if row.strip()]
    except ValueError as error:
        raise QueryError(
            f"Cannot read the points {text[:60]!r}. Write frame, x, y in pixels, e.g. 0, 320, 180; 0, 100, 50, "
            "or the name of a field"
        ) from error


def parse_path_map(value: Any) -> Any:
    """Reads where media lies on the nodes of a cluster, as a person types it.

    Args:
        value: None, "", rows "/path/here = /path/there; ...", JSON, or a dict given
            from Python

    Returns:
        what `track_dataset(path_map=...)` takes

    Raises:
        OptionError: saying how to write it
    """
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        if value.lstrip().startswith("{"):
            return json.loads(value)
        pairs = [row.split("=") for row in value.split(";") if row.strip()]
        return {here.strip(): there.strip() for here, there in pairs}
    except ValueError as error:
        raise OptionError(
            f"Cannot read the paths {value[:60]!r}. Write /path/here = /path/on/the/nodes, several separated by "
            'semicolons, or as JSON: {"/path/here": "/path/on/the/nodes"}'
        ) from error


def show_error(prop: Any, error: PointTrackingError | OptionError) -> None:
    """Marks a field as invalid, so that the form cannot be sent."""
    prop.invalid = True
    prop.error_message = in_app_words(str(error))


def add_error(inputs: types.Object, name: str, error: PointTrackingError | OptionError) -> None:
    """Says in a line of its own why the form cannot be sent."""
    show_error(inputs.view(name, types.Error(label=in_app_words(str(error)))), error)


def error_of(check: Callable[[], Any]) -> PointTrackingError | None:
    """What a check raises that the user can mend, or None."""
    try:
        check()
    except PointTrackingError as error:
        return error
    return None


def check_field(prop: Any, check: Callable[[], Any]) -> None:
    """Marks a field as invalid where a check of its value fails."""
    error = error_of(check)
    if error is not None:
        show_error(prop, error)
