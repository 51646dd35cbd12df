"""What a person gives, checked against the sample; further cases: `test_correct_tracks`, `test_edit_tracks`."""

from __future__ import annotations

import fiftyone as fo
import numpy as np

from point_tracking.store.corrections.corrections import Correction
from point_tracking.workflows.correction.points import (
    checked_corrections,
    checked_indices,
    checked_span,
    fields_with_tracks,
    tracked_sample,
)


def test_a_tracked_sample_says_what_can_be_corrected(tracked: fo.Dataset) -> None:
    sample = tracked_sample(tracked.first(), "frames.tracks")
    assert (sample.label_field, sample.layout, sample.num_points, sample.num_frames) == ("tracks", "points", 9, 12)
    assert tracked_sample(tracked.view().first(), "tracks").sample_id == sample.sample_id


def test_numbers_of_any_kind_are_read(tracked: fo.Dataset) -> None:
    sample = tracked_sample(tracked.first(), "tracks")
    expected = [Correction(2, 3, 4.5, 5.0)]
    for rows in ([(2, 3, 4.5, 5)], np.array([[2, 3, 4.5, 5]]), [np.array([2.0, 3.0, 4.5, 5.0])], [[2, 3.0, 4.5, 5]]):
        assert checked_corrections(rows, sample) == expected
    assert checked_corrections([], sample) == []
    assert checked_indices(np.array([3, 1, 3]), sample) == [1, 3]
    assert checked_indices(4, sample) == [4]  # type: ignore[arg-type]
    assert checked_span(3, None, sample) == (3, 12)


def test_only_fields_that_a_run_wrote_hold_tracks(tracked: fo.Dataset) -> None:
    tracked.add_frame_field("drawn", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
    assert fields_with_tracks(tracked) == ["tracks"]
