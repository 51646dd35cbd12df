"""Options: what is taken, and what is refused with what would be allowed."""

from __future__ import annotations

import json

import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.locotrack.options import LocoTrackOptions
from point_tracking.tracker.models.tapir.options import TapirOptions

from ...shallow import load_shallow


@pytest.mark.parametrize(
    ("given", "expected"),
    [(256, (256, 256)), ((256, 384), (256, 384)), ([384, 512], (384, 512)), (np.int64(2048), (2048, 2048))],
)
def test_resolutions_are_squares_or_sizes(given, expected):
    assert LocoTrackOptions(resolution=given).frame_size == expected


@pytest.mark.parametrize("given", [None, 0, 248, 260, 2056, True, 256.0, "256", (256,), (256, 100)])
def test_other_resolutions_are_refused(given):
    with pytest.raises(OptionError, match=r"Invalid resolution .*multiple of 8 from 256 to 2048, or \(height, width\)"):
        TapirOptions(resolution=given)


@pytest.mark.parametrize(
    "options",
    [
        {"iterations": 0},
        {"softmax_temperature": 0},
        {"softmax_temperature": float("nan")},
        {"softmax_temperature": "10"},
    ],
    ids=str,
)
def test_other_values_are_refused(options):
    with pytest.raises(OptionError, match=rf"Invalid {next(iter(options))} \("):
        pt.load_tracker("tapir", **options)


def test_a_locotrack_has_no_temperature():
    with pytest.raises(OptionError, match="Invalid option for the tracker 'locotrack-base'"):
        pt.load_tracker("locotrack-base", softmax_temperature=10)


@pytest.mark.parametrize(("name", "temperature"), [("tapir", 20), ("bootstapir", 10), ("bootstapir-online", 10)])
def test_the_temperature_is_by_default_that_of_training(name, temperature, tmp_path):
    assert load_shallow(name, tmp_path).options["softmax_temperature"] == temperature
    assert load_shallow(name, tmp_path, softmax_temperature=15).options["softmax_temperature"] == 15


@pytest.mark.parametrize("name", ["bootstapir", "locotrack-small"])
def test_options_of_a_tracker_are_json_values_that_load_it_again(name, tmp_path):
    tracker = load_shallow(name, tmp_path, iterations=np.int64(3), resolution=(256, 264))
    options = json.loads(json.dumps(tracker.options))
    assert (options["resolution"], options["iterations"], options["resize"]) == ([256, 264], 3, "antialias")
    assert pt.load_tracker(name, **options).options == tracker.options
