"""The form of *Render trails*."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from operator_forms import form_of, invalid_in

import point_tracking as pt
from point_tracking.operators.rendering.render_trails_form import options_of
from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.rendering.options import RENDER_DEFAULTS, RenderOptions

URI = "@fo-video/point-tracking/render_trails"


def test_the_form_has_the_defaults_of_the_options_and_shows_what_choices_need(dataset: fo.Dataset) -> None:
    form = form_of(URI, dataset)
    assert invalid_in(form) == {}
    assert form["output_dir"].required
    names = (set(RenderOptions.__dataclass_fields__) & set(form)) - {"output_dir"}
    assert names >= {"label_field", "suffix", "tail", "color_by", "show_hidden", "background", "longest_side"}
    assert names >= {"keep_audio", "num_workers", "run_key"}
    for name in names:
        assert form[name].default == getattr(RENDER_DEFAULTS, name), name
    assert "compare_field" not in form, "there is nothing beside"
    assert "2 videos will be drawn; videos and tracks are only read" in form["size"].view.label
    dataset.clone_frame_field("tracks", "truth")
    assert form_of(URI, dataset)["compare_field"].type.values == ["", "truth"]
    form = form_of(URI, dataset, place="beside", show_in_app=True, compare_field="truth")
    assert "output_dir" not in form
    assert "lie among the videos" in form["beside_meaning"].view.label
    assert form["media_field"].default == "trails"
    assert "fit neither" in form["side_by_side"].view.label
    form = form_of(URI, dataset, suffix=".gif", show_in_app=True)
    assert not {"show_in_app", "media_field", "keep_audio"} & set(form)
    assert "empty: at most 480" in form["longest_side"].view.description


def test_the_form_refuses_bad_values(dataset: fo.Dataset, tmp_path: Path) -> None:
    dataset.add_sample_field("notes", fo.StringField)
    dataset.clone_frame_field("tracks", "truth")
    refused: list[tuple[dict[str, Any], str, str]] = [
        ({"output_dir": str(tmp_path / "in" / "0.mp4")}, "output_dir", "is a file"),
        ({"tail": 2000}, "tail", "0 to 1000"),
        ({"longest_side": 2}, "longest_side", "from 16 to 8192"),
        ({"compare_field": "tracks"}, "compare_field", "not drawn beside itself"),
        ({"show_in_app": True, "media_field": "notes"}, "media_field", "something else"),
        ({"show_in_app": True, "media_field": "a b"}, "media_field", "letters"),
        ({"num_workers": 0}, "num_workers", "at least 1"),
        ({"run_key": "a b"}, "run_key", "Invalid run key"),
    ]
    for params, name, text in refused:
        invalid = invalid_in(form_of(URI, dataset, **params))
        assert list(invalid) == [name]
        assert text in invalid[name]
    for name in ("tracks", "truth"):
        dataset.delete_frame_field(name)
    assert "track points first" in invalid_in(form_of(URI, dataset))["no_tracks"]


def test_files_that_are_there_are_told_before_the_run(dataset: fo.Dataset, tmp_path: Path) -> None:
    pt.render_dataset(dataset.limit(1), "tracks", tmp_path / "out", suffix=".png", progress=False)
    params = {"output_dir": str(tmp_path / "out"), "suffix": ".png"}
    assert "There already: 1 file, such as 0-tracks-" in invalid_in(form_of(URI, dataset, **params))["existing"]
    for chosen in ("skip_existing", "overwrite"):
        assert invalid_in(form_of(URI, dataset, **params, existing=chosen)) == {}
    assert invalid_in(form_of(URI, dataset.skip(1), **params)) == {}


def test_values_are_read_as_options() -> None:
    shown = {"show_in_app": True, "place": "folder", "output_dir": {"absolute_path": "/out"}, "keep_audio": True}
    options = options_of({**shown, "existing": "overwrite", "compare_field": ""})
    assert (options.output_dir, options.media_field, options.overwrite) == ("/out", "trails", True)
    assert (options.keep_audio, options.compare_field) == (True, None)
    options = options_of({**shown, "suffix": ".gif", "media_field": "trails", "place": "beside"})
    assert (options.output_dir, options.media_field, options.keep_audio) == (None, None, False)
    assert options_of({"output_dir": None}).output_dir is None
    assert options_of({"output_dir": "a", "media_field": "mine", "skip_existing": True}).skip_existing
    with pytest.raises(OptionError, match="path of a folder"):
        options_of({})
