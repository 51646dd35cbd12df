"""The operator, called as the App and as Python call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext, Executor

import point_tracking as pt
from point_tracking.workflows.preprocessing.options import PREPROCESS_DEFAULTS, PreprocessOptions

URI = "@fo-video/point-tracking/preprocess_videos"
TRACK_URI = "@fo-video/point-tracking/track_points"


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    before = set(fo.list_datasets())
    dataset = fo.Dataset()
    (tmp_path / "in").mkdir()
    paths = [media.video(tmp_path / "in" / f"{k}.mp4", num_frames=12) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    for name in set(fo.list_datasets()) - before:
        fo.delete_dataset(name)


def _form(dataset: fo.Dataset, uri: str = URI, **params: Any) -> dict[str, Any]:
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": params})
    return foo.get_operator(uri).resolve_input(context).type.properties


def _invalid(dataset: fo.Dataset, uri: str = URI, **params: Any) -> dict[str, str]:
    return {name: p.error_message for name, p in _form(dataset, uri, **params).items() if p.invalid}


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
    assert "Show samples of a run" in text
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


@pytest.mark.parametrize(
    ("params", "name", "text"),
    [
        ({"output_dir": "{in}"}, "output_dir", "folder of the source videos"),
        ({"output_dir": {"absolute_path": "{in}/below"}}, "output_dir", "lies inside"),
        ({"output_dir": "{in}/0.mp4"}, "output_dir", "is a file"),
        ({"policy": "fps", "fps": 0}, "fps", "rate above 0"),
        ({"policy": "every_nth", "every_nth": -1}, "every_nth", "at least 1"),
        ({"policy": "max_frames", "max_frames": 0}, "max_frames", "at least 1"),
        ({"longest_side": 2}, "longest_side", "at least 16"),
        ({"crf": 60}, "crf", "from 0 to 51"),
        ({"target": "media_field", "media_field": "id"}, "media_field", "uses this name itself"),
        ({"target": "media_field", "media_field": "frames"}, "media_field", "reserved"),
        ({"target": "media_field", "media_field": "a b"}, "media_field", "letters"),
        ({"dataset_name": "{dataset}"}, "dataset_name", "the source videos itself"),
        ({"dataset_name": "$$$"}, "dataset_name", "Choose another one"),
        ({"run_key": "a b"}, "run_key", "Invalid run key"),
    ],
)
def test_the_form_refuses_bad_values(
    dataset: fo.Dataset, tmp_path: Path, params: dict[str, Any], name: str, text: str
) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(inner) for key, inner in value.items()}
        if not isinstance(value, str):
            return value
        return value.replace("{in}", str(tmp_path / "in")).replace("{dataset}", dataset.name)

    invalid = _invalid(dataset, **filled(params))
    assert list(invalid) == [name]
    assert text in invalid[name]


def test_the_form_shows_only_the_chosen_policys_field(dataset: fo.Dataset) -> None:
    values = {"fps", "every_nth", "max_frames"}
    assert not values & set(_form(dataset))
    for policy in values:
        form = _form(dataset, policy=policy)
        assert values & set(form) == {policy}
        assert _invalid(dataset, policy=policy) == {}


def test_the_form_has_the_defaults_of_the_options(dataset: fo.Dataset) -> None:
    assert _invalid(dataset) == {}
    form = _form(dataset)
    assert form["output_dir"].required
    names = (set(PreprocessOptions.__dataclass_fields__) & set(form)) - {"output_dir"}
    assert names >= {"policy", "longest_side", "keep_audio", "preset", "crf", "target", "persistent", "overwrite"}
    for name in names:
        assert form[name].default == getattr(PREPROCESS_DEFAULTS, name), name


def test_the_form_says_what_a_media_field_means(dataset: fo.Dataset) -> None:
    form = _form(dataset, target="media_field")
    assert "belong to the original" in form["media_field_meaning"].view.label
    assert "dataset_name" not in form
    assert "Labels stay with the original" in _form(dataset)["dataset_meaning"].view.label
    assert "2 videos will be copied; the originals stay" in form["size"].view.label
    assert not _form(dataset)["open_dataset"].default
    assert "open_dataset" not in form
    assert "continue a run that was interrupted" in form["output_dir"].view.description
    assert f"{dataset.name}-preprocessed" in _form(dataset)["dataset_name"].view.description


def test_image_data_sets_are_refused_in_the_form(tmp_path: Path) -> None:
    images = fo.Dataset()
    images.add_sample(fo.Sample(filepath=str(media.picture_file(tmp_path / "picture.png"))))
    assert "Expected videos" in _invalid(images)["no_videos"]
    images.delete()


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
