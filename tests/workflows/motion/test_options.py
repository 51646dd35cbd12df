"""What a description of motion is told."""

from __future__ import annotations

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.motion.options import MotionOptions


def test_fields_are_named_after_the_tracks():
    options = MotionOptions(label_field="frames.mine")
    names = (options.label_field, options.motion_field, options.events_field, options.vector_field, options.base_key)
    assert names == ("mine", "mine_motion", "mine_motion_events", "mine_motion_vector", "describe_mine_motion")
    assert MotionOptions().events_field == "motion_events"


def test_its_record_says_what_was_asked_for():
    record = MotionOptions(label_field="tracks", tracker_options={"resolution": 96}).to_record()
    assert (record["label_field"], record["tracker_options"]) == ("tracks", {"resolution": 96})
    assert "run_key" not in record


@pytest.mark.parametrize(
    "wrong", [{"grid_size": 3}, {"texture": 1}, {"tracker": "?"}, {"tracker_options": [1]}], ids=str
)
def test_what_is_not_supported_is_refused(wrong):
    with pytest.raises(OptionError):
        MotionOptions(**wrong)
