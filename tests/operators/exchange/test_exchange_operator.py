"""What both operators share."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
import pytest


@pytest.mark.parametrize("name", ["export_tracks", "import_tracks"])
def test_both_are_offered_behind_the_grids_buttons_under_their_names(name: str):
    operator: Any = foo.get_operator(f"@fo-video/point-tracking/{name}")
    label = name.replace("_", " ").capitalize()
    button = operator.resolve_placement(None).view.to_json()
    assert (operator.config.label, button["label"], button["icon"]) == (label, label, f"/assets/{name}.svg")
