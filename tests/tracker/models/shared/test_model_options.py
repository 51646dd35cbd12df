"""Options that networks of every family share: what is taken, and what is refused with what would be allowed."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.alltracker.options import AllTrackerOptions
from point_tracking.tracker.models.cotracker.options import CoTrackerOptions
from point_tracking.tracker.models.locotrack.options import LocoTrackOptions
from point_tracking.tracker.models.shared.model_options import read_frame_size

FAMILIES = (AllTrackerOptions, CoTrackerOptions, LocoTrackOptions)
MODULES = [f"{family}.options" for family in ("alltracker", "cotracker", "tapir", "locotrack")]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("accept_license", "no", "True and False"),
        ("accept_license", 1, "True and False"),
        ("iterations", 0, "a whole number of at least 1"),
        ("iterations", 2.5, "a whole number"),
        ("iterations", True, "a whole number"),
        ("memory_limit_gb", 0, "a positive number of GiB, or None"),
        ("memory_limit_gb", True, "a positive number"),
        ("memory_limit_gb", float("nan"), "a positive number"),
        ("memory_limit_gb", float("inf"), "a positive number"),
        ("memory_limit_gb", "4", "a positive number"),
        ("resize", "area", "antialias, bilinear"),
    ],
)
def test_other_values_are_refused(name, value, expected):
    for family in FAMILIES:
        if name in family.__dataclass_fields__:
            with pytest.raises(OptionError, match=rf"Invalid {name} \(.*{expected}"):
                family(**{name: value})


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_numbers_of_numpy_become_json_values(family):
    options = family(iterations=np.int64(3), memory_limit_gb=np.float32(0.5), checkpoint="weights.pth")
    told = json.loads(json.dumps(options.to_dict()))
    assert (told["iterations"], told["memory_limit_gb"], told["checkpoint"]) == (3, 0.5, "weights.pth")


def test_a_frame_size_is_a_square_or_two_sides():
    assert read_frame_size(np.int32(96), 64, 128) == (96, 96)
    assert read_frame_size([64, 128], 64, 128, 8) == (64, 128)
    for given in (None, 63, 129, True, 96.0, "96", (96,), (96, 100, 96), (96, 100)):
        assert read_frame_size(given, 64, 128, 8) is None, given


def test_forms_read_the_options_without_torch():
    imports = "; ".join(f"import point_tracking.tracker.models.{module}" for module in MODULES)
    subprocess.run([sys.executable, "-c", f"import sys; {imports}; assert 'torch' not in sys.modules"], check=True)
