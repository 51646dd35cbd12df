"""Labels of a sample's frames, written as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from dataset_fixtures import discard

import point_tracking as pt
from point_tracking.store.labels.label_writer import (
    check_list_field,
    check_replaced,
    declare_list_field,
    write_labels,
)
from point_tracking.tracker.errors import FieldError, FieldExistsError, WriteError


@pytest.fixture
def dataset(tmp_path: Path):
    made = fo.Dataset()
    made.add_sample(fo.Sample(filepath=str(tmp_path / "none.mp4")))
    yield made
    discard(made)


def box(**more: Any) -> dict[str, Any]:
    return fo.Detection(**{"label": "goat", "bounding_box": [0.1, 0.1, 0.2, 0.2], "index": 1, **more}).to_dict()


def test_labels_are_read_by_fiftyone_as_its_own(dataset: fo.Dataset) -> None:
    assert declare_list_field(dataset, "box", fo.Detections, {"keyframe": bool, "speed": float, "n": int}) == []
    sample_id = dataset.first().id
    write_labels(dataset, sample_id, "box", {2: [box(keyframe=True, speed=1.5, n=3), box()]}, overwrite=False)
    dataset.reload()
    frame = dataset.first().frames[2]
    assert [label.get_attribute_value("keyframe", None) for label in frame["box"].detections] == [True, None]
    assert frame["box"].detections[0].speed == 1.5
    assert frame.dataset_id == str(dataset._doc.id)
    assert dataset.count("frames.box.detections") == 2


def test_replacing_removes_what_was_in_other_frames_and_keeps_other_fields(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    sample.frames[1] = fo.Frame(box=fo.Detections(detections=[fo.Detection(label="old")]), note="stays")
    sample.save()
    changed = sample.last_modified_at
    with pytest.raises(FieldExistsError, match="already holds 1 labels"):
        write_labels(dataset, sample.id, "box", {3: [box()]}, overwrite=False)
    write_labels(dataset, sample.id, "box", {3: [box()]}, overwrite=True)
    sample.reload()
    assert (sample.frames[1]["box"], sample.frames[1]["note"]) == (None, "stays")
    assert sample.frames[3]["box"].detections[0].label == "goat"
    assert sample.last_modified_at > changed


def test_attributes_of_another_type_are_told(dataset: fo.Dataset) -> None:
    declare_list_field(dataset, "box", fo.Detections, {"speed": float})
    assert declare_list_field(dataset, "box", fo.Detections, {"speed": str, "n": int}) == ["speed"]


def test_fields_of_another_kind_are_refused(dataset: fo.Dataset) -> None:
    dataset.add_frame_field("line", fo.EmbeddedDocumentField, embedded_doc_type=fo.Polylines)
    with pytest.raises(FieldError, match="holds Polylines, not Detections"):
        check_list_field(dataset, "line", fo.Detections)
    with pytest.raises(FieldError, match="Invalid label field"):
        check_list_field(dataset, "no name", fo.Detections)
    check_list_field(dataset, "new", fo.Detections)
    field = dataset.get_field("frames.line")
    field.read_only = True
    field.save()
    with pytest.raises(FieldError, match="read-only"):
        check_list_field(dataset, "line", fo.Polylines)


def test_fields_of_point_tracks_are_refused(make_dataset: Callable[..., fo.Dataset], clip: Path, drift) -> None:
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, "tracks", tracker=drift, grid_size=2)
    with pytest.raises(FieldError, match="holds point tracks"):
        check_list_field(dataset, "tracks", fo.Keypoints)


def test_a_sample_that_is_gone_is_told(dataset: fo.Dataset) -> None:
    declare_list_field(dataset, "box", fo.Detections, {})
    sample_id = dataset.first().id
    check_replaced(dataset, sample_id, "box", overwrite=False)
    dataset.delete_samples([sample_id])
    with pytest.raises(WriteError, match="no longer in the dataset"):
        write_labels(dataset, sample_id, "box", {1: [box()]}, overwrite=True)
