"""The form of `track_points`: its fields, its early warnings, and how its values are read."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...store.database.fields import check_label_field, has_label_field, info_field_of
from ...store.labels.masks import MASK_TYPES
from ...store.runs.outcomes import count_of
from ...store.runs.records import run_keys
from ...store.tracks.keypoints import LAYOUTS, SUGGEST_FRAME_LAYOUT_FROM, check_document_size
from ...store.tracks.sample_status import count_labels, read_contents
from ...store.tracks.source_links import FILEPATH, media_fields_with_copies, source_dataset, source_ids
from ...tracker.errors import CollectionError, OptionError, PointTrackingError
from ...tracker.queries.grid import check_frame_index, check_grid_size
from ...tracker.video.sampling import as_sampling
from ...workflows.lifecycle.options import facts_of, given_options
from ...workflows.lifecycle.run import choose_key
from ...workflows.tracking.options import ENGINES, TRACK_DEFAULTS, WRITE_TO, TrackOptions
from ...workflows.tracking.targets import failed_samples
from ..shared import forms, tracker_form
from .estimate import add_estimate

# the App draws points of one size, also on the small pictures of its grid
HIDES_PICTURE_FROM = 400


def build_form(ctx: Any, options_class: type[TrackOptions] = TrackOptions) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context
        options_class: whose fields without an input of their own are added as they describe themselves

    Returns:
        the inputs
    """
    inputs = types.Object()
    if not forms.add_videos(ctx, inputs, "Track points in", blocked="Point tracking needs videos"):
        return inputs
    _add_media(ctx, inputs)
    written_to = _written_to(ctx)
    chosen = _chosen_samples(ctx, written_to)
    _add_only_failed(ctx, inputs, written_to)
    # first of all: why Execute is disabled must be in sight
    _add_label_field(ctx, inputs)
    _add_existing(ctx, inputs, written_to, chosen)
    tracker_form.add_tracker(ctx, inputs, TRACK_DEFAULTS.tracker_name)
    num_points = _add_prompts(ctx, inputs)
    forms.add_options(ctx, inputs, options_class, "prompt")
    forms.add_sampling(ctx, inputs)
    _check_sampling(ctx, inputs)
    layout = _add_layout(ctx, inputs, num_points)
    inputs.bool(
        "color_by_track",
        default=True,
        label="Colour by track",
        description="Each track keeps one colour, in this session too; the dataset remembers it",
    )
    add_estimate(ctx, inputs, chosen, num_points, layout)
    _add_engine(ctx, inputs)
    forms.add_options(ctx, inputs, options_class, "more")
    again = bool(ctx.params.get("overwrite") or ctx.params.get("skip_existing"))
    forms.add_run_key(ctx, inputs, lambda key: choose_key(written_to, TrackOptions(run_key=key, overwrite=again)))
    return inputs


def options_of(params: dict[str, Any]) -> TrackOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    values = forms.given_values(params, TrackOptions)
    if params.get("engine") == "local":  # fields that are hidden again keep their last value
        of_cluster = {spec.name for spec in given_options(TrackOptions) if facts_of(spec).group == "cluster"}
        values = {name: value for name, value in values.items() if name not in of_cluster}
    elif "path_map" in values:
        values["path_map"] = forms.parse_path_map(params["path_map"])
    values["points"] = forms.parse_points(params.get("points"))
    values["sampling"] = forms.sampling_of(params)
    values["tracker_options"] = tracker_form.tracker_options_of(params)
    return TrackOptions(**values)


def _add_prompts(ctx: Any, inputs: types.Object) -> int | None:
    """Adds what to track; returns the number of points where it is known."""
    grid_size = ctx.params.get("grid_size", TRACK_DEFAULTS.grid_size)
    points, error = None, None
    try:
        points = forms.parse_points(ctx.params.get("points"))
    except PointTrackingError as found:
        error = found
    if points is None and error is None:
        grid = inputs.int(
            "grid_size",
            default=TRACK_DEFAULTS.grid_size,
            label="Grid size",
            description=_grid_caption(grid_size),
        )
        forms.check_field(grid, lambda: check_grid_size(grid_size))
        choices = types.AutocompleteView(allow_user_input=True)
        for name in _mask_fields(ctx.dataset):
            choices.add_choice(name, label=name)
        inputs.str(
            "mask_field",
            label="Mask field",
            description="Only track grid points on this mask (Segmentation, or Detections with instance masks)",
            view=choices,
        )
    if points is None or isinstance(points, str):
        index = inputs.int(
            "frame_index",
            default=TRACK_DEFAULTS.frame_index,
            label="Frame of the grid and the mask",
            description="Counted from 0",
        )
        forms.check_field(index, lambda: check_frame_index(ctx.params.get("frame_index", TRACK_DEFAULTS.frame_index)))
    prop = _add_points_field(ctx, inputs)
    if error is None:
        error = forms.error_of(lambda: TrackOptions(points=points))
    if error is not None:
        forms.show_error(prop, error)
        return None
    if points is None:
        has_mask = bool(ctx.params.get("mask_field"))
        known = (
            not has_mask and isinstance(grid_size, int) and forms.error_of(lambda: check_grid_size(grid_size)) is None
        )
        return grid_size**2 if known else None
    return len(points) if isinstance(points, list) else None


