"""What a run will write and how long it takes is told before it is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from operator_forms import form_of

import point_tracking as pt
from point_tracking.operators.tracking.estimate import _frames_used
from point_tracking.tracker.engine.rates import Work, learn

URI = "@fo-video/point-tracking/track_points"


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / f"{k}.mp4", num_frames=12) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    dataset.delete()


def _duration(dataset: fo.Dataset, **params: Any) -> str:
    return form_of(URI, dataset, **params)["duration"].view.label


def test_before_anything_was_measured_it_says_so(dataset: fo.Dataset) -> None:
    assert "once the metadata" in _duration(dataset)
    pt.fill_metadata(dataset)
    assert "pt-fused takes on this machine is not measured yet" in _duration(dataset)


def test_what_was_measured_is_told_beside_the_fastest_tracker(dataset: fo.Dataset) -> None:
    pt.fill_metadata(dataset)
    megapixels = media.SIZE[0] * media.SIZE[1] / 1e6
    learn("pt-fused", [Work(12, 196, megapixels, 120.0)])
    learn("optical-flow", [Work(12, 196, megapixels, 30.0)])
    assert _duration(dataset) == "Takes about 4 min on this machine (optical-flow: about 60 s)"
    assert _duration(dataset, tracker="optical-flow") == "Takes about 60 s on this machine"
    learn("alltracker", [Work(12, 1, megapixels, 30.0)])
    points = {"prompt_kind": "points", "points": "0, 5, 5; 3, 5, 5; 7, 5, 5; 7, 9, 9"}
    assert _duration(dataset, tracker="alltracker", **points).startswith("Takes about 3 min on this machine"), (
        "3 passes"
    )
    half = _duration(dataset, sampling_rule="every_nth", sampling_every_nth=2)
    assert half == "Takes about 2 min on this machine (optical-flow: about 30 s)"


def test_a_run_measures_itself(dataset: fo.Dataset) -> None:
    pt.track_dataset(dataset, tracker="optical-flow", progress=False)
    assert "Takes about" in _duration(dataset, tracker="optical-flow")


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [({}, 100), ({"every_nth": 3}, 34), ({"fps": 5.0}, 50), ({"fps": 50}, 100), ({"max_frames": 7}, 7)],
)
def test_sampled_frames_are_counted(sampling: dict[str, Any], expected: int) -> None:
    assert _frames_used(100, 10.0, sampling) == expected
