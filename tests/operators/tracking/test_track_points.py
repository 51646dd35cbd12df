"""The operator, called as the App and as Python call it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import numpy as np
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext, Executor
from operator_forms import form_of

import point_tracking as pt
from point_tracking.workflows.tracking.report import TrackReport

URI = "@fo-video/point-tracking/track_points"


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    return form_of(URI, dataset, **params)


def test_the_operator_is_registered_with_its_risk_named() -> None:
    assert foo.operator_exists(URI)
    config = foo.get_operator(URI).config
    assert config.risk_level.value == "medium"
    assert config.allow_delegated_execution
    assert config.allow_immediate_execution


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, fiftyone.operators as foo; before = set(sys.modules); "
        f"assert foo.operator_exists('{URI}'); "
        "new = set(sys.modules) - before; print(sorted({'torch', 'av', 'cv2'} & new))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_executing_it_writes_tracks_and_colours_them(dataset: fo.Dataset) -> None:
    result = foo.execute_operator(URI, {"dataset": dataset}, params={"grid_size": 4, "label_field": "points"})
    assert result.error is None
    dataset.reload()
    assert dataset.values("points_info.num_points") == [16, 16]
    assert pt.read_tracks(dataset.first(), "points").visible[0].all()
    assert dataset.app_config.color_scheme.color_by == "instance"
    (run_key,) = dataset.list_runs()
    report = pt.load_report(dataset, run_key)
    assert isinstance(report, TrackReport)
    assert report.num_samples == 2


def test_parameters_have_the_names_of_the_sdk(dataset: fo.Dataset) -> None:
    params = {
        "points": [[1, 20, 20], [0, 30, 30]],
        "label_field": "a",
        "backward": True,
        "sampling": {"every_nth": 2},
        "keep_hidden": True,
        "run_key": "from_python",
        "color_by_track": False,
    }
    foo.execute_operator(URI, {"view": dataset.limit(1)}, params=params)
    dataset.reload()
    config = dataset.get_run_info("from_python").config
    assert (config.points, config.sampling, config.backward) == ([[1, 20, 20], [0, 30, 30]], {"every_nth": 2}, True)
    assert np.isfinite(pt.read_tracks(dataset.first(), "a").xy[[0, 1, 2, 4]]).all()
    assert dataset.values("a_info.state") == ["done", None]
    assert dataset.app_config.color_scheme is None


def test_calling_it_returns_the_report(dataset: fo.Dataset) -> None:
    operator = foo.get_operator(URI)
    report = operator(dataset.limit(1), grid_size=3)
    assert (report.num_samples, report.num_points, report.failures) == (1, 9, [])
    with pytest.raises(Exception, match="already holds") as error:
        operator(dataset, grid_size=3)
    assert type(error.value).__name__ == "FieldExistsError"


def test_a_delegated_run_does_the_same(dataset: fo.Dataset) -> None:
    result = foo.get_operator(URI)(dataset, delegate=True, grid_size=3)
    operations = DelegatedOperationService()
    (operation,) = operations.list_operations(dataset_name=dataset.name)
    assert result.delegated
    operations.execute_operation(operation, log=True)
    done = operations.list_operations(dataset_name=dataset.name)[0]
    assert (done.run_state, done.status.progress) == ("completed", 1.0)
    dataset.reload()
    assert dataset.values("tracks_info.num_points") == [9, 9]
    operations.delete_operation(done.id)


def test_bad_parameters_are_refused_in_words(dataset: fo.Dataset) -> None:
    for params, text in (
        ({"grid_size": 0}, "Invalid grid size"),
        ({"label_field": "frames.x"}, "without the prefix"),
        ({"tracker": "nobody"}, "tracker"),
    ):
        with pytest.raises(foo.ExecutionError if hasattr(foo, "ExecutionError") else Exception, match=text):
            foo.execute_operator(URI, {"dataset": dataset}, params=params)
    assert not dataset.has_frame_field("tracks")


def test_the_app_shows_an_error_before_it_is_raised(dataset: fo.Dataset) -> None:
    request = {"dataset_name": dataset.name, "params": {"grid_size": 0}}
    calls = foo.get_operator(URI).execute(ExecutionContext(request_params=request, executor=Executor()))
    shown = next(calls).body.params["results"]["summary"]
    with pytest.raises(Exception, match="Invalid grid size") as error:
        next(calls)
    assert shown == f"**This did not work.** {error.value}"


def test_of_groups_the_videos_are_tracked_whichever_slice_is_shown(tmp_path: Path) -> None:
    groups = fo.Dataset()
    groups.add_group_field("group", default="picture")
    for k in range(2):
        group, picture = fo.Group(), media.picture_file(tmp_path / f"{k}.png")
        groups.add_sample(fo.Sample(filepath=str(picture), group=group.element("picture")))
        clip = media.video(tmp_path / f"group-{k}.mp4", 5)
        groups.add_sample(fo.Sample(filepath=str(clip), group=group.element("video")))
    form = _form(groups, grid_size=2)
    assert not any(prop.invalid for prop in form.values())
    assert "its videos are taken" in form["group_slices"].view.label
    assert "2 samples" in form["size"].view.label
    videos = groups.select_group_slices("video")
    context = {"dataset": groups, "current_sample": videos.last().id}
    assert foo.execute_operator(URI, context, params={"grid_size": 2}).error is None
    assert videos.values("tracks_info.state") == [None, "done"]
    assert foo.execute_operator(URI, {"dataset": groups}, params={"grid_size": 2, "skip_existing": True}).error is None
    assert videos.values("tracks_info.state") == ["done", "done"]
    groups.delete()


def test_large_targets_are_scheduled_by_default_where_there_is_a_worker(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = foo.get_operator(URI)
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": {}})
    assert not operator.resolve_execution_options(context).default_choice_to_delegated
    shared = type(operator).__module__.rsplit(".", 2)[0] + ".shared"
    monkeypatch.setattr(sys.modules[f"{shared}.forms"], "DELEGATE_ABOVE", 1)
    assert not operator.resolve_execution_options(context).default_choice_to_delegated
    monkeypatch.setattr(sys.modules[f"{shared}.samples_operator"], "worker_is_seen", lambda: True)
    assert operator.resolve_execution_options(context).default_choice_to_delegated


def test_the_open_sample_is_the_default_target_in_the_modal(dataset: fo.Dataset) -> None:
    last = dataset.last().id
    context = {"dataset": dataset, "current_sample": last}
    foo.execute_operator("@fo-video/point-tracking/track_open_sample", context, params={"grid_size": 2})
    assert dataset.values("tracks_info.state") == [None, "done"]


def test_an_open_sample_is_tracked_from_what_the_view_shows(dataset: fo.Dataset) -> None:
    first = dataset.first()
    keypoints = [fo.Keypoint(label=name, points=[(x, 0.5)]) for name, x in (("nose", 0.25), ("tail", 0.75))]
    first.frames[1]["joints"] = fo.Keypoints(keypoints=keypoints)
    first.save()
    view = dataset.filter_labels("frames.joints", fo.ViewField("label") == "tail")
    context = {"view": view, "current_sample": first.id}
    foo.execute_operator(URI, context, params={"label_field": "seen", "points": "frames.joints"})
    first.reload()
    assert [keypoint.label for keypoint in first.frames[1]["seen"].keypoints] == ["tail"]
