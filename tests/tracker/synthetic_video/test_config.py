"""What synthetic clips may look like."""

from __future__ import annotations

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.synthetic_video.config import SyntheticConfig


@pytest.mark.parametrize(
    "options",
    [
        {"height": 8},
        {"width": 10_000},
        {"num_frames": 0},
        {"num_points": 2.5},
        {"max_layers": True},
        {"first_share": 1.5},
        {"noise": -0.1},
        {"noise": float("nan")},
        {"motion": -1},
        {"motion": float("inf")},
        {"texture_scale": 0},
    ],
)
def test_options_outside_what_is_supported_are_refused(options):
    name = next(iter(options))
    with pytest.raises(OptionError, match=f"Invalid {name}"):
        SyntheticConfig(**options)
