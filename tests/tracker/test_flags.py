"""Options that are on or off."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.flags import check_flags


def test_flags_are_true_or_false():
    check_flags(SimpleNamespace(overwrite=True, backward=False), "overwrite", "backward")


@pytest.mark.parametrize("value", [0, 1, "no", "", None])
def test_other_values_are_named(value):
    with pytest.raises(OptionError, match=f"Invalid backward \\({value!r}\\)"):
        check_flags(SimpleNamespace(overwrite=True, backward=value), "overwrite", "backward")
