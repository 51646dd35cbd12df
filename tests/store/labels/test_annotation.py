"""The Annotate tab lists a field; what a person set up there stays, and no label is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from drawn_labels import box

from point_tracking.store.labels.annotation import activate_annotation, is_active, is_editable, show_on_time_line


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    sample = fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", num_frames=3)))
    for name in ("box", "other"):
        sample.frames[1][name] = box(0.1)
    dataset.add_sample(sample)
    dataset.add_frame_field("box.detections.keyframe", fo.BooleanField)
    yield dataset
    dataset.delete()


def _attributes(dataset: fo.Dataset, path: str) -> list[str]:
    return [attribute["name"] for attribute in dataset.label_schemas[path]["attributes"]]


def _stored(dataset: fo.Dataset) -> list[dict[str, Any]]:
    return list(dataset._frame_collection.find({}, {"last_modified_at": 0}))


def test_a_field_is_listed_with_its_classes_and_attributes(dataset: fo.Dataset) -> None:
    before = _stored(dataset)
    assert not is_active(dataset, "box")
    activate_annotation(dataset, "box")
    assert is_active(dataset, "box")
    assert dataset.label_schemas["frames.box"]["classes"] == ["bar"]
    assert "keyframe" in _attributes(dataset, "frames.box")
    assert _stored(dataset) == before, "no label is given an instance or anything else"


def test_what_a_person_set_up_stays_and_missing_attributes_are_added(dataset: fo.Dataset) -> None:
    schema = dataset.generate_label_schemas(fields="frames.box", scan_samples=False)
    schema = {**schema, "classes": ["bar", "cup"], "component": "radio"}
    dataset.update_label_schema("frames.box", schema)
    other = dataset.generate_label_schemas(fields="frames.other", scan_samples=False)
    dataset.update_label_schema("frames.other", other)
    dataset.activate_label_schemas(["frames.other"])
    dataset.add_frame_field("box.detections.outside", fo.BooleanField)

    activate_annotation(dataset, "box")
    activate_annotation(dataset, "box")
    dataset.reload()
    assert dataset.active_label_schemas == ["frames.other", "frames.box"]
    assert dataset.label_schemas["frames.box"]["classes"] == ["bar", "cup"]
    assert dataset.label_schemas["frames.box"]["component"] == "radio"
    assert _attributes(dataset, "frames.box").count("outside") == 1
    assert dataset.label_schemas["frames.other"] == other


def test_keypoints_cannot_be_edited_there(dataset: fo.Dataset) -> None:
    dataset.add_frame_field("points", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
    dataset.add_frame_field("lines", fo.EmbeddedDocumentField, embedded_doc_type=fo.Polylines)
    assert [is_editable(dataset, name) for name in ("box", "lines", "points", "absent")] == [True, True, False, False]


def test_spans_are_shown_on_the_time_line_and_what_a_person_set_up_stays(dataset: fo.Dataset) -> None:
    dataset.add_sample_field("spans", fo.EmbeddedDocumentField, embedded_doc_type=fo.TemporalDetections)
    show_on_time_line(dataset, "spans")
    assert dataset.active_label_schemas == ["spans"]
    dataset.deactivate_label_schemas(["spans"])
    show_on_time_line(dataset, "spans")
    assert dataset.active_label_schemas == []
