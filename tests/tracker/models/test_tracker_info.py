"""What is told of a tracker without loading it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from point_tracking.tracker.models import registry
from point_tracking.tracker.models.registry import shipped_trackers, tracker_info
from point_tracking.tracker.models.tracker_info import MANY_FRAMES, ONE_FRAME


@pytest.mark.parametrize("name", shipped_trackers())
def test_what_is_told_of_a_tracker_holds_together(name: str):
    info = tracker_info(name)
    assert info.name == name
    assert (info.weights_license is None) == (info.weights_from == "needs none")
    if info.files:
        assert info.size_mb == sum(file.size_mb for file in info.files)
        assert all(file.commercial_use for file in info.files) or not info.commercial_use
        terms = [file.license or "weights without a stated licence" for file in info.files]
        assert all(term in info.terms for term in terms)
        assert all(file.filename in info.weights_from for file in info.files)
        assert "accept_license" in [spec.name for spec in fields(registry._import(info.options or ""))]
    else:
        assert info.size_mb is None
        assert "no-download" in info.tags
    assert ("NON-COMMERCIAL" in info.terms) == (info.commercial_use is False)
    assert callable(registry._import(info.loader))
    assert set(info.recommended_for) <= {ONE_FRAME, MANY_FRAMES}
