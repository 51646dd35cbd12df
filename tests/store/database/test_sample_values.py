"""One field of samples, read and written on the server."""

from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo
import pytest

from point_tracking.store.database.sample_values import SampleValues


@pytest.fixture
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/{k}.mp4") for k in range(2)])
    dataset.add_sample_field("notes", fo.DictField)
    yield dataset
    dataset.delete()


def test_a_value_is_read_back_and_other_samples_have_none(dataset: fo.Dataset) -> None:
    values, (one, other) = SampleValues(dataset, "notes"), dataset.values("id")
    before = dataset[one].last_modified_at
    values.write(one, {"objects": [{"identity": "a"}]})
    assert values.read(one) == {"objects": [{"identity": "a"}]}
    assert values.read(other) is None
    dataset.reload()
    assert dataset[one].notes == {"objects": [{"identity": "a"}]}
    assert dataset[one].last_modified_at > before


def test_a_sample_that_is_gone_has_no_value_and_does_not_come_back(dataset: fo.Dataset) -> None:
    values, one = SampleValues(dataset, "notes"), dataset.first().id
    dataset.delete_samples(one)
    values.write(one, {"a": 1})
    assert values.read(one) is None
    assert len(dataset) == 1
