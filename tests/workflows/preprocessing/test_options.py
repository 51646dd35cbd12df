"""What a preprocessing run is told, checked before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import FieldError, OptionError
from point_tracking.workflows.preprocessing.options import PreprocessOptions


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"fps": 0}, "rate above 0"),
        ({"fps": -2}, "rate above 0"),
        ({"every_nth": 0}, "at least 1"),
        ({"max_frames": -1}, "at least 1"),
        ({"policy": "fps"}, "needs a value"),
        ({"policy": "auto", "fps": 3}, "takes no fps"),
        ({"longest_side": 1}, "at least 16"),
        ({"target": "cloud"}, "dataset, media_field"),
        ({"dataset_name": " "}, "Expected a name"),
        ({"num_workers": 0}, "at least 1"),
        ({"run_key": "a b"}, "letters, digits"),
        ({"output_dir": ""}, "path of a folder"),
        ({"overwrite": "no"}, "Invalid overwrite"),
        ({"persistent": 0}, "Invalid persistent"),
    ],
)
def test_bad_options_are_refused(untouched: fo.Dataset, out: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        pt.preprocess_dataset(untouched, **{"output_dir": out, **options})
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a b", "letters"),
        ("", "letters"),
        ("_x", "letters"),
        ("a.b", "letters"),
        *((name, "uses this name itself") for name in ("filepath", "tags", "id", "sample_id", "media_type", "class")),
        ("frames", "reserved"),
        (3, "letters"),
    ],
)
def test_a_media_field_needs_a_name_of_its_own(untouched: fo.Dataset, out: Path, name: Any, text: str) -> None:
    before = set(untouched.get_field_schema())
    with pytest.raises(FieldError, match=text):
        pt.preprocess_dataset(untouched, out, target="media_field", media_field=name)
    assert not out.exists()
    assert set(untouched.get_field_schema()) == before


def test_the_record_says_the_policy_in_full_and_where_copies_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = PreprocessOptions("copies", every_nth=3)
    record = options.to_record()
    assert options.folder == tmp_path / "copies"
    assert record["output_dir"] == str(tmp_path / "copies")
    assert record["policy"]["policy"] == "every_nth"
    assert record["media_field"] is None
    assert PreprocessOptions("copies", target="media_field").to_record()["media_field"] == "preprocessed_filepath"
    assert options.base_key == "preprocess"


def test_a_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert PreprocessOptions("~/copies").folder == tmp_path / "copies"
