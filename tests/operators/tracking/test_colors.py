"""How the App colours tracks."""

from __future__ import annotations

import fiftyone as fo
import pytest

from point_tracking.operators.tracking.colors import color_by_track, running_scheme


@pytest.mark.parametrize(("layout", "many"), [("points", False), ("frame", True)])
def test_each_track_keeps_a_colour_and_other_settings_stay(layout: str, many: bool) -> None:
    dataset = fo.Dataset()
    color_by_track(dataset, layout)
    assert dataset.app_config.color_scheme.color_by == "instance"
    dataset.app_config.color_scheme = fo.ColorScheme(color_pool=["#ff0000"], color_by="field", opacity=0.3)
    dataset.save()
    color_by_track(dataset, layout)
    dataset.reload()
    scheme = dataset.app_config.color_scheme
    assert (scheme.color_by, scheme.color_pool, scheme.opacity) == ("instance", ["#ff0000"], 0.3)
    assert bool(scheme.multicolor_keypoints) == many
    dataset.delete()


@pytest.mark.parametrize(("layout", "many"), [("points", False), ("frame", True)])
def test_a_session_that_is_open_is_told_the_same(layout: str, many: bool) -> None:
    scheme = running_scheme(layout)
    assert scheme["color_by"] == "instance"
    assert bool(scheme.get("multi_color_keypoints")) == many
