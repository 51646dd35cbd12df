"""The options of our models in the forms of FiftyOne's model zoo."""

from __future__ import annotations

import pytest

from point_tracking.operators.model_zoo.model_form import resolve_input
from point_tracking.tracker.errors import UnknownTrackerError
from point_tracking.tracker.models.registry import list_trackers, tracker_info
from point_tracking.workflows.tracking.options import TRACK_DEFAULTS


@pytest.mark.parametrize("name", list_trackers())
def test_the_fields_are_options_of_the_model_with_their_defaults(name: str) -> None:
    fields = resolve_input(name, None).type.properties
    options = {key: prop for key, prop in fields.items() if key not in ("terms", "accept_license")}
    assert list(options) == ["grid_size", "frame_index", "backward", "layout"]
    for key, prop in options.items():
        assert prop.default == getattr(TRACK_DEFAULTS, key), key


@pytest.mark.parametrize("name", list_trackers())
def test_consent_is_asked_for_where_weights_are_downloaded(name: str) -> None:
    info, fields = tracker_info(name), resolve_input(name, None).type.properties
    assert ("accept_license" in fields) == (info.size_mb is not None)
    if info.size_mb is not None:
        assert info.terms in fields["terms"].view.label
        assert fields["accept_license"].default is False
        assert f"{info.size_mb:g} MB" in fields["accept_license"].view.description


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(UnknownTrackerError, match="nobody"):
        resolve_input("nobody", None)
