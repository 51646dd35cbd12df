"""Options that say what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.rendering.options import MAX_TAIL, TrailOptions


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        *(("tail", value, f"whole frames from 0 to {MAX_TAIL}") for value in (-1, MAX_TAIL + 1, 1.5, True, "15", None)),
        *(("color_by", value, "Supported values are track, label, object, speed") for value in ("rainbow", None, [])),
        ("background", "white", "video, grey"),
        *(("longest_side", value, "whole pixels from 16") for value in (15, 8193, 640.0, True)),
        ("keep_audio", "no", "True or False"),
        ("show_hidden", 1, "True or False"),
    ],
)
def test_values_outside_what_is_supported_are_named(option: str, value: Any, message: str):
    with pytest.raises(OptionError, match=message) as caught:
        TrailOptions(**{option: value})
    assert f"Invalid {option} ({value!r})" in str(caught.value)


def test_the_ends_of_the_ranges_are_supported():
    assert TrailOptions(tail=0, longest_side=16).tail == 0
    assert TrailOptions(tail=MAX_TAIL, longest_side=8192).longest_side == 8192
