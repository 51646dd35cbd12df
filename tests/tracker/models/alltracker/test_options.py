"""Options: what is taken, and what is refused with what would be allowed."""

from __future__ import annotations

import json

import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.alltracker.options import AllTrackerOptions


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, None), (256, (256, 256)), ((384, 512), (384, 512)), ([65, 4096], (65, 4096)), (np.int64(96), (96, 96))],
)
def test_resolutions_are_squares_sizes_or_the_videos_own(given, expected):
    assert AllTrackerOptions(resolution=given).frame_size == expected


@pytest.mark.parametrize("given", [0, 64, 4097, True, 256.0, "256", (384,), (384, 64), (1, 2, 3), (384, "512")])
def test_other_resolutions_are_refused(given):
    with pytest.raises(OptionError, match=r"Invalid resolution .*from 65 to 4096, \(height, width\).* or None"):
        AllTrackerOptions(resolution=given)


@pytest.mark.parametrize(
    "options",
    [
        {"iterations": 2.5},
        {"keep": "both"},
    ],
)
def test_other_values_are_refused(options):
    name = next(iter(options))
    with pytest.raises(OptionError, match=rf"Invalid {name} \("):
        pt.load_tracker("alltracker", **options)


def test_devices_and_dtypes_that_are_not_there_are_refused(checkpoint, shallow):
    path = checkpoint(shallow["tiny"].config)
    with pytest.raises(OptionError, match="Invalid dtype"):
        pt.load_tracker("alltracker-tiny", checkpoint=path, device="cpu", dtype="float16")
    with pytest.raises(OptionError, match="Invalid dtype"):
        pt.load_tracker("alltracker-tiny", checkpoint=path, device="cpu", dtype="tf32")
    with pytest.raises(OptionError, match="Invalid device"):
        pt.load_tracker("alltracker-tiny", checkpoint=path, device="warp")


def test_options_of_a_tracker_are_json_values(checkpoint, shallow):
    path = checkpoint(shallow["tiny"].config)
    tracker = pt.load_tracker(
        "alltracker-tiny", checkpoint=path, device="cpu", iterations=np.int64(3), resolution=np.int32(128)
    )
    assert json.loads(json.dumps(tracker.options)) == {
        "checkpoint": str(path),
        "device": "cpu",
        "dtype": "float32",
        "iterations": 3,
        "memory_limit_gb": None,
        "resolution": [128, 128],
        "resize": "bilinear",
        "keep": "auto",
    }
    again = pt.load_tracker("alltracker-tiny", **tracker.options)
    assert again.options == tracker.options


def test_unknown_options_are_refused():
    expected = r"the tracker 'alltracker' \('windowed'\)\. Supported values are checkpoint, accept_license, "
    with pytest.raises(OptionError, match=expected):
        pt.load_tracker("alltracker", windowed=True)
