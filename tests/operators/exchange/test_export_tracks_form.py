"""The form of `export_tracks`: what each format asks for, and what is refused before Execute."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
from operator_forms import form_of, invalid_in

from point_tracking.operators.exchange.export_tracks_form import options_of
from point_tracking.tracker.formats.registry import FORMATS

URI = "@fo-video/point-tracking/export_tracks"


def test_each_format_has_a_form(dataset: fo.Dataset, tmp_path: Path):
    forms = {name: form_of(URI, dataset, format=name, path=str(tmp_path / "out")) for name in FORMATS}
    # no boxes were drawn
    assert "holds no boxes" in invalid_in(forms.pop("mot"))["no_fields"]
    assert {name: wrong for name, form in forms.items() if (wrong := invalid_in(form))} == {}
    assert {name for name, form in forms.items() if "images" in form} == {"dlc", "lightning-pose", "colmap"}
    assert all("every" in form for form in forms.values())
    assert not any("frames" in form for form in forms.values())


def test_places_that_cannot_hold_the_samples_are_refused_in_words_of_the_app(dataset: fo.Dataset):
    assert "one video" in invalid_in(form_of(URI, dataset, format="slp", path="/a.slp"))["path"]
    assert invalid_in(form_of(URI, dataset, format="csv", path="/a.csv")) == {}
    assert "ends in .csv for all videos" in form_of(URI, dataset)["path"].view.description
    wrong = invalid_in(form_of(URI, dataset, format="csv", path="/a", frame_offset=-1))["path"]
    assert wrong.startswith("Invalid frame offset")


def test_fields_of_another_format_keep_their_values_without_harm():
    options = options_of({"format": "csv", "images": True, "reconstruct": True, "every": 3, "existing": "overwrite"})
    assert (options.images, options.every, options.overwrite) == (False, 3, True)
    assert options_of({"format": "cvat", "every": 3, "names": "index"}).names == "labels"
