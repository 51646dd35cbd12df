"""The form of Track points: what it asks for, warns of and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import pytest
from operator_forms import form_of, invalid_in

import point_tracking as pt
from point_tracking.workflows.tracking.options import TRACK_DEFAULTS, TrackOptions

URI = "@fo-video/point-tracking/track_points"


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    return form_of(URI, dataset, **params)


def _invalid(dataset: fo.Dataset, **params: Any) -> dict[str, str]:
    return invalid_in(_form(dataset, **params))


@pytest.mark.parametrize(
    ("params", "name", "text"),
    [
        ({"grid_size": 0}, "grid_size", "at least 1"),
        ({"frame_index": -1}, "frame_index", "first frame is 0"),
        ({"points": "0, 10"}, "points", "three numbers"),
        ({"points": "0, a, 3"}, "points", "name of a field"),
        ({"points": "[[0, 1"}, "points", "JSON"),
        ({"label_field": "a b"}, "label_field", "letters"),
        ({"label_field": "filepath"}, "label_field", "uses this name"),
        ({"grid_size": 350, "layout": "points"}, "layout", "16 MiB"),
        ({"sampling_rule": "fps", "sampling_fps": 0}, "sampling_error", "above 0"),
        ({"sampling_rule": "every_nth", "sampling_every_nth": 0}, "sampling_error", "at least 1"),
        ({"overwrite": True, "skip_existing": True}, "overwrite", "exclude each other"),
        ({"run_key": "a b"}, "run_key", "Invalid run key"),
    ],
)
def test_the_form_refuses_bad_values(dataset: fo.Dataset, params: dict, name: str, text: str) -> None:
    invalid = _invalid(dataset, **params)
    assert list(invalid) == [name]
    assert text in invalid[name]


def test_the_form_has_the_defaults_of_the_options(dataset: fo.Dataset) -> None:
    form = _form(dataset)
    assert _invalid(dataset) == {}
    names = set(TrackOptions.__dataclass_fields__) & set(form)
    assert names >= {"tracker", "grid_size", "frame_index", "backward", "label_field", "layout", "keep_hidden"}
    for name in names:
        assert form[name].default == getattr(TRACK_DEFAULTS, name), name


def test_the_form_warns_of_what_a_run_will_do(dataset: fo.Dataset) -> None:
    pt.fill_metadata(dataset)
    assert "2 samples: will write about 160 keypoints" in _form(dataset, grid_size=4)["size"].view.label
    assert "commercial use allowed" in _form(dataset)["tracker_terms"].view.label
    assert "5 x 5 = 25 points" in _form(dataset, grid_size=5)["grid_size"].view.description
    assert _form(dataset, grid_size=50)["layout"].default == "frame"
    pt.track_dataset(dataset.limit(1), grid_size=2)
    form = _form(dataset)
    assert "among the chosen samples: 1" in form["field_exists"].view.label
    assert "Replace them" in form["overwrite"].error_message
    assert _invalid(dataset, skip_existing=True) == {}
    assert _invalid(dataset, label_field="other") == {}
    assert "There is a run" in _invalid(dataset, label_field="other", run_key="track_tracks")["run_key"]
    assert _invalid(dataset, overwrite=True, run_key="track_tracks") == {}


def test_hand_labels_are_deleted_only_where_their_number_is_typed(dataset: fo.Dataset) -> None:
    for sample in dataset:
        for number in (1, 3):
            keypoints = [fo.Keypoint(points=[(0.5, 0.5)], label="hand") for _ in range(number)]
            sample.frames[number]["mine"] = fo.Keypoints(keypoints=keypoints)
        sample.save()
    form = _form(dataset, label_field="mine")
    assert "holds 8 labels in 2 chosen samples" in form["replace_labels"].view.description
    assert "type 8 to delete" in form["replace_labels"].error_message
    assert list(_invalid(dataset, label_field="mine", overwrite=True)) == ["replace_labels"]
    assert list(_invalid(dataset, label_field="mine", replace_labels=7)) == ["replace_labels"]
    assert _invalid(dataset, label_field="mine", replace_labels=8) == {}
    assert "replace_labels" not in _form(dataset, label_field="other")
    params = {"grid_size": 2, "label_field": "mine", "replace_labels": 8}
    assert foo.execute_operator(URI, {"dataset": dataset}, params=params).error is None
    dataset.reload()
    assert dataset.values("mine_info.num_points") == [4, 4]
    assert "hand" not in dataset.distinct("frames.mine.keypoints.label")
    assert "replace_labels" not in _form(dataset, label_field="mine")


def test_the_form_lists_mask_fields(dataset: fo.Dataset) -> None:
    dataset.add_sample_field("person", fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation)
    dataset.add_frame_field("cars", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    choices = [choice.value for choice in _form(dataset)["mask_field"].view.choices]
    assert choices == ["person", "frames.cars"]


def test_image_data_sets_are_refused_in_the_form(tmp_path: Path) -> None:
    images = fo.Dataset()
    images.add_sample(fo.Sample(filepath=str(media.picture_file(tmp_path / "picture.png"))))
    assert "Expected videos" in _invalid(images)["no_videos"]
    images.delete()


def test_weights_need_a_file_or_consent(dataset: fo.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))
    form = _form(dataset, tracker="cotracker3-offline")
    assert "NON-COMMERCIAL" in form["tracker_terms"].view.label
    assert "102 MB" in form["checkpoint"].view.description
    assert list(_invalid(dataset, tracker="cotracker3-offline")) == ["accept_license"]
    assert list(_invalid(dataset, tracker="cotracker3-offline", accept_license="no")) == ["accept_license"]
    assert _invalid(dataset, tracker="cotracker3-offline", accept_license=True) == {}
    assert list(_invalid(dataset, tracker="cotracker3-offline", checkpoint="/no/such/file.pth")) == ["checkpoint"]
    weights = tmp_path / "mine.pth"
    weights.touch()
    assert _invalid(dataset, tracker="cotracker3-offline", checkpoint=str(weights)) == {}
    with pytest.raises(Exception, match="Accept the terms"):
        foo.execute_operator(URI, {"dataset": dataset}, params={"tracker": "cotracker3-offline"})
    with pytest.raises(Exception, match="CheckpointError"):
        foo.execute_operator(
            URI, {"dataset": dataset}, params={"tracker": "cotracker3-offline", "checkpoint": str(weights)}
        )
    assert not dataset.has_frame_field("tracks")
