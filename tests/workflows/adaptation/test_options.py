"""What an adaptation is told, checked before anything is read or loaded."""

from __future__ import annotations

from collections.abc import Callable

import fiftyone as fo
import pytest
from adaptable import quick

from point_tracking.tracker.errors import (
    OptionError,
    UnknownTrackerError,
)
from point_tracking.tracker.models.base import Tracker
from point_tracking.workflows.adaptation.options import AdaptOptions, adaptable_trackers

MakeDataset = Callable[..., fo.Dataset]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"name": "optical-flow"}, OptionError, "trackers that ship"),
        ({"tracker": "optical-flow"}, OptionError, "cannot be adapted. Supported are"),
        ({"tracker": "cotracker2"}, OptionError, "cannot be adapted"),
        ({"tracker": "nothing"}, UnknownTrackerError, "Unknown tracker"),
        ({"teachers": ["nothing"]}, UnknownTrackerError, "Unknown tracker"),
        ({"teachers": "optical-flow"}, OptionError, "Expected a list"),
        ({"teachers": []}, OptionError, "There is no teacher"),
        ({"tracker_options": {"device": "cpu"}}, OptionError, "loaded already"),
        ({"steps": 0}, OptionError, "Invalid steps"),
        ({"device": "abacus"}, OptionError, "Invalid device"),
        ({"run_key": "a b"}, OptionError, "Invalid run key"),
        ({"progress": "no"}, OptionError, "Invalid progress"),
    ],
)
def test_bad_options_are_refused_before_anything_is_recorded(
    dataset: fo.Dataset, options: dict, error: type, text: str
) -> None:
    with pytest.raises(error, match=text):
        quick(dataset, **options)
    assert dataset.list_runs() == []


def test_a_loaded_tracker_must_be_of_the_form(dataset: fo.Dataset, drift: Tracker) -> None:
    with pytest.raises(OptionError, match="'drift' cannot be adapted"):
        quick(dataset, tracker=drift)


def test_the_key_is_made_of_the_name_and_the_teachers_are_listed_with_the_own_start() -> None:
    options = AdaptOptions("my-tracker", teachers=["optical-flow", "pt-small"], steps=3)
    assert options.base_key == "adapt_my_tracker"
    assert options.teacher_names == ["pt-small", "optical-flow"], "each once, the own start first"
    assert AdaptOptions("m", teachers=["optical-flow"], own_start=False).teacher_names == ["optical-flow"]
    record = options.to_record()
    assert (record["teachers"], record["tracker"], record["steps"]) == (["pt-small", "optical-flow"], "pt-small", 3)


def test_what_is_passed_on_to_the_training_is_what_was_given() -> None:
    training = AdaptOptions("m", steps=3, points=9, seed=5, ema=False, batch=2).training
    assert (training.steps, training.points, training.seed, training.ema, training.batch) == (3, 9, 5, False, 2)


def test_only_trackers_of_the_form_can_be_adapted() -> None:
    names = adaptable_trackers()
    assert "pt-small" in names
    assert "optical-flow" not in names
