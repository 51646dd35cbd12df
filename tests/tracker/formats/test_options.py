"""What writers and readers are told, where nobody says otherwise."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from point_tracking.tracker.formats.options import ReadOptions, WriteOptions


def test_nothing_is_replaced_or_counted_otherwise_unless_asked():
    assert (WriteOptions().overwrite, WriteOptions().first_frame, WriteOptions().images) == (False, 0, False)
    assert ReadOptions().first_frame == 0
    with pytest.raises(FrozenInstanceError):
        WriteOptions().overwrite = True  # type: ignore[misc]
