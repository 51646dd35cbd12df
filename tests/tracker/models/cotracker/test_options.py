"""What a CoTracker is loaded with."""

from __future__ import annotations

import pytest

from point_tracking.tracker.errors import OptionError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu9"}, "device"),
        ({"dtype": "float16"}, "float32, tf32, bfloat16"),
        ({"dtype": "tf32"}, "cuda"),
        ({"support_grid": -1}, "support_grid"),
        ({"support_grid": "yes"}, "support_grid"),
        ({"iterations": 0}, "iterations"),
        ({"windowed": True}, "windowed"),
        ({"windowed": "no"}, "True, False and None"),
        ({"device": None}, "auto, cpu, cuda, mps"),
        ({"support_grid": True}, "support_grid"),
    ],
)
def test_unsupported_options_are_named(make, options, message):
    with pytest.raises(OptionError, match=message):
        make("offline", **options)
