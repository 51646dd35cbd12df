"""What can be done with selected points; the forms and results: `test_edit_points`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import pytest

import point_tracking as pt
from point_tracking.operators.correction.actions import ACTIONS, field_of, stored_corrections
from point_tracking.operators.correction.edit_points import EditPoints


def _ctx(dataset: fo.Dataset, **given: Any) -> Any:
    return SimpleNamespace(**{"dataset": dataset, "current_sample": None, "selected_labels": [], "params": {}, **given})


def test_every_action_has_an_operator() -> None:
    offered = {choice for operator in EditPoints.__subclasses__() for choice in operator.CHOICES}
    assert offered == set(ACTIONS)
    assert all(action.label for action in ACTIONS.values())


def test_the_field_is_the_chosen_one_else_that_of_the_selected_points(dataset: fo.Dataset) -> None:
    pt.track_dataset(dataset, "more", tracker="optical-flow", grid_size=2, progress=False)
    assert field_of(_ctx(dataset)) == "tracks"
    assert field_of(_ctx(dataset, selected_labels=[{"field": "frames.more"}])) == "more"
    assert field_of(_ctx(dataset, params={"label_field": "frames.more"})) == "more"
    empty = fo.Dataset()
    with pytest.raises(Exception, match="holds no tracks yet"):
        field_of(_ctx(empty))
    empty.delete()


def test_stored_corrections_are_counted_with_their_tracks(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    pt.correct_tracks(sample, "tracks", [(1, 2, 5, 5), (1, 4, 5, 5), (3, 2, 5, 5)], retrack=False)
    assert stored_corrections(_ctx(dataset, current_sample=sample.id)) == (3, 2)
