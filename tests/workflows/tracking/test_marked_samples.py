"""What the marks of samples tell of a run that could not tell itself."""

from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo
import pytest

from point_tracking.store.database.fields import declare
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.runs.outcomes import Outcome
from point_tracking.store.tracks.sample_status import SampleMark, mark_document
from point_tracking.workflows.tracking.marked_samples import marked_outcomes


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    """Samples that a run finished, began, and that another run finished, and one without a mark."""
    dataset = fo.Dataset()
    ids = dataset.add_samples([fo.Sample(filepath=f"/{k}.mp4") for k in range(4)])
    declare(dataset, "tracks", occluded=False)
    store = FrameStore(dataset, "tracks")
    for sample_id, state, key in zip(ids, ("done", "writing", "done"), ("run", "run", "other"), strict=False):
        store.set_mark(sample_id, mark_document(SampleMark(state, "points", 4, 12, num_keypoints=40, run_key=key)))
    yield dataset
    dataset.delete()


def test_what_a_run_finished_is_known_by_its_marks(dataset: fo.Dataset) -> None:
    first = dataset.first()
    expected = Outcome(first.id, "/0.mp4", "done", num_points=4, num_frames=12, num_keypoints=40)
    assert marked_outcomes(dataset, "tracks", "run", onto_source=False) == [expected]
    assert marked_outcomes(dataset, "tracks", "nobody", onto_source=False) == []


def test_where_marks_cannot_tell_nothing_is_said(dataset: fo.Dataset) -> None:
    assert marked_outcomes(dataset, "tracks", "run", onto_source=True) == []
    assert marked_outcomes(dataset, "another_field", "run", onto_source=False) == []
