"""Finding the field that a person named."""

from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo
import pytest

from point_tracking.store.labels.fields import find_field, has_field, selectable
from point_tracking.store.tracks.source_links import declare_source_link
from point_tracking.tracker.errors import FieldError


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    """A field on samples, one on frames, and a name that both have."""
    dataset = fo.Dataset()
    dataset.media_type = "video"
    for name in ("person", "both"):
        dataset.add_sample_field(name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation)
    for name in ("cars", "both"):
        dataset.add_frame_field(name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    yield dataset
    dataset.delete()


@pytest.mark.parametrize(
    ("name", "bare", "on_frames", "as_selected"),
    [
        ("person", "person", False, "person"),
        ("cars", "cars", True, "frames.cars"),
        ("frames.cars", "cars", True, "frames.cars"),
        ("both", "both", False, "both"),
        ("frames.both", "both", True, "frames.both"),
    ],
)
def test_the_prefix_may_be_left_out_where_it_says_nothing(
    dataset: fo.Dataset, name: str, bare: str, on_frames: bool, as_selected: str
) -> None:
    found_name, found_on_frames, field = find_field(dataset, name)
    assert (found_name, found_on_frames) == (bare, on_frames)
    assert field.document_type is (fo.Detections if on_frames else fo.Segmentation)
    assert selectable(dataset, name) == as_selected
    assert has_field(dataset, name)


@pytest.mark.parametrize("name", ["absent", "frames.person", "frames.", ""])
def test_a_field_that_is_not_there_is_refused(dataset: fo.Dataset, name: str) -> None:
    assert not has_field(dataset, name)
    with pytest.raises(FieldError, match=r"neither on samples nor on frames\. Check the name"):
        find_field(dataset, name)


def test_of_copies_it_is_said_where_the_field_may_be() -> None:
    copies = fo.Dataset()
    declare_source_link(copies, "filepath")
    with pytest.raises(FieldError, match=r"preprocessed copies.*write_to='source'"):
        find_field(copies, "person")
    copies.delete()
