"""An option is said once: its record, its input, what `apply_model` and the workers know follow from it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from inspect import signature
from typing import Any

import fiftyone as fo
import media
import pytest
from fiftyone.operators.executor import ExecutionContext
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.operators.tracking.track_points_form import build_form
from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.adaptation.options import AdaptOptions
from point_tracking.workflows.evaluation.options import EvaluationOptions
from point_tracking.workflows.lifecycle.options import FormInput, facts_of, given_options, option
from point_tracking.workflows.preprocessing.options import PreprocessOptions
from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.tracking.options import TrackOptions

FUNCTIONS = {
    pt.track_dataset: TrackOptions,
    pt.preprocess_dataset: PreprocessOptions,
    pt.evaluate_dataset: EvaluationOptions,
    pt.adapt_tracker: AdaptOptions,
    pt.propagate_labels: PropagateOptions,
}


@dataclass(frozen=True)
class _MoreOptions(TrackOptions):
    smoothing: int = option(3, form=FormInput("Smoothing", "Frames to average over", section="more"))
    method: str = option("fast", form=FormInput("Method", choices={"fast": "Quickly", "best": "Well"}))
    secret: str | None = option(None, not_recorded="it is a password", on_workers=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.smoothing < 1:
            raise OptionError("Smoothing takes at least 1 frame")


def test_a_new_field_is_in_the_record_and_on_the_workers() -> None:
    options = _MoreOptions(smoothing=5, secret="hush")
    record = options.to_record()
    assert (record["smoothing"], record["method"]) == (5, "fast")
    assert "secret" not in record
    assert (options.for_workers()["smoothing"], "secret" in options.for_workers()) == (5, False)


def test_a_new_field_is_in_the_form_and_checked_there(make_dataset: Any, tmp_path: Any) -> None:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=3))
    form = _folded(build_form(_context(dataset, smoothing=0), _MoreOptions))
    smoothing, method = form["smoothing"], form["method"]
    assert (smoothing.default, smoothing.view.label, smoothing.view.description) == (
        3,
        "Smoothing",
        "Frames to average over",
    )
    assert (smoothing.invalid, smoothing.error_message) == (True, "Smoothing takes at least 1 frame")
    assert [choice.value for choice in method.view.choices] == ["fast", "best"]
    assert not _folded(build_form(_context(dataset, smoothing=2), _MoreOptions))["smoothing"].invalid
    assert "smoothing" not in _folded(build_form(_context(dataset)))


def _folded(form: Any) -> dict[str, Any]:
    return form.properties["more"].type.properties


def _context(dataset: fo.Dataset, **params: Any) -> ExecutionContext:
    return ExecutionContext(request_params={"dataset_name": dataset.name, "params": params})


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_every_option_has_its_place_in_the_signature(function: Any) -> None:
    parameters = dict(signature(function).parameters)
    for name in ("samples", "progress", "cancelled"):
        del parameters[name]
    specs = {spec.name: spec for spec in given_options(FUNCTIONS[function])}
    assert list(parameters) == list(specs)
    for name, parameter in parameters.items():
        default = specs[name].default
        given = parameter.default
        if parameter.default is parameter.empty:
            assert name in ("output_dir", "name", "field")
        else:
            assert given == default or (name == "policy" and given is None), name
        assert f"        {name}:" in (function.__doc__ or ""), f"{name} is not described"


def test_every_option_is_recorded_or_says_why_not() -> None:
    omitted = {}
    for cls, given in {
        TrackOptions: {},
        PreprocessOptions: {"output_dir": "out"},
        EvaluationOptions: {},
        AdaptOptions: {"name": "mine"},
        PropagateOptions: {"field": "box"},
    }.items():
        record = cls(**given).to_record()
        for spec in given_options(cls):
            reason = facts_of(spec).not_recorded
            assert (spec.name in record) == (reason is None), spec.name
            if reason is not None:
                omitted[cls.__name__, spec.name] = reason
    assert set(omitted) == {
        ("TrackOptions", "address"),
        ("TrackOptions", "run_key"),
        ("PreprocessOptions", "num_workers"),
        ("PreprocessOptions", "run_key"),
        ("EvaluationOptions", "eval_key"),
        ("AdaptOptions", "run_key"),
        ("PropagateOptions", "run_key"),
    }


def test_loaded_trackers_and_mappings_are_recorded_as_plain_values() -> None:
    tracker = DriftTracker()
    options = TrackOptions(tracker=tracker, points={"id": [(0, 1, 2)]}, sampling={"every_nth": 2})
    record = options.to_record()
    assert (record["tracker"], record["tracker_options"]) == (tracker.name, tracker.options)
    assert (record["points"], record["sampling"]) == ("per sample", {"every_nth": 2})
    assert TrackOptions(points=[(0, 1, 2)]).to_record()["points"] == [[0.0, 1.0, 2.0]]
    on_cluster = TrackOptions(engine="ray", address="ray://u:p@host:1", path_map={"/a": "/b"})
    assert on_cluster.to_record()["path_map"] == {"/a": "/b"}
    assert "address" not in on_cluster.to_record()
    assert not {"engine", "address", "path_map", "num_workers", "gpus_per_worker"} & set(on_cluster.for_workers())


def test_switches_take_bools_alone() -> None:
    for cls, given in ((TrackOptions, {}), (PreprocessOptions, {"output_dir": "o"}), (AdaptOptions, {"name": "n"})):
        for spec in fields(cls):
            if isinstance(spec.default, bool):
                with pytest.raises(OptionError, match=spec.name):
                    cls(**given, **{spec.name: "yes"})