def _add_points_field(ctx: Any, inputs: types.Object) -> Any:
    given = ctx.params.get("points")
    if isinstance(given, (list, dict)):  # from Python: the schema follows the value
        return (
            inputs.define_property("points", types.List(types.List(types.Number())))
            if isinstance(given, list)
            else inputs.obj("points")
        )
    return inputs.str(
        "points",
        label="Points instead of a grid",
        description="frame, x, y in pixels: 0, 320, 180; 0, 100, 50 - or the name of a keypoints field",
    )


def _grid_caption(grid_size: Any) -> str:
    if not isinstance(grid_size, int) or grid_size < 1:
        return "Points per side"
    text = f"Points per side: {grid_size} x {grid_size} = {grid_size**2:,} points per video"
    if grid_size**2 >= HIDES_PICTURE_FROM:
        text += ". So many points hide the picture in the App's grid; switch the field off in its sidebar there"
    return text


def _mask_fields(dataset: fo.Dataset) -> list[str]:
    found = [
        name
        for name, field in dataset.get_field_schema(flat=False).items()
        if getattr(field, "document_type", None) in MASK_TYPES
    ]
    frame_schema = dataset.get_frame_field_schema(flat=False) or {}
    return found + [
        f"frames.{name}" for name, field in frame_schema.items() if getattr(field, "document_type", None) in MASK_TYPES
    ]


def _check_sampling(ctx: Any, inputs: types.Object) -> None:
    error = forms.error_of(lambda: as_sampling(forms.given_sampling(ctx.params)))
    if error is not None:
        forms.show_error(inputs.view("sampling_error", types.Error(label=str(error))), error)


def _add_label_field(ctx: Any, inputs: types.Object) -> None:
    label_field = ctx.params.get("label_field", TRACK_DEFAULTS.label_field)
    prop = inputs.str(
        "label_field",
        default=TRACK_DEFAULTS.label_field,
        label="Label field",
        description="Name of the frame field to write, without 'frames.'",
    )
    forms.check_field(prop, lambda: check_label_field(ctx.dataset, label_field))


def _add_layout(ctx: Any, inputs: types.Object, num_points: int | None) -> str:
    suggested = "frame" if num_points is not None and num_points >= SUGGEST_FRAME_LAYOUT_FROM else TRACK_DEFAULTS.layout
    choices = types.RadioGroup()
    choices.add_choice("points", label="One keypoint per point", description="filter, select and colour single points")
    choices.add_choice("frame", label="One keypoint per frame", description="smaller and faster for dense grids")
    prop = inputs.enum("layout", list(LAYOUTS), default=suggested, label="Layout", view=choices)
    layout = ctx.params.get("layout") or suggested
    keep_hidden = bool(ctx.params.get("keep_hidden", TRACK_DEFAULTS.keep_hidden)) and layout == "points"
    if num_points is not None and layout in LAYOUTS:
        forms.check_field(prop, lambda: check_document_size(num_points, layout, keep_hidden))
    if suggested == "frame" and layout == "points":
        inputs.view(
            "layout_advice",
            types.Notice(label=f"{num_points:,} points per frame make the App slow as single keypoints"),
        )
    if layout == "points":
        inputs.bool(
            "keep_hidden",
            default=TRACK_DEFAULTS.keep_hidden,
            label="Keep hidden points",
            description="Store occluded points too, marked with occluded = True",
        )
    return layout


def _add_media(ctx: Any, inputs: types.Object) -> None:
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


