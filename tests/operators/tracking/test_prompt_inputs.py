"""What to track: what the form offers, and what it refuses because no chosen video can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionContext
from operator_forms import form_of, invalid_in

import point_tracking as pt

URI = "@fo-video/point-tracking/track_points"
W, H = media.SIZE


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """A short video, a longer one and a larger one; fields of several kinds."""
    dataset = fo.Dataset()
    paths = [
        media.video(tmp_path / "short.mp4", num_frames=5),
        media.video(tmp_path / "long.mp4", num_frames=9),
        media.video(tmp_path / "large.mp4", num_frames=5, size=(2 * W, H)),
    ]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    for name, kind in (("person", fo.Segmentation), ("click", fo.Keypoint), ("kind", fo.Classification)):
        dataset.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)
    for name, kind in (("cars", fo.Detections), ("joints", fo.Keypoints), ("kinds", fo.Classifications)):
        dataset.add_frame_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)
    dataset.add_sample_field("rows", fo.ListField)
    dataset.add_sample_field("names", fo.ListField, subfield=fo.StringField)
    yield dataset
    dataset.delete()


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    return form_of(URI, dataset, **params)


def _choices(prop: Any) -> list[str]:
    return [choice.value for choice in prop.view.choices]


def test_fields_that_fit_are_offered(dataset: fo.Dataset) -> None:
    assert _choices(_form(dataset, prompt_kind="masks")["mask_field"]) == ["person", "frames.cars"]
    assert _choices(_form(dataset, prompt_kind="points")["points"]) == [
        *("person", "click", "rows", "frames.cars", "frames.joints"),
    ]
    assert _choices(_form(dataset)["prompt_kind"]) == ["grid", "masks", "points"]


@pytest.mark.parametrize(
    ("params", "kind", "inputs"),
    [
        ({}, "grid", {"grid_size", "frame_index"}),
        ({"mask_field": "person"}, "masks", {"mask_field", "points_per_object", "frame_index"}),
        ({"mask_field": "person", "points_per_object": None}, "masks", {"mask_field", "grid_size", "frame_index"}),
        ({"points": "click"}, "points", {"points", "frame_index"}),
        ({"points": "0, 1, 2"}, "points", {"points"}),
        ({"points": [[0, 1, 2]]}, "points", {"points"}),
        ({"prompt_kind": "grid", "points": "0, 1, 2"}, "grid", {"grid_size", "frame_index"}),
    ],
)
def test_each_kind_of_prompt_has_its_inputs(dataset: fo.Dataset, params: dict, kind: str, inputs: set[str]) -> None:
    form = _form(dataset, **params)
    assert form["prompt_kind"].default == kind
    assert inputs <= set(form)
    assert ({"grid_size", "mask_field", "points", "frame_index"} & set(form)) <= inputs
    assert invalid_in(form) == {}


@pytest.mark.parametrize(
    ("params", "name", "text"),
    [
        ({"points": "nope"}, "points", "There is no field 'nope'"),
        ({"points": "frames.nope"}, "points", "There is no field 'frames.nope'"),
        ({"points": "kind"}, "points", "holds Classification"),
        ({"points": "frames.kinds"}, "points", "holds Classifications"),
        ({"points": "0, 10"}, "points", "rows of three numbers frame, x, y, and these have 2"),
        ({"prompt_kind": "points"}, "points", "Choose a field with labels, or type points"),
        ({"mask_field": "nope"}, "mask_field", "There is no field 'nope'"),
        ({"mask_field": "frames.joints"}, "mask_field", "holds Keypoints"),
        ({"prompt_kind": "masks"}, "mask_field", "Choose the field with the masks"),
        ({"mask_field": "person", "points_per_object": 0}, "points_per_object", "at least 1"),
        ({"points": f"0, {2 * W}, 5"}, "points", "None of the 3 chosen videos can hold these points"),
        ({"points": "0, -1, 5"}, "points", "None of the 3 chosen videos can hold these points"),
        ({"points": "9, 1, 1"}, "points", "None of the 3 chosen videos can hold these points: at most 9 frames"),
        ({"frame_index": 9999}, "frame_index", "can hold frame 9999: at most 9 frames, counted from 0"),
        ({"mask_field": "person", "frame_index": 9}, "frame_index", "can hold frame 9"),
    ],
)
def test_what_cannot_work_is_refused_before_execute(dataset: fo.Dataset, params: dict, name: str, text: str) -> None:
    invalid = invalid_in(_form(dataset, **params))
    assert list(invalid) == [name]
    assert text in invalid[name]
    with pytest.raises(Exception, match="Validation error"):
        foo.execute_operator(URI, {"dataset": dataset}, params={"label_field": "t", **params})
    assert not dataset.has_frame_field("t")


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"points": "5, 1, 1"}, "2 of the 3 chosen videos cannot hold these points"),
        ({"points": f"0, {W}, 5"}, "2 of the 3 chosen videos cannot hold these points"),
        ({"frame_index": 6}, "2 of the 3 chosen videos cannot hold frame 6"),
    ],
)
def test_what_some_videos_cannot_hold_is_a_warning_with_their_number(
    dataset: fo.Dataset, params: dict, text: str
) -> None:
    form = _form(dataset, **params)
    assert invalid_in(form) == {}
    assert text in form["unfit"].view.label
    foo.execute_operator(URI, {"dataset": dataset}, params={"grid_size": 2, **params})
    (run_key,) = dataset.list_runs()
    report: Any = pt.load_report(dataset, run_key)
    assert (report.num_samples, report.num_outside, report.failures) == (1, 2, [])


def test_what_is_only_declared_refuses_nothing(dataset: fo.Dataset) -> None:
    for sample in dataset:
        sample.metadata = fo.VideoMetadata(frame_width=4, frame_height=4, total_frame_count=2, frame_rate=1.0)
        sample.save()
    form = _form(dataset, points="4, 20, 20")
    assert invalid_in(form) == {}
    assert "unfit" not in form
    for sample in dataset:  # nothing is known of files that are away
        Path(sample.filepath).rename(f"{sample.filepath}.away")
    assert invalid_in(_form(dataset, points="99, 9999, 5")) == {}


def test_the_frame_of_the_selected_label_is_offered(dataset: fo.Dataset) -> None:
    def frame_of(*numbers: int | None) -> tuple[int, str]:
        labels = [{"label_id": "a", "field": "frames.joints", "frame_number": number} for number in numbers]
        request = {"dataset_name": dataset.name, "params": {}, "selected_labels": labels}
        prop = foo.get_operator(URI).resolve_input(ExecutionContext(request_params=request)).type.properties
        return prop["frame_index"].default, prop["frame_index"].view.description

    assert frame_of() == (0, "Counted from 0")
    assert frame_of(4, 4) == (3, "Counted from 0; that of the selected label")
    assert frame_of(4, 5) == (0, "Counted from 0")
    assert frame_of(None) == (0, "Counted from 0")


def test_objects_are_covered_by_about_so_many_points(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    mask = np.zeros((H, W), dtype=np.uint8)
    mask[10:22, 10:22] = 1
    sample["person"] = fo.Segmentation(mask=mask)
    sample.save()
    params = {"prompt_kind": "masks", "mask_field": "person", "points_per_object": 30, "points": "0, 1, 1"}
    foo.execute_operator(URI, {"dataset": dataset}, params=params)
    dataset.reload()
    found, *others = dataset.values("tracks_info.num_points")
    assert abs(found - 30) <= 3
    assert others == [None, None]
