"""What licences allow, alone and together."""

from __future__ import annotations

import pytest

from point_tracking.tracker.models.published_weights.terms import use_allowed, used_together


@pytest.mark.parametrize(
    ("each", "together"),
    [([], True), ([True], True), ([True, None], None), ([None, False], False), ([True, False], False)],
)
def test_what_forbids_counts_before_what_says_nothing(each, together):
    assert used_together(each) is together


def test_what_is_not_stated_is_to_be_asked():
    assert use_allowed(None) == "commercial use not stated by the authors: ask them"
    assert "NON-COMMERCIAL" in use_allowed(False)
    assert use_allowed(True) == "commercial use allowed"
