"""The operator that judges tracks, called as the App and as Python call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import numpy as np
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext

import point_tracking as pt
from point_tracking.workflows.evaluation.options import EVALUATION_DEFAULTS, EvaluationOptions

URI = "@fo-video/point-tracking/evaluate_tracks"


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """Two clips with truth; the first is tracked perfectly, the second loses half of its points."""
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / f"{k}.mp4", num_frames=5) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path), kind=f"k{n}") for n, path in enumerate(paths)])
    xy = np.tile(np.array([[20.0, 30.0], [100.0, 60.0]]), (5, 1, 1))
    visible = np.ones((5, 2), bool)
    for k, sample in enumerate(dataset):
        pt.write_tracks(sample, "ground_truth", pt.Tracks(xy, visible, visible.astype(float)))
        found = xy.copy()
        found[1:, 1, 1] += 50 * k
        pt.write_tracks(sample, "tracks", pt.Tracks(found, visible, visible.astype(float)))
    yield dataset
    dataset.delete()


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": params})
    return foo.get_operator(URI).resolve_input(context).type.properties


def _invalid(dataset: fo.Dataset, **params: Any) -> dict[str, str]:
    return {name: p.error_message for name, p in _form(dataset, **params).items() if p.invalid}


def test_the_operator_is_registered_with_its_risk_named() -> None:
    assert foo.operator_exists(URI)
    config = foo.get_operator(URI).config
    assert config.risk_level.value == "medium"
    assert config.allow_delegated_execution
    assert config.allow_immediate_execution
    assert (Path(__file__).parents[3] / config.icon.lstrip("/")).is_file()


def test_executing_it_stores_scores(dataset: fo.Dataset) -> None:
    params = {"gt_field": "ground_truth", "group_by": "kind", "eval_key": "mine", "metrics": ["tap_vid"]}
    result = foo.execute_operator(URI, {"dataset": dataset}, params=params)
    assert result.error is None
    dataset.reload()
    assert dataset.values("mine_delta_avg") == [1.0, 0.5]
    report: Any = pt.load_report(dataset, "mine")
    assert [(t.group, t.figures["delta_avg"]) for t in report.totals] == [("k0", 1.0), ("k1", 0.5)]
    assert not dataset.has_sample_field("mine_survival")


def test_labels_can_be_sparse(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    sample.frames[3]["ground_truth"] = None
    sample.save()
    figures = []
    for params in ({}, {"sparse_labels": "unlabelled"}, {"sparse": True}):
        foo.execute_operator(URI, {"view": dataset.limit(1)}, params={"gt_field": "ground_truth", **params})
        dataset.reload()
        figures.append(dataset.values(f"{dataset.list_runs()[-1]}_oa")[0])
    assert figures == [0.75, 1.0, 1.0]


def test_a_view_is_a_target(dataset: fo.Dataset) -> None:
    foo.execute_operator(URI, {"view": dataset.limit(1)}, params={"gt_field": "ground_truth"})
    dataset.reload()
    assert dataset.values("eval_tracks_aj") == [1.0, None]


def test_calling_it_returns_the_report(dataset: fo.Dataset) -> None:
    operator = foo.get_operator(URI)
    report = operator(dataset, gt_field="ground_truth", query_mode="strided")
    assert (report.num_samples, report.query_mode, report.failures) == (2, "strided", [])
    with pytest.raises(Exception, match="nothing to evaluate against") as error:
        operator(dataset)
    assert type(error.value).__name__ == "OptionError"


def test_a_delegated_run_does_the_same(dataset: fo.Dataset) -> None:
    result = foo.get_operator(URI)(dataset, delegate=True, gt_field="ground_truth")
    operations = DelegatedOperationService()
    (operation,) = operations.list_operations(dataset_name=dataset.name)
    assert result.delegated
    operations.execute_operation(operation, log=True)
    done = operations.list_operations(dataset_name=dataset.name)[0]
    assert (done.run_state, done.status.progress) == ("completed", 1.0)
    dataset.reload()
    assert dataset.values("eval_tracks_delta_avg") == [1.0, 0.5]
    operations.delete_operation(done.id)


def test_the_form_has_the_defaults_of_the_options(dataset: fo.Dataset) -> None:
    form = _form(dataset)
    assert _invalid(dataset) == {}
    names = set(EvaluationOptions.__dataclass_fields__) & set(form)
    assert names >= {"label_field", "gt_field", "query_mode", "match", "cycle", "group_by", "eval_key"}
    for name in names - {"gt_field"}:
        assert (form[name].default or None) == (getattr(EVALUATION_DEFAULTS, name) or None), name
    # the loaders' name for known tracks is offered first
    assert form["gt_field"].default == "ground_truth"


def test_the_form_offers_what_the_data_set_has(dataset: fo.Dataset) -> None:
    dataset.add_frame_field("car", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    form = _form(dataset)
    assert [choice.value for choice in form["label_field"].view.choices] == ["ground_truth", "tracks"]
    assert [choice.value for choice in form["gt_field"].view.choices] == ["", "ground_truth"]
    assert [choice.value for choice in form["mask_field"].view.choices] == ["", "frames.car"]
    assert "kind" in [choice.value for choice in form["group_by"].view.choices]
    assert "tracker" not in form
    assert "optical-flow" in [choice.value for choice in _form(dataset, cycle=True)["tracker"].view.choices]
    assert "query_mode" not in _form(dataset, gt_field="")
    assert "2 videos" in form["size"].view.label


def test_without_anything_to_judge_by_it_cannot_be_executed(dataset: fo.Dataset) -> None:
    assert list(_invalid(dataset, gt_field="")) == ["purpose"]
    assert _invalid(dataset, gt_field="", cycle=True) == {}
    # a hidden field keeps its last value
    assert _invalid(dataset, gt_field="ground_truth", cycle=False, tracker="optical-flow") == {}


@pytest.mark.parametrize(
    ("params", "name", "text"),
    [
        ({"eval_key": "a b"}, "eval_key", "letters"),
        ({"group_by": "absent"}, "group_by", "no sample field"),
        ({"eval_key": "track"}, "eval_key", "no evaluation"),
        ({"eval_key": "mine"}, "overwrite", "Replace it"),
    ],
)
def test_the_form_refuses_bad_values(dataset: fo.Dataset, params: dict, name: str, text: str) -> None:
    pt.evaluate_dataset(dataset, "tracks", "ground_truth", eval_key="mine")
    pt.track_dataset(dataset.limit(1), "other", grid_size=2, run_key="track")
    invalid = _invalid(dataset, **params)
    assert name in invalid
    assert text in invalid[name]
    assert _invalid(dataset, eval_key="mine", overwrite=True) == {}


def test_data_sets_without_tracks_or_videos_are_told_so(tmp_path: Path) -> None:
    empty = fo.Dataset()
    empty.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", num_frames=3))))
    assert "no_tracks" in _invalid(empty)
    empty.delete()
    images = fo.Dataset()
    images.add_sample(fo.Sample(filepath=str(media.picture_file(tmp_path / "picture.png"))))
    assert "no_videos" in _invalid(images)
    images.delete()


def test_bad_parameters_are_refused_in_words(dataset: fo.Dataset) -> None:
    for params, text in (
        ({}, "nothing to evaluate against"),
        ({"gt_field": "tracks"}, "gt_field|same field"),
        ({"gt_field": "ground_truth", "query_mode": "last"}, "query_mode|first, strided"),
    ):
        with pytest.raises(Exception, match=text):
            foo.execute_operator(URI, {"dataset": dataset}, params=params)
    assert not dataset.list_runs()
