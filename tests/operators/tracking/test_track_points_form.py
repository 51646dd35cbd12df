"""The form of Track points: what it asks for, warns of and refuses."""

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
from point_tracking.operators.tracking.track_points_form import options_of
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


def test_what_to_track_comes_first_and_what_is_rarely_used_is_folded(dataset: fo.Dataset) -> None:
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": {}})
    form = foo.get_operator(URI).resolve_input(context).type.properties
    names = list(form)
    shown = [name for name in names if name in ("prompt_kind", "grid_size", "tracker", "label_field", "size", "more")]
    assert shown == ["prompt_kind", "grid_size", "tracker", "label_field", "size", "more"]
    assert (names[-1], form["more"].view.to_json()["collapsible"]) == ("more", True)
    assert {"layout", "sampling_rule", "run_key", "wait_for_others"} <= set(form["more"].type.properties)


def test_what_is_chosen_in_the_folded_group_counts(dataset: fo.Dataset) -> None:
    params = {"grid_size": 2, "more": {"run_key": "mine", "layout": "frame", "color_by_track": False}}
    assert foo.execute_operator(URI, {"dataset": dataset}, params=params).error is None
    dataset.reload()
    assert dataset.get_run_info("mine").config.layout == "frame"
    assert dataset.app_config.color_scheme is None


def test_what_is_wrong_in_the_folded_group_is_said_in_sight(dataset: fo.Dataset) -> None:
    form = _form(dataset, more={"run_key": "a b"})
    assert "Invalid run key" in form["folded_error"].error_message
    assert form["folded_error"].view.label == form["folded_error"].error_message
    with pytest.raises(Exception, match="Invalid run key"):
        foo.execute_operator(URI, {"dataset": dataset}, params={"more": {"run_key": "a b"}})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("grid", {"grid_size": 3, "points": None}),
        ("masks", {"grid_size": 3, "mask_field": "object", "points_per_object": 7, "points": None}),
        ("points", {"grid_size": 3, "points": [[0.0, 1.0, 2.0]]}),
    ],
)
def test_values_of_hidden_prompts_do_not_count(kind: str, expected: dict[str, Any]) -> None:
    given = {"grid_size": 3, "mask_field": "object", "points_per_object": 7, "points": "0, 1, 2"}
    options = options_of({"prompt_kind": kind, **given})
    for name in ("grid_size", "mask_field", "points_per_object", "points"):
        assert getattr(options, name) == expected.get(name)


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
