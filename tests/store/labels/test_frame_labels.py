"""The labels of a field, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo
import pytest
from fiftyone import ViewField as F

from point_tracking.store.labels.frame_labels import FieldValues, read_values, values_of
from point_tracking.store.labels.objects import attribute_of
from point_tracking.tracker.errors import FieldError


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    sample = fo.Sample(filepath="/absent.mp4", whole=fo.Detection(label="all", bounding_box=[0, 0, 1, 1]))
    for number in (7, 2, 4):
        boxes = [fo.Detection(label=label, bounding_box=[0, 0, 1, 1], index=number) for label in ("goat", "kid")]
        sample.frames[number] = fo.Frame(boxes=fo.Detections(detections=boxes) if number != 4 else None)
    sample["rows"] = [[0, 1.0, 2.0]]
    dataset.add_sample(sample)
    yield dataset
    dataset.delete()


def told(values: FieldValues | None) -> list[tuple[int, str]]:
    assert values is not None
    return [(t, attribute_of(label, "label")) for t, label in values.labels()]


EVERY = [(1, "goat"), (1, "kid"), (6, "goat"), (6, "kid")]


@pytest.mark.parametrize("name", ["boxes", "frames.boxes"])
def test_they_come_by_frame_from_the_database_and_from_a_loaded_sample(dataset: fo.Dataset, name: str) -> None:
    sample = dataset.first()
    values = read_values(dataset, sample.id, name, 0)
    assert values is not None
    assert values.path == "frames.boxes"
    assert told(values) == EVERY
    assert told(values_of(sample, name, 0)) == EVERY


def test_a_view_chooses(dataset: fo.Dataset) -> None:
    sample_id = dataset.first().id
    kids = dataset.filter_labels("frames.boxes", F("label") == "kid")
    late = dataset.match_frames(F("frame_number") > 4)
    for view, expected in ((kids, [(1, "kid"), (6, "kid")]), (late, EVERY[2:])):
        assert told(read_values(view, sample_id, "boxes", 0)) == expected
        assert told(values_of(view.first(), "boxes", 0)) == expected
    none = dataset.filter_labels("frames.boxes", F("label") == "cow")
    assert read_values(none, sample_id, "boxes", 0) is None


def test_a_clip_shows_its_own_frames(dataset: fo.Dataset) -> None:
    assert told(values_of(dataset.to_clips([[[5, 8]]]).first(), "frames.boxes", 0)) == EVERY[2:]


def test_labels_on_the_sample_are_of_the_frame_that_is_named(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    assert told(read_values(dataset, sample.id, "whole", 9)) == [(9, "all")]
    assert told(values_of(sample, "whole", 9)) == [(9, "all")]
    rows = read_values(dataset, sample.id, "rows", 0)
    assert rows is not None
    assert list(rows.frames[0][1]) == [[0, 1.0, 2.0]]


def test_a_field_that_is_not_there_is_named(dataset: fo.Dataset) -> None:
    for read in (
        lambda: read_values(dataset, dataset.first().id, "absent", 0),
        lambda: values_of(dataset.first(), "absent", 0),
    ):
        with pytest.raises(FieldError, match="no field 'absent'"):
            read()
