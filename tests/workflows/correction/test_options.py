"""What a correction is told."""

from __future__ import annotations

import pytest
from trackers import DriftTracker

from point_tracking.tracker.errors import FieldError, OptionError, UnknownTrackerError
from point_tracking.workflows.correction.options import CorrectOptions


def test_the_prefix_of_the_field_may_be_left_out_and_the_record_is_plain() -> None:
    options = CorrectOptions(label_field="frames.tracks", corrections=[(1, 2, 3.5, 4)], tracker=DriftTracker())
    assert options.base_key == "correct_tracks"
    record = options.to_record()
    assert record["corrections"] == [[1, 2, 3.5, 4]]
    assert (record["tracker"], record["label_field"], record["retrack"]) == ("drift", "tracks", True)
    assert "run_key" not in record


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"label_field": "a b"}, FieldError, "Invalid label field"),
        ({"label_field": None}, FieldError, "Invalid label field"),
        ({"tracker": "nope"}, UnknownTrackerError, "nope"),
        ({"tracker_options": {"x": 1}}, OptionError, "go with a tracker's name"),
        ({"tracker": "optical-flow", "tracker_options": {"nope": 1}}, OptionError, "nope"),
        ({"retrack": 1}, OptionError, "retrack"),
        ({"run_key": "1"}, OptionError, "run key"),
    ],
)
def test_what_is_not_supported_is_refused(values: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        CorrectOptions(**values)
