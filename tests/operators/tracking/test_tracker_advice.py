"""What the form says of trackers by what is tracked: the recommendation, and many passes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fiftyone.operators.types as types
import pytest

from point_tracking.operators.tracking import tracker_advice
from point_tracking.operators.tracking.label_inputs import Asked
from point_tracking.operators.tracking.tracker_advice import add_tracker_advice, num_passes
from point_tracking.tracker.models.published_weights.store import remember_consent
from point_tracking.tracker.models.registry import tracker_info

GRID = Asked(196, 1, 1, fills_frame=True)
MANY = Asked(40, 6, 12)


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights of its own; a machine with a GPU."""
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(tracker_advice, "has_gpu", lambda: True)
    return tmp_path


def advice(asked: Asked, **params: Any) -> dict[str, str]:
    inputs = types.Object()
    add_tracker_advice(SimpleNamespace(params=params), inputs, asked)
    return {name: prop.view.label for name, prop in inputs.properties.items()}


def test_a_recommendation_says_what_for_its_terms_and_where_its_weights_are(weights: Path) -> None:
    told = advice(GRID)["recommended_tracker"]
    assert told == (
        "For grids and masks in one frame, with the GPU of this machine, alltracker is recommended (code Apache-2.0, "
        "weights MIT: commercial use allowed). Its weights are downloaded once (66 MB), when you accept their terms"
    )
    (file,) = tracker_info("bootstapir").files
    assert advice(MANY)["recommended_tracker"].endswith("downloaded once (218.9 MB), when you accept their terms")
    remember_consent(file)
    told = advice(MANY)["recommended_tracker"]
    assert told.startswith("For points in many frames, with the GPU of this machine, bootstapir is recommended (code ")
    assert told.endswith("Its weights are downloaded once (218.9 MB)")
    (weights / file.family).mkdir()
    (weights / file.family / file.filename).touch()
    assert advice(MANY)["recommended_tracker"].endswith("Its weights are on this machine")


def test_who_chose_a_tracker_or_has_no_gpu_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert advice(GRID, tracker="optical-flow") == {}
    assert advice(Asked(5, 3, 3)) == {}
    assert advice(Asked()) == {}
    monkeypatch.setattr(tracker_advice, "has_gpu", lambda: False)
    assert advice(GRID) == advice(MANY) == {}


def test_many_passes_are_told_of_trackers_that_need_them() -> None:
    told = advice(MANY, tracker="alltracker")
    assert list(told) == ["many_passes"]
    assert "The points lie in 12 frames, and alltracker" in told["many_passes"]
    assert advice(Asked(40, 8, 8), tracker="alltracker") == {}
    assert advice(MANY, tracker="bootstapir") == advice(MANY, tracker="nobody") == {}


def test_passes_are_counted_for_trackers_that_need_one_per_frame() -> None:
    assert [num_passes(name, 7) for name in ("alltracker-tiny", "pt-fused", "nobody")] == [7, 1, 1]
    assert num_passes("alltracker", None) == 1
