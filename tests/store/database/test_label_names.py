"""Names of label fields: what FiftyOne or Python needs itself is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import pytest

import point_tracking as pt
from point_tracking.store.database.fields import check_label_name
from point_tracking.tracker.errors import FieldError


@pytest.mark.parametrize(
    "name",
    [
        *("save", "copy", "merge", "to_dict", "iter_fields", "field_names", "set_field", "in_dataset", "reload"),
        *("filename", "media_type", "add_labels", "dataset", "id", "frame_number", "sample_id", "frames", "filepath"),
        *("tags", "metadata", "class", "None", "_hidden", "a b", "1st", "frames.tracks", "", 7, None, "tracks.x"),
    ],
)
def test_names_that_break_fiftyone_are_refused(name: str) -> None:
    with pytest.raises(FieldError, match=r"Invalid label field"):
        check_label_name(name)


@pytest.mark.parametrize("name", ["tracks", "points", "nose", "save_2", "index", "label", "Tracks", "größe"])
def test_other_names_are_fine(name: str) -> None:
    assert check_label_name(name) == name


@pytest.mark.parametrize("name", ["save", "filename"])
def test_they_are_refused_everywhere(make_dataset: Callable[..., fo.Dataset], clip: Path, name: str) -> None:
    dataset = make_dataset(clip)
    calls: list[Callable[[], object]] = [
        lambda: pt.track_dataset(dataset, name),
        lambda: pt.load_model("optical-flow", store_in=name),
        lambda: pt.evaluate_dataset(dataset, "tracks", name),
        lambda: pt.evaluate_dataset(dataset, name, "truth"),
    ]
    for call in calls:
        with pytest.raises(FieldError, match="Invalid label field"):
            call()
    assert not dataset.has_frame_field(name)
