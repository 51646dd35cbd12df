"""The operator that draws trails, called as the App and as Python call it."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext, Executor
from operator_forms import form_of

import point_tracking as pt
from point_tracking.operators.shared.forms import target_of
from point_tracking.workflows.rendering.report import RenderReport

URI = "@fo-video/point-tracking/render_trails"
OPEN_URI = "@fo-video/point-tracking/render_open_sample"


def suffixes_in(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


@pytest.mark.parametrize("uri", [URI, OPEN_URI])
def test_the_operators_are_registered_with_their_risk_named(uri: str) -> None:
    assert foo.operator_exists(uri)
    operator = foo.get_operator(uri)
    config = operator.config
    assert config.risk_level.value == "medium"
    assert (config.allow_immediate_execution, config.allow_delegated_execution) == (True, True)
    assert config.unlisted == (uri == OPEN_URI)
    assert (Path(__file__).parents[3] / config.icon.lstrip("/")).is_file()
    assert not operator.CLOSES_OPEN_SAMPLE, "samples are only read"


def test_executing_it_draws_into_a_folder_and_goes_on_where_files_are_missing(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    params = {"label_field": "tracks", "output_dir": str(out), "suffix": ".png", "more": {"num_workers": 1}}
    assert foo.execute_operator(URI, {"view": dataset.limit(1)}, params=params).error is None
    assert suffixes_in(out) == [".png"]
    params["existing"] = "skip_existing"
    assert foo.execute_operator(URI, {"dataset": dataset}, params=params).error is None
    assert suffixes_in(out) == [".png", ".png"]
    dataset.reload()
    report = pt.load_report(dataset, "render_tracks_2")
    assert isinstance(report, RenderReport)
    assert [outcome.status for outcome in report.outcomes] == ["skipped", "done"]


def test_of_a_view_of_clips_the_whole_videos_are_drawn_each_once(dataset: fo.Dataset, tmp_path: Path) -> None:
    first = dataset.first()
    spans = [fo.TemporalDetection(label="a", support=[1, 3]), fo.TemporalDetection(label="b", support=[2, 4])]
    first["parts"] = fo.TemporalDetections(detections=spans)
    first.save()
    clips = dataset.to_clips("parts")
    form = form_of(URI, clips)
    assert "videos that they are parts of are taken, whole" in form["clips_view"].view.label
    assert form["size"].view.label.startswith("1 video will be drawn")
    request = {"dataset_name": dataset.name, "view": clips._serialize(), "params": {}}
    context = ExecutionContext(request_params={**request, "current_sample": clips.last().id})
    assert target_of(context).values("id") == [first.id]
    params = {"label_field": "tracks", "output_dir": str(tmp_path / "out"), "suffix": ".png"}
    assert foo.execute_operator(URI, {"view": clips}, params=params).error is None
    assert suffixes_in(tmp_path / "out") == [".png"]


def test_videos_lie_beside_their_sources_and_are_shown_in_the_app(dataset: fo.Dataset) -> None:
    """As the App asks for it: with what the form shows, and what an earlier choice left."""
    params = {"label_field": "tracks", "place": "beside", "output_dir": "/left/from/before", "show_in_app": True}
    request = {"dataset_name": dataset.name, "params": {**params, "existing": "refuse"}}
    context = ExecutionContext(request_params=request, executor=Executor())
    calls = [(call.body.operator_uri, call.body.params) for call in foo.get_operator(URI).execute(context)]
    dataset.reload()
    made = [Path(path) for path in dataset.values("trails")]
    assert [path.parent for path in made] == [Path(path).parent for path in dataset.values("filepath")]
    assert [uri.rpartition("/")[2] for uri, _ in calls] == ["reload_dataset", "load_opened_samples", "show_output"]
    text = calls[-1][1]["results"]["summary"]
    for part in ("Drew tracks of 2 samples", "beside their videos", f"- `{made[0]}`", "*Media field*, `trails`"):
        assert part in text


def test_calling_it_returns_the_report(dataset: fo.Dataset, tmp_path: Path) -> None:
    report = foo.get_operator(URI)(dataset.limit(1), tmp_path / "out", suffix=".webp", tail=3)
    assert [outcome.status for outcome in report.outcomes] == ["done"]
    assert suffixes_in(tmp_path / "out") == [".webp"]
    with pytest.raises(Exception, match="no frame field 'nothing'") as error:
        foo.get_operator(URI)(dataset, tmp_path / "out", label_field="nothing")
    assert type(error.value).__name__ == "FieldError"


def test_a_scheduled_run_does_the_same(dataset: fo.Dataset) -> None:
    assert foo.get_operator(URI)(dataset, None, delegate=True, suffix=".png").delegated
    operations = DelegatedOperationService()
    (operation,) = operations.list_operations(dataset_name=dataset.name)
    operations.execute_operation(operation, log=True)
    done = operations.list_operations(dataset_name=dataset.name)[0]
    assert (done.run_state, done.status.progress) == ("completed", 1.0)
    assert done.status.label.startswith("[render_tracks] Drew tracks of 2 samples")
    assert suffixes_in(Path(dataset.first().filepath).parent) == [".mp4", ".mp4", ".png", ".png"]
    operations.delete_operation(done.id)
