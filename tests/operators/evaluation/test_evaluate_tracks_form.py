"""The form of Evaluate tracks: what it offers and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import pytest
from fiftyone.operators.executor import ExecutionContext
from operator_forms import form_of, invalid_in

import point_tracking as pt
from point_tracking.workflows.evaluation.options import EVALUATION_DEFAULTS, EvaluationOptions

URI = "@fo-video/point-tracking/evaluate_tracks"


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    return form_of(URI, dataset, **params)


def _invalid(dataset: fo.Dataset, **params: Any) -> dict[str, str]:
    return invalid_in(_form(dataset, **params))


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


def test_videos_without_tracks_are_not_counted(dataset: fo.Dataset, tmp_path: Path) -> None:
    assert "2 videos; tracks are only read" in _form(dataset)["size"].view.label
    dataset.add_samples(
        [fo.Sample(filepath=str(media.video(tmp_path / f"new-{k}.mp4", num_frames=3))) for k in range(2)]
    )
    text = "2 of the 4 chosen videos hold tracks in frames.tracks; 2 are listed as not evaluated"
    assert text in _form(dataset)["size"].view.label
    report = pt.evaluate_dataset(dataset, "tracks", "ground_truth")
    assert (report.num_samples, len(report.failures)) == (2, 2)
    dataset.add_frame_field("empty", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
    assert "None of the chosen videos holds tracks in frames.empty" in _invalid(dataset, label_field="empty")["size"]


def test_only_what_the_data_set_has_is_asked_for(dataset: fo.Dataset) -> None:
    dataset.add_sample_field("person", fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation)
    form = _form(dataset, gt_field="")
    assert "mask_field" not in form
    assert form["purpose"].view.label == "Choose known tracks, or tracking back to the start"
    dataset.add_frame_field("car", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    form = _form(dataset, gt_field="")
    assert form["purpose"].view.label == "Choose known tracks, object masks, or tracking back to the start"
    dataset.delete_frame_fields(["car", "ground_truth"])
    dataset.delete_sample_field("ground_truth_info")
    assert (
        "Choose tracking back to the start. The dataset holds no known tracks" in _form(dataset)["purpose"].view.label
    )


def test_what_is_rarely_used_is_folded_and_counts(dataset: fo.Dataset) -> None:
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": {}})
    form = foo.get_operator(URI).resolve_input(context).type.properties
    assert list(form)[-1] == "more"
    assert list(form["more"].type.properties) == ["match", "sparse_labels", "group_by"]
    params = {"gt_field": "ground_truth", "eval_key": "mine", "more": {"group_by": "kind"}}
    assert foo.execute_operator(URI, {"dataset": dataset}, params=params).error is None
    report: Any = pt.load_report(dataset, "mine")
    assert report.group_by == "kind"


def test_data_sets_without_tracks_or_videos_are_told_so(tmp_path: Path) -> None:
    empty = fo.Dataset()
    empty.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", num_frames=3))))
    assert "no_tracks" in _invalid(empty)
    empty.delete()
    images = fo.Dataset()
    images.add_sample(fo.Sample(filepath=str(media.picture_file(tmp_path / "picture.png"))))
    assert "no_videos" in _invalid(images)
    images.delete()
