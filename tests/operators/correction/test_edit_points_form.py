"""The field with the tracks is asked for where there are several."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

import point_tracking as pt
from point_tracking.operators.correction.edit_points_form import add_field


def _asked(dataset: fo.Dataset, **given: Any) -> dict[str, Any]:
    inputs = types.Object()
    ctx: Any = SimpleNamespace(dataset=dataset, selected_labels=[], params={}, **given)
    add_field(ctx, inputs)
    return inputs.properties


def test_the_only_field_is_taken_and_of_several_one_is_chosen(dataset: fo.Dataset) -> None:
    assert _asked(dataset) == {}
    pt.track_dataset(dataset, "more", tracker="optical-flow", grid_size=2, progress=False)
    assert _asked(dataset)["label_field"].type.values == ["tracks", "more"]
    assert _asked(fo.Dataset()) == {}
