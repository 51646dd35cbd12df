"""The operator, called as the App and as Python call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext, Executor
from operator_forms import form_of, invalid_in

import point_tracking as pt

URI = "@fo-video/point-tracking/preprocess_videos"
TRACK_URI = "@fo-video/point-tracking/track_points"


def _form(dataset: fo.Dataset, uri: str = URI, **params: Any) -> dict[str, Any]:
    return form_of(uri, dataset, **params)


def _invalid(dataset: fo.Dataset, uri: str = URI, **params: Any) -> dict[str, str]:
    return invalid_in(_form(dataset, uri, **params))


def test_the_operator_is_registered_with_its_risk_named() -> None:
    assert foo.operator_exists(URI)
    config = foo.get_operator(URI).config
    assert config.risk_level.value == "medium"
    assert config.allow_delegated_execution
    assert config.allow_immediate_execution
    assert "written back" in config.description


def test_executing_it_makes_copies(dataset: fo.Dataset, tmp_path: Path) -> None:
    params = {"output_dir": str(tmp_path / "out"), "every_nth": 3, "dataset_name": f"{dataset.name}-small"}
    result = foo.execute_operator(URI, {"dataset": dataset}, params=params)
    assert result.error is None
    copies = fo.load_dataset(f"{dataset.name}-small")
    assert copies.values("source_video.frame_numbers") == [[1, 4, 7, 10]] * 2
    dataset.reload()
    (run_key,) = dataset.list_runs()
    assert str(pt.load_report(dataset, run_key)).startswith("Preprocessed 2 videos")
    assert "There is a run" in _invalid(dataset, dataset_name="another", run_key=run_key)["run_key"]


def test_the_folder_may_come_from_the_file_explorer(dataset: fo.Dataset, tmp_path: Path) -> None:
    folder = {"absolute_path": str(tmp_path / "out")}
    params = {
        "output_dir": folder,
        "policy": "fps",
        "fps": 5,
        "every_nth": 3,  # of a field that is hidden now
        "target": "media_field",
        "media_field": "small",
    }
    assert foo.execute_operator(URI, {"dataset": dataset}, params=params).error is None
    dataset.reload()
    assert dataset.values("small_source.frame_numbers") == [[1, 3, 5, 7, 9, 11]] * 2


@pytest.mark.parametrize("params", [{}, {"open_dataset": True}, {"open_dataset": True, "target": "media_field"}])
def test_the_new_data_set_is_opened_where_that_was_chosen(
    dataset: fo.Dataset, tmp_path: Path, params: dict[str, Any]
) -> None:
    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "in" / "missing.mp4")))
    request = {"dataset_name": dataset.name, "params": {"output_dir": str(tmp_path / "out"), **params}}
    context = ExecutionContext(request_params=request, executor=Executor())
    calls = [(call.body.operator_uri, call.body.params) for call in foo.get_operator(URI).execute(context)]
    opened = [values for uri, values in calls if "open_dataset" in uri]
    assert opened == ([{"dataset": f"{dataset.name}-preprocessed"}] if params == {"open_dataset": True} else [])
    text = next(values["results"]["summary"] for uri, values in calls if "show_output" in uri)
    assert "in the panel **Runs**" in text
    assert (f"in the dataset `{dataset.name}`" in text) == bool(opened), "the run is where the sources are"


def test_the_app_shows_an_error_before_it_is_raised(dataset: fo.Dataset, tmp_path: Path) -> None:
    request = {"dataset_name": dataset.name, "params": {"output_dir": str(tmp_path / "in")}}
    calls = foo.get_operator(URI).execute(ExecutionContext(request_params=request, executor=Executor()))
    shown = next(call.body.params["results"] for call in calls if "show_output" in call.body.operator_uri)["summary"]
    with pytest.raises(Exception, match="folder of the source videos") as error:
        next(calls)
    assert shown == f"**This did not work.** {error.value}"


def test_calling_it_returns_the_report(dataset: fo.Dataset, tmp_path: Path) -> None:
    operator = foo.get_operator(URI)
    report = operator(dataset.limit(1), tmp_path / "out", max_frames=4)
    assert (report.num_samples, report.num_frames, report.failures) == (1, 4, [])
    with pytest.raises(Exception, match="folder of the source videos") as error:
        operator(dataset, tmp_path / "in")
    assert type(error.value).__name__ == "OptionError"


def test_a_delegated_run_does_the_same(dataset: fo.Dataset, tmp_path: Path) -> None:
    result = foo.get_operator(URI)(dataset, tmp_path / "out", delegate=True, open_dataset=True)
    operations = DelegatedOperationService()
    (operation,) = operations.list_operations(dataset_name=dataset.name)
    assert result.delegated
    operations.execute_operation(operation, log=True)
    done = operations.list_operations(dataset_name=dataset.name)[0]
    assert (done.run_state, done.status.progress) == ("completed", 1.0)
    assert len(fo.load_dataset(f"{dataset.name}-preprocessed")) == 2
    operations.delete_operation(done.id)


def test_bad_parameters_are_refused_in_words(dataset: fo.Dataset, tmp_path: Path) -> None:
    for params, text in (
        ({"fps": 0}, "rate above 0"),
        ({"output_dir": str(tmp_path / "in")}, "folder of the source videos"),
        ({"policy": "nothing"}, "policy"),
    ):
        with pytest.raises(foo.ExecutionError if hasattr(foo, "ExecutionError") else Exception, match=text):
            foo.execute_operator(URI, {"dataset": dataset}, params={"output_dir": str(tmp_path / "out"), **params})
    assert not (tmp_path / "out").exists()


def test_tracking_offers_the_way_back_only_where_there_is_one(dataset: fo.Dataset, tmp_path: Path) -> None:
    names = {"media_field", "write_to", "interpolate"}
    assert not names & set(_form(dataset, TRACK_URI))
    copies = pt.preprocess_dataset(dataset, tmp_path / "out", every_nth=2).dataset
    assert names & set(_form(copies, TRACK_URI)) == {"write_to"}
    assert names & set(_form(copies, TRACK_URI, write_to="source")) == {"write_to", "interpolate"}
    pt.preprocess_dataset(dataset, tmp_path / "out", every_nth=2, target="media_field", media_field="small")
    assert names & set(_form(dataset, TRACK_URI)) == {"media_field"}
    form = _form(dataset, TRACK_URI, media_field="small")
    assert names & set(form) == names
    assert form["write_to"].default == "source"


def test_tracking_copies_writes_onto_the_originals(dataset: fo.Dataset, tmp_path: Path) -> None:
    copies = pt.preprocess_dataset(dataset, tmp_path / "out", every_nth=2).dataset
    params = {"grid_size": 3, "write_to": "source", "interpolate": True}
    assert foo.execute_operator(TRACK_URI, {"dataset": copies}, params=params).error is None
    dataset.reload()
    assert dataset.values("tracks_info.num_frames") == [12, 12]
    assert dataset.app_config.color_scheme.color_by == "instance"
    assert not copies.has_frame_field("tracks")
    assert pt.read_tracks(dataset.first(), "tracks").visible[:11].any(axis=1).all()
