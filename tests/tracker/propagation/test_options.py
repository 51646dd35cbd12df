"""Options are checked before anything is done."""

from __future__ import annotations

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.propagation.options import PropagationOptions


@pytest.mark.parametrize(
    "given",
    [
        {"direction": "up"},
        {"keep_lost": "no"},
        {"points_per_object": 0},
        {"points_per_object": True},
        {"points_per_object": 10**6},
    ],
)
def test_what_is_not_supported_is_named(given: dict):
    with pytest.raises(OptionError, match=next(iter(given))):
        PropagationOptions(**given)
