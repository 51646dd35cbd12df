"""The fields that tracks live in."""

from __future__ import annotations

from collections.abc import Callable
from keyword import iskeyword
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trackers import random_tracks

import point_tracking as pt
from point_tracking.store.database import fields
from point_tracking.store.database.fields import (
    check_label_field,
    check_label_name,
    check_sample_field_name,
    declare,
    has_label_field,
    is_ours,
    owner_of,
    type_name,
)
from point_tracking.tracker.errors import FieldError

SIZE = media.SIZE


MakeDataset = Callable[..., fo.Dataset]


@pytest.mark.parametrize(
    "name", ["frames.tracks", "", "_private", "a.b", "two words", "1st", "$x", "id", "frame_number"]
)
def test_bad_names_are_refused(untouched: fo.Dataset, name: str) -> None:
    sample = untouched.first()
    with pytest.raises(FieldError, match="Invalid label field"):
        pt.write_tracks(sample, name, random_tracks(np.random.default_rng(0), 3, 4, SIZE))


def test_a_field_of_another_type_is_refused(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    dataset.add_frame_field("boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    with pytest.raises(FieldError, match="holds Detections, not Keypoints"):
        pt.write_tracks(dataset.first(), "boxes", random_tracks(np.random.default_rng(0), 3, 4, SIZE))
    dataset.add_sample_field("mine_info", fo.StringField)
    with pytest.raises(FieldError, match="'mine_info' exists"):
        pt.write_tracks(dataset.first(), "mine", random_tracks(np.random.default_rng(0), 3, 4, SIZE))


@given(st.text("aZ_1 .$\u00e9\U00020bb7", max_size=4) | st.sampled_from(["id", "tags", "frames.x", "class"]))
def test_a_label_field_is_an_identifier_that_is_not_private(name: str) -> None:
    try:
        assert check_label_name(name) == name
    except FieldError:
        taken = name in fields._RESERVED or iskeyword(name) or hasattr(fo.Frame, name) or hasattr(fo.Sample, name)
        assert not name.isidentifier() or name.startswith("_") or taken
    else:
        assert name.isidentifier()
        assert not name.startswith(("_", "frames."))


@pytest.mark.parametrize("name", [None, 3, ["tracks"], "frames.tracks"])
def test_the_message_says_what_a_good_name_is(name: Any) -> None:
    with pytest.raises(FieldError, match=r"without the prefix, 'tracks'|letters, digits and underscores"):
        check_label_name(name)


@pytest.mark.parametrize("name", ["small", "class_", "filepath2"])
def test_sample_fields_take_any_name_that_hides_nothing(name: str) -> None:
    assert check_sample_field_name(name, "media field") == name


@pytest.mark.parametrize("name", [None, "", "_x", "a.b", "class", "filepath", "frames", "tags", "save", "id"])
def test_sample_fields_that_would_hide_something_are_refused(name: Any) -> None:
    with pytest.raises(FieldError, match="Invalid media field"):
        check_sample_field_name(name, "media field")


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (fo.StringField(), "StringField"),
        (fo.EmbeddedDocumentField(fo.Keypoints), "Keypoints"),
        (fo.ListField(fo.IntField()), "ListField"),
    ],
)
def test_fields_are_called_by_what_they_hold(field: fo.Field, name: str) -> None:
    assert type_name(field) == name


def test_declaring_twice_changes_nothing_and_fields_know_who_made_them(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    assert not has_label_field(dataset, "tracks")
    assert not is_ours(dataset, "tracks")
    declare(dataset, "tracks", occluded=True, interpolated=True)
    schemas = dataset.get_frame_field_schema(flat=True), dataset.get_field_schema(flat=True)
    names = [list(schema) for schema in schemas]
    declare(dataset, "tracks", occluded=True, interpolated=True)
    assert [list(dataset.get_frame_field_schema(flat=True)), list(dataset.get_field_schema(flat=True))] == names
    assert {"tracks.keypoints.occluded", "tracks.keypoints.interpolated"} <= set(names[0])
    assert {f"tracks_info.{name}" for name in fields.INFO_SUBFIELDS} <= set(names[1])
    assert has_label_field(dataset, "tracks")
    assert is_ours(dataset, "tracks")
    assert owner_of(dataset.get_field("tracks_info")) == {"label_field": "tracks"}
    assert owner_of(dataset.get_field("filepath")) is None
    check_label_field(dataset, "tracks")
    with pytest.raises(FieldError, match="Invalid label field"):
        check_label_field(dataset, "a b")


@pytest.mark.parametrize("name", ["frames.tracks", "tracks_info"])
def test_read_only_fields_are_refused(make_dataset: MakeDataset, clip: Path, name: str) -> None:
    dataset = make_dataset(clip)
    declare(dataset, "tracks", occluded=False)
    field = dataset.get_field(name)
    field.read_only = True
    field.save()
    with pytest.raises(FieldError, match="read-only"):
        check_label_field(dataset, "tracks")
