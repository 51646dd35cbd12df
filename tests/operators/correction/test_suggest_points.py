"""The operator that shows which tracks to check first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from operator_forms import form_of, invalid_in

import point_tracking as pt
from point_tracking.operators.correction import suggest_points as module
from point_tracking.operators.correction.suggest_points import Suggestions, SuggestPoints
from point_tracking.workflows.correction.suggest_points import SuspectTrack

URI = "@fo-video/point-tracking/suggest_points"


class _Ops:
    def __getattr__(self, name: str) -> Any:
        return lambda **params: (name, params)


def test_the_form_asks_how_many_and_refuses_what_is_no_percentage(
    dataset: fo.Dataset, opened: Callable[..., dict[str, Any]]
) -> None:
    assert "No video is open" in invalid_in(form_of(URI, dataset))["cannot"]
    form = form_of(URI, dataset, percent=120)
    assert "up to 100" in invalid_in(form)["percent"]
    assert form["percent"].default == 10
    assert foo.get_operator(URI).config.risk_level.value == "low"
    assert foo.execute_operator(URI, opened(), params={"cycle": False}).error is None


def test_the_view_shows_what_was_found_and_a_table_says_why(
    dataset: fo.Dataset, opened: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    monkeypatch.setattr(module, "show_text", lambda _ctx, _title, text: texts.append(text))
    context = foo.executor.ExecutionContext(
        request_params={
            "dataset_name": dataset.name,
            "current_sample": dataset.first().id,
            "params": {"cycle": False, "percent": 20},
        }
    )
    views: list[Any] = []
    ops = _Ops()
    monkeypatch.setattr(type(context), "ops", property(lambda _: ops))
    for told in SuggestPoints().execute(context):
        if isinstance(told, tuple) and told[0] == "set_view":
            views.append(told[1]["view"])
    expected = [one.index for one in pt.suggest_points(dataset.first(), "tracks", cycle=False, share=0.2)]
    assert set(views[0].values("frames.tracks.keypoints.index", unwind=True)) == set(expected)
    assert "2 tracks of tracks to check first" in texts[0]
    assert "| track | frame to look at |" in texts[0]


def test_they_are_told_in_words() -> None:
    tracks = tuple(SuspectTrack(k, 0.5, 3, 1.25, 2.0, 0.4) for k in range(1, 13))
    found = Suggestions("tracks", tracks)
    assert str(found) == "12 tracks of tracks to check first: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..."
    assert "| 1 | 4 | 50 | 1.2 | 2.0 | 0.60 |" in found.table()
    assert Suggestions("tracks", ()).table() == ""
