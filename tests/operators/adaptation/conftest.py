"""What the tests of this operator work on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import adaptable
import fiftyone as fo
import pytest
from adaptable import drifting_start

from point_tracking.tracker.models.adapted import Lineage, WeightsTerms, save_adapted


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))
    free = WeightsTerms("pt-small", "Apache-2.0", True)
    save_adapted("first", drifting_start(0.08).model, Lineage(free, (free,), "pt-small"))
    bound = WeightsTerms("cotracker3-offline", "CC-BY-NC-4.0", False)
    save_adapted("bound", drifting_start(0.0).model, Lineage(free, (bound,), "pt-small"))
    return tmp_path / "weights"


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    paths = [adaptable.textured_video(tmp_path / f"{k}.mp4", k) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    dataset.delete()
