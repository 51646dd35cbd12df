"""The form of Adapt a tracker: what it tells, counts and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import adaptable
import fiftyone as fo
import fiftyone.operators as foo
import pytest
from operator_forms import form_of, invalid_in

import point_tracking as pt
from point_tracking.workflows.lifecycle.scheduled_runs import worker_is_seen

URI = "@fo-video/point-tracking/adapt_tracker"
pytestmark = pytest.mark.usefixtures("weights")
QUICK = {"tracker": "first", "steps": 2, "points": 8, "device": "cpu"}


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    return form_of(URI, dataset, **params)


def _invalid(dataset: fo.Dataset, **params: Any) -> dict[str, str]:
    return invalid_in(_form(dataset, **params))


def test_a_complete_form_can_be_sent(dataset: fo.Dataset) -> None:
    assert _invalid(dataset, name="mine") == {}
    form = _form(dataset, name="mine")
    offered = form["tracker"].type.values
    assert {"bound", "first"} <= set(offered)
    assert not {"cotracker3-offline", "cotracker2", "optical-flow"} & set(offered), "not here, or not of the form"
    assert "1 video to learn from, 1 to judge by" in form["purpose"].view.label
    assert "weak evidence" in form["purpose"].view.label


def test_the_form_tells_state_terms_and_how_to_run_for_so_long(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = _form(dataset)
    assert form["tracker"].default == "pt-small"
    assert "experimental" in form["tracker_terms"].view.label
    assert "commercial use allowed" in form["tracker_terms"].view.label
    assert "FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS" in form["waiting"].view.label
    monkeypatch.setattr(fo.config, "allow_legacy_orchestrators", True)
    assert "FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS" not in _form(dataset)["waiting"].view.label
    told = _form(dataset)["waiting"].view.label
    # another test's worker may be at work at the same time
    assert worker_is_seen() or "no worker is seen: start one first with fiftyone delegated launch" in told


def test_the_share_to_judge_by_is_counted_in_videos(dataset: fo.Dataset, tmp_path: Path) -> None:
    paths = [adaptable.textured_video(tmp_path / f"more{k}.mp4", k) for k in range(8)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    assert "8 videos to learn from, 2 to judge by" in _form(dataset)["purpose"].view.label
    assert "4 videos to learn from, 6 to judge by" in _form(dataset, percent_held_out=60)["purpose"].view.label


@pytest.mark.parametrize(
    ("params", "name", "text"),
    [
        ({"name": "a b"}, "name", "Invalid name"),
        ({"name": "optical-flow"}, "name", "trackers that ship"),
        ({"name": "first"}, "overwrite", "There is a tracker 'first'"),
        ({"name": "mine", "minutes": 0}, "minutes", "Invalid minutes"),
        ({"name": ""}, "name", "a name"),
        ({"name": "mine", "percent_held_out": 100}, "percent_held_out", "Expected more than 0 and less than 100"),
        ({"name": "mine", "run_key": "a b"}, "run_key", "Invalid run key"),
        ({"name": "mine", "run_key": "taken"}, "run_key", "There is a run 'taken' already"),
        ({"name": "mine", "own_start": False}, "purpose", "There is no teacher"),
    ],
)
def test_the_form_refuses_bad_values(dataset: fo.Dataset, params: dict[str, Any], name: str, text: str) -> None:
    pt.track_dataset(dataset.limit(1), grid_size=2, run_key="taken")
    invalid = _invalid(dataset, **params)
    assert list(invalid) == [name]
    assert text in invalid[name]
    assert _invalid(dataset, name="first", overwrite=True) == {}


def test_the_form_warns_of_non_commercial_teachers(dataset: fo.Dataset) -> None:
    assert "terms" not in _form(dataset, name="mine", teachers=["optical-flow"])
    label = _form(dataset, name="mine", teachers=["optical-flow", "bound"])["terms"].view.label
    assert label.endswith("NON-COMMERCIAL use only, because of bound")
    assert _form(dataset, name="mine", tracker="bound")["terms"].view.label.endswith("because of bound")


def test_one_video_is_too_few(dataset: fo.Dataset) -> None:
    dataset.delete_samples(dataset.limit(1))
    assert "at least 2 different videos" in _invalid(dataset, name="mine")["purpose"]
    with pytest.raises(Exception, match="at least 2 different videos"):
        foo.execute_operator(URI, {"dataset": dataset}, params={"name": "mine", **QUICK})
