"""The form of *Describe motion*."""

from __future__ import annotations

import fiftyone as fo
import pytest
from operator_forms import form_of, invalid_in

from point_tracking.operators.motion.describe_motion_form import options_of
from point_tracking.tracker.errors import OptionError

URI = "@fo-video/point-tracking/describe_motion"


def test_tracks_are_offered_first_and_a_grid_asks_for_its_tracker(dataset: fo.Dataset) -> None:
    form = form_of(URI, dataset)
    assert form["label_field"].type.values == ["tracks", ""]
    assert form["label_field"].default == "tracks"
    assert "tracker" not in form
    assert {"texture", "groups", "find_similar", "overwrite"} <= set(form)
    by_grid = form_of(URI, dataset, label_field="", cycle_consistency=True)
    assert {"tracker", "grid_size"} <= set(by_grid)
    assert not {"texture", "groups", "cycle_consistency"} & set(by_grid)


def test_following_tracks_back_asks_with_which_tracker_and_says_what_it_costs(dataset: fo.Dataset) -> None:
    form = form_of(URI, dataset, cycle_consistency=True)
    assert "tracker" in form
    assert "as long as tracking" in form["cycle_consistency"].view.description
    assert not invalid_in(form)


def test_a_field_of_somebody_else_is_said_before_the_run(dataset: fo.Dataset) -> None:
    dataset.add_sample_field("tracks_motion", fo.StringField)
    assert "is not ours" in invalid_in(form_of(URI, dataset))["fields"]


def test_read_only_tracks_can_be_described_where_nothing_is_written_to_them(dataset: fo.Dataset) -> None:
    tracks = dataset.get_field("frames.tracks")
    tracks.read_only = True
    tracks.save()
    assert "is read-only" in invalid_in(form_of(URI, dataset))["fields"]
    assert not invalid_in(form_of(URI, dataset, texture=False, groups=False))


def test_values_are_read_as_options() -> None:
    assert options_of({"label_field": ""}).label_field is None
    assert options_of({"label_field": "tracks", "overwrite": True}).overwrite
    assert options_of({"label_field": "tracks", "cycle_consistency": True}).cycle_consistency
    assert not options_of({"label_field": "", "cycle_consistency": True}).cycle_consistency
    with pytest.raises(OptionError):
        options_of({"grid_size": 2})
