"""What a propagation is told, checked before anything is read or written."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from typing import Any

import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import FieldError, OptionError, UnknownTrackerError
from point_tracking.workflows.propagation.options import DIRECTION_LABELS, PropagateOptions


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"field": "no name"}, FieldError),
        ({"field": "frames.frames.box"}, FieldError),
        ({"field": 3}, FieldError),
        ({"output_field": "tags"}, FieldError),
        ({"output_field": "a.b"}, FieldError),
        ({"tracker": "no-such"}, UnknownTrackerError),
        ({"tracker_options": {"no_such": 1}}, OptionError),
        pytest.param(
            {"tracker": DriftTracker(), "tracker_options": {"window": 3}}, OptionError, id="loaded and options"
        ),
        ({"direction": "sideways"}, OptionError),
        ({"frames": (0, 3)}, OptionError),
        ({"frames": (5, 3)}, OptionError),
        ({"frames": (1, 2, 3)}, OptionError),
        ({"frames": (1.0, 3)}, OptionError),
        ({"frames": "19"}, OptionError),
        ({"frames": 5}, OptionError),
        ({"frames": (True, 3)}, OptionError),
        ({"classes": "goat"}, OptionError),
        ({"classes": []}, OptionError),
        ({"classes": [3]}, OptionError),
        ({"keep_lost": "yes"}, OptionError),
        ({"points_per_object": 0}, OptionError),
        ({"points_per_object": 1.5}, OptionError),
        ({"overwrite_unmarked": None}, OptionError),
        ({"run_key": "no key"}, OptionError),
    ],
    ids=str,
)
def test_what_is_not_supported_is_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        PropagateOptions(**{"field": "box", **arguments})


def test_the_prefix_may_be_left_out_in_both_names() -> None:
    for prefix in ("", "frames."):
        options = PropagateOptions(field=f"{prefix}box", output_field=f"{prefix}out")
        assert (options.field, options.output_field, options.target_field) == ("box", "out", "out")


def test_no_output_or_the_same_one_is_in_place() -> None:
    assert PropagateOptions(field="box").in_place
    assert PropagateOptions(field="box", output_field="frames.box").in_place
    assert not PropagateOptions(field="box", output_field="out").in_place


def test_the_record_is_plain_and_says_what_was_written() -> None:
    record = PropagateOptions(field="box", frames=[2, 5], classes=["goat"], tracker=DriftTracker()).to_record()
    assert json.loads(json.dumps(record))["target_field"] == "box"
    assert (record["tracker"], list(record["frames"]), list(record["classes"])) == ("drift", [2, 5], ["goat"])


def test_what_labels_are_made_with_does_not_say_which_were_asked_for() -> None:
    one = PropagateOptions(field="box").made_with
    assert PropagateOptions(field="box", classes=["goat"], frames=(1, 2), overwrite_unmarked=True).made_with == one
    for other in ({"tracker": DriftTracker()}, {"direction": "forward"}, {"keep_lost": True}, {"points_per_object": 9}):
        assert PropagateOptions(field="box", **other).made_with != one


def test_defaults_of_the_function_are_those_of_the_options() -> None:
    parameters = inspect.signature(pt.propagate_labels).parameters
    for spec in fields(PropagateOptions):
        if spec.name != "field":
            assert parameters[spec.name].default == spec.default, spec.name
    assert set(DIRECTION_LABELS) == {"both", "forward", "backward"}
