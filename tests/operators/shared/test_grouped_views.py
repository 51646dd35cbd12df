"""Views that group samples by a field (dynamic groups) in the forms and operators: their videos, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import media
import pytest
from fiftyone.operators.executor import ExecutionContext
from operator_forms import form_of, invalid_in

import point_tracking as pt

PLUGIN = "@fo-video/point-tracking/"


@pytest.fixture(params=[None, "number"])
def grouped(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[fo.DatasetView]:
    """Two groups of three videos."""
    dataset = fo.Dataset()
    for k, weather in enumerate(("fine", "fine", "wet")):
        path = media.video(tmp_path / f"{k}.mp4", num_frames=5)
        dataset.add_sample(fo.Sample(filepath=str(path), weather=weather, number=k))
    yield dataset.group_by("weather", order_by=request.param)
    dataset.delete()


@pytest.mark.parametrize("name", ["track_points", "evaluate_tracks", "preprocess_videos", "adapt_tracker"])
def test_forms_take_the_videos_one_by_one_and_say_so(grouped: fo.DatasetView, name: str) -> None:
    pt.track_dataset(grouped._dataset, "known", grid_size=1, tracker="optical-flow")
    form = form_of(PLUGIN + name, grouped, gt_field="", cycle=True)
    assert "all videos of its groups are taken, one by one" in form["grouped_view"].view.label
    assert invalid_in(form) == {}
    text = " ".join(form[key].view.label for key in ("size", "purpose") if key in form)
    assert "3 " in text or "2 videos to learn from, 1 to judge by" in text
    assert "grouped_view" not in form_of(PLUGIN + name, grouped._dataset)


def test_a_grouped_view_is_tracked_and_judged(grouped: fo.DatasetView) -> None:
    dataset = grouped._dataset
    params: dict[str, Any] = {"grid_size": 2, "tracker": "optical-flow"}
    assert foo.execute_operator(f"{PLUGIN}track_points", {"view": grouped}, params=params).error is None
    dataset.reload()
    assert dataset.values("tracks_info.num_points") == [4, 4, 4]
    params = {"cycle": True, "eval_key": "mine"}
    assert foo.execute_operator(f"{PLUGIN}evaluate_tracks", {"view": grouped}, params=params).error is None
    dataset.reload()
    assert dataset.count("mine_cycle_px") == 3


def test_the_open_sample_of_a_grouped_view_is_tracked_alone(grouped: fo.DatasetView) -> None:
    second = grouped._dataset.values("id")[1]
    request = {"dataset_name": grouped._dataset.name, "view": grouped._serialize(), "current_sample": second}
    context = ExecutionContext(request_params={**request, "params": {}})
    form = foo.get_operator(f"{PLUGIN}track_points").resolve_input(context).type.properties
    assert "1 sample:" in form["size"].view.label


def test_from_python_a_grouped_view_is_refused_in_words_that_fit(grouped: fo.DatasetView) -> None:
    with pytest.raises(pt.PointTrackingError, match=r"view\.flatten\(\)"):
        pt.track_dataset(grouped)