def _add_existing(ctx: Any, inputs: types.Object, written_to: fo.Dataset, chosen: Any) -> None:
    label_field = ctx.params.get("label_field", TRACK_DEFAULTS.label_field)
    overwrite, skip = bool(ctx.params.get("overwrite")), bool(ctx.params.get("skip_existing"))
    exists = isinstance(label_field, str) and has_label_field(written_to, label_field)
    if not exists and not overwrite and not skip:
        return
    num_held = _count_finished(written_to, chosen, label_field) if exists else 0
    if exists:
        _add_replace_labels(ctx, inputs, written_to, chosen, label_field)
        inputs.view(
            "field_exists",
            types.Warning(
                label=f"frames.{label_field} exists; finished among the chosen samples: {num_held:,}",
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


def _add_replace_labels(ctx: Any, inputs: types.Object, written_to: fo.Dataset, chosen: Any, label_field: str) -> None:
    """Where the field holds labels that no run made: asks for their number, which nobody types by mistake."""
    sample_ids = _among(written_to, chosen).values("id")
    foreign = read_contents(written_to, sample_ids, label_field).foreign
    if not foreign:
        return
    number = count_labels(written_to, foreign, label_field)
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


def _count_finished(written_to: fo.Dataset, chosen: Any, label_field: str) -> int:
    info_field = info_field_of(label_field)
    if info_field not in written_to.get_field_schema(flat=False):
        return 0
    return _among(written_to, chosen).count(f"{info_field}.state")


def _among(written_to: fo.Dataset, chosen: Any) -> Any:
    """The samples whose frames are written, where the chosen ones are copies of them."""
    return chosen if written_to.name == chosen._dataset.name else written_to.select(source_ids(chosen))


def _add_only_failed(ctx: Any, inputs: types.Object, written_to: fo.Dataset) -> None:
    """Where there were runs before: the choice to run only what failed in one of them."""
    keys = run_keys(written_to, TrackOptions.METHOD)
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
        forms.check_field(prop, lambda: _check_failed(ctx, written_to))


def _check_failed(ctx: Any, written_to: fo.Dataset) -> None:
    if not failed_samples(forms.target_of(ctx), written_to, ctx.params["only_failed_of"]):
        raise OptionError("None of the chosen samples failed in this run. Leave it empty, or choose another run")


def _written_to(ctx: Any) -> fo.Dataset:
    """The dataset that tracks are written to, which also holds the runs."""
    if ctx.params.get("write_to") != "source" or (ctx.params.get("media_field") or FILEPATH) != FILEPATH:
        return ctx.dataset
    try:
        return source_dataset(forms.target_of(ctx))
    except CollectionError:
        return ctx.dataset  # the run says what is wrong


def _chosen_samples(ctx: Any, written_to: fo.Dataset) -> Any:
    """The samples that the user chose; where only those that failed before are wanted, these."""
    target, run_key = forms.target_of(ctx), ctx.params.get("only_failed_of")
    if not run_key or run_key not in run_keys(written_to, TrackOptions.METHOD):
        return target
    return target.select(failed_samples(target, written_to, run_key))


def _add_engine(ctx: Any, inputs: types.Object) -> None:
    """Where Ray is installed: the choice to hand the samples out to a cluster."""
    if find_spec("ray") is None and ctx.params.get("engine") is None:
        return
    choices = types.DropdownView()
    for name, label in ENGINES.items():
        choices.add_choice(name, label=label)
    prop = inputs.enum("engine", list(ENGINES), default=TRACK_DEFAULTS.engine, label="Run on", view=choices)
    if ctx.params.get("engine") != "ray":
        forms.check_field(prop, lambda: TrackOptions(engine=ctx.params.get("engine") or TRACK_DEFAULTS.engine))
        return
    inputs.str("address", label="Address of the cluster", description="Empty: start one on this machine")
    inputs.int("num_workers", label="Workers", description="Empty: as many as there is room for")
    inputs.float("gpus_per_worker", default=TRACK_DEFAULTS.gpus_per_worker, label="GPUs per worker")
    _add_path_map(ctx, inputs)
    values = {name: ctx.params.get(name) for name in ("engine", "address", "num_workers", "gpus_per_worker")}
    given = {name: value for name, value in values.items() if value not in (None, "")}
    forms.check_field(prop, lambda: TrackOptions(**given))


def _add_path_map(ctx: Any, inputs: types.Object) -> None:
    given = ctx.params.get("path_map")
    if isinstance(given, dict):  # from Python: the schema follows the value
        prop = inputs.obj("path_map")
    else:
        prop = inputs.str(
            "path_map",
            label="Where the videos lie on the nodes",
            description="/path/here = /path/on/the/nodes; more after a semicolon. Empty: at the same paths as here",
        )
    forms.check_field(prop, lambda: TrackOptions(engine="ray", path_map=forms.parse_path_map(given)))
