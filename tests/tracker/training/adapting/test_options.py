"""How a tracker is adapted: what is allowed."""

from __future__ import annotations

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.training.adapting.options import DEFAULT_MINUTES, AdaptationOptions


def test_there_is_always_one_budget():
    assert AdaptationOptions().budget == {"minutes": DEFAULT_MINUTES}
    assert AdaptationOptions(minutes=2).budget == {"minutes": 2}
    assert AdaptationOptions(steps=7).budget == {"steps": 7}
    with pytest.raises(OptionError, match="Choose one budget"):
        AdaptationOptions(minutes=1, steps=1)


@pytest.mark.parametrize(
    "options",
    [
        {"minutes": 0},
        {"minutes": float("nan")},
        {"steps": 1.5},
        {"steps": True},
        {"held_out": 1},
        {"learning_rate": 0},
        {"points": 7},
        {"batch": 257},
        {"seed": -1},
        {"seed": 1.0},
        {"frame_step": (2, 1)},
        {"frame_step": (0, 1)},
        {"frame_step": 2},
        {"frame_step": (1, 2, 3)},
        {"ema": "no"},
        {"overwrite": 1},
    ],
)
def test_values_outside_what_is_supported_are_named(options: dict):
    with pytest.raises(OptionError, match=f"Invalid {next(iter(options))}"):
        AdaptationOptions(**options)


def test_a_list_of_steps_will_do():
    assert AdaptationOptions(frame_step=[1, 2]).frame_step == (1, 2)  # pyright: ignore[reportArgumentType]
