"""The form of Propagate labels: what it offers, tells in numbers and refuses."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from drawn_labels import box
from operator_forms import form_of, invalid_in

import point_tracking as pt
from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.propagation.propagate_labels import PROPAGATION_DEFAULTS

URI = "@fo-video/point-tracking/propagate_labels"


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    return form_of(URI, dataset, **params)


def test_the_form_has_the_defaults_of_the_options(dataset: fo.Dataset) -> None:
    form = _form(dataset)
    assert invalid_in(form) == {}
    names = set(PropagateOptions.__dataclass_fields__) & set(form) - {"field"}
    assert names >= {"tracker", "direction", "keep_lost", "points_per_object", "run_key"}
    for name in names:
        assert (form[name].default or None) == (getattr(PROPAGATION_DEFAULTS, name) or None), name


def test_it_tells_in_numbers_what_will_be_read_and_written(dataset: fo.Dataset) -> None:
    assert _form(dataset)["overview"].view.label == "3 keyframes of 1 object, 9 frames to fill"
    foo.execute_operator(URI, {"dataset": dataset}, params={"field": "box", "tracker": "optical-flow"})
    dataset.reload()
    told = _form(dataset, tracker="optical-flow")["overview"].view.label
    assert told == "3 keyframes of 1 object, 0 frames to fill; 9 frames are filled from the same keyframes already"
    sample = dataset.first()
    sample.frames[1]["box"] = box(0.15)
    sample.save()
    told = _form(dataset, tracker="optical-flow")["overview"].view.label
    assert told == "3 keyframes of 1 object, 4 frames to fill; 5 frames are filled from the same keyframes already"


def test_it_offers_only_labels_that_can_be_carried(dataset: fo.Dataset) -> None:
    xy = np.full((12, 1, 2), 10.0)
    visible = np.ones((12, 1), bool)
    pt.write_tracks(dataset.first(), "tracks", pt.Tracks(xy, visible, visible.astype(float)))
    dataset.add_frame_field("kind", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    dataset.add_frame_field("line", fo.EmbeddedDocumentField, embedded_doc_type=fo.Polylines)
    assert [choice.value for choice in _form(dataset)["field"].view.choices] == ["box", "line"]
    dataset.delete_frame_fields(["box", "line"])
    assert "no labels to carry" in invalid_in(_form(dataset))["no_labels"]


def test_unmarked_labels_beside_keyframes_are_named_with_their_number(dataset: fo.Dataset) -> None:
    assert "overwrite_unmarked" not in _form(dataset)
    sample = dataset.first()
    sample.frames[3]["box"] = box(0.15, keyframe=None)
    sample.frames[4]["box"] = box(0.15, keyframe=None)
    sample.save()
    form = _form(dataset)
    assert form["overwrite_unmarked"].type.__class__.__name__ == "Boolean"
    assert "Replace 2 labels that do not say" in form["overwrite_unmarked"].view.label
    assert form["overview"].view.label == "5 keyframes of 1 object, 7 frames to fill"
    form = _form(dataset, overwrite_unmarked=True)
    assert form["overview"].view.label == "3 keyframes of 1 object, 9 frames to fill"


def test_labels_without_identity_are_told(dataset: fo.Dataset) -> None:
    sample = dataset.last()
    sample.frames[1]["box"] = box(0.1, index=None)
    sample.save()
    assert "1 label without index and instance get an instance" in _form(dataset)["identity"].view.label


def test_what_is_wrong_with_labels_is_told_before(dataset: fo.Dataset) -> None:
    sample = dataset.last()
    sample.frames[2]["box"] = fo.Detections(
        detections=[fo.Detection(label="thin", bounding_box=[0.1, 0.1, 0.0, 0.2], index=4, keyframe=True)]
    )
    sample.save()
    assert "has no area" in _form(dataset)["warning_0"].view.label


@pytest.mark.parametrize(
    ("params", "name", "text"),
    [
        ({"place": "own_field", "output_field": "a b"}, "options_error", "letters"),
        ({"place": "own_field", "output_field": "tracks"}, "options_error", "holds point tracks"),
        ({"more": {"first_frame": 5, "last_frame": 2}}, "options_error", "first and the last frame"),
        ({"more": {"points_per_object": 0}}, "options_error", "Supported are whole numbers"),
    ],
)
def test_the_form_refuses_bad_values(dataset: fo.Dataset, params: dict[str, Any], name: str, text: str) -> None:
    xy, visible = np.full((12, 1, 2), 10.0), np.ones((12, 1), bool)
    pt.write_tracks(dataset.first(), "tracks", pt.Tracks(xy, visible, visible.astype(float)))
    assert text in invalid_in(_form(dataset, **params))[name]


def test_annotation_is_offered_where_the_tab_can_edit_and_does_not_list_the_field_yet(dataset: fo.Dataset) -> None:
    assert "annotate" in _form(dataset)
    foo.execute_operator(URI, {"dataset": dataset}, params={"field": "box", "tracker": "optical-flow"})
    dataset.reload()
    assert "annotate" not in _form(dataset)


def test_the_field_with_keyframes_in_the_chosen_videos_is_offered_first(dataset: fo.Dataset) -> None:
    dataset.add_frame_field("a_empty", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    sample = dataset.last()
    sample.frames[1]["a_model"] = box(0.1, keyframe=False)
    sample.save()
    dataset.add_frame_field("box.detections.keyframe", fo.BooleanField)
    assert _form(dataset)["field"].default == "box"
    dataset.delete_frame_field("box")
    assert _form(dataset)["field"].default == "a_model"


def test_where_there_is_nothing_to_carry_it_cannot_be_executed(dataset: fo.Dataset) -> None:
    dataset.add_frame_field("empty", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    assert "hold no label to carry in empty" in invalid_in(_form(dataset, field="empty"))["nothing"]
