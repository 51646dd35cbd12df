"""The form of Preprocess videos: what it asks for and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from operator_forms import form_of, invalid_in

from point_tracking.workflows.preprocessing.options import PREPROCESS_DEFAULTS, PreprocessOptions

URI = "@fo-video/point-tracking/preprocess_videos"


def _form(dataset: fo.Dataset, uri: str = URI, **params: Any) -> dict[str, Any]:
    return form_of(uri, dataset, **params)


def _invalid(dataset: fo.Dataset, uri: str = URI, **params: Any) -> dict[str, str]:
    return invalid_in(_form(dataset, uri, **params))


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
