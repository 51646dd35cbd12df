"""The marks of samples."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import fiftyone as fo
import pytest

from point_tracking.store.database.fields import declare
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.tracks.sample_status import SampleMark, mark_document, read_marks

MARK = SampleMark("done", "points", 4, 12, num_keypoints=40, tracker="drift", run_key="run")


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/{k}.mp4") for k in range(3)])
    declare(dataset, "tracks", occluded=False)
    yield dataset
    dataset.delete()


def test_marks_come_back_from_the_database(dataset: fo.Dataset) -> None:
    first, second, third = dataset.values("id")
    other = SampleMark("writing", "frame", 1, 2)
    store = FrameStore(dataset, "tracks")
    for sample_id, mark in ((first, MARK), (third, other)):
        store.set_mark(sample_id, mark_document(mark))
    assert read_marks(dataset, [first, second, third], "tracks") == {first: MARK, third: other}
    assert read_marks(dataset, [second], "tracks") == {}
    assert read_marks(dataset, [], "tracks") == {}
    assert read_marks(dataset, [first], "another") == {}, "a field that is not ours has no marks"


def test_the_time_is_as_the_database_keeps_it() -> None:
    document = mark_document(MARK)
    written = document["written_at"]
    assert written.microsecond % 1000 == 0
    assert datetime.now(timezone.utc).replace(tzinfo=None) - written < timedelta(minutes=1)
    assert (document["_cls"], document["num_keypoints"]) == ("DynamicEmbeddedDocument", 40)
