"""Points on featureless ground are told in the form, before they are tracked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from operator_forms import form_of

from point_tracking.workflows.tracking import prompts

URI = "@fo-video/point-tracking/track_points"


def half_plain(index: int, size: tuple[int, int]) -> np.ndarray:
    frame = np.full((size[1], size[0], 3), 120, np.uint8)
    frame[:, size[0] // 2 :] = ((np.indices((size[1], size[0] - size[0] // 2)) // 8).sum(0) % 2 * 99 + 60)[..., None]
    return frame


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """A video whose left half is plain, and one that cannot be read."""
    dataset = fo.Dataset()
    plain, broken = media.video(tmp_path / "a.mp4", num_frames=4, draw=half_plain), media.text_file(tmp_path / "b.mp4")
    box = fo.Detections(detections=[fo.Detection(label="sky", bounding_box=[0.05, 0.1, 0.3, 0.5])])
    dataset.add_samples([fo.Sample(filepath=str(plain), boxes=box), fo.Sample(filepath=str(broken))])
    yield dataset
    dataset.delete()


def told(dataset: fo.Dataset, **params: Any) -> str | None:
    shown = form_of(URI, dataset, **params).get("ground")
    return None if shown is None else shown.view.label


def test_points_on_featureless_ground_are_counted_before_the_run(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(told(dataset, grid_size=10)).startswith("40 of 100 points lie on featureless ground (sky")
    monkeypatch.setattr(prompts, "_frame_of", None)  # while the form changes, no frame is read again
    assert str(told(dataset, grid_size=4, featureless="leave_out")).endswith("they are left out")
    assert "1 of 2 points lies" in str(told(dataset, points="0, 20, 60; 0, 130, 60", prompt_kind="points"))
    assert "choose other places" in str(told(dataset, points="boxes", prompt_kind="points"))
    assert told(dataset, points="0, 130, 60", prompt_kind="points") is None
    assert told(dataset, grid_size=0) is None  # what is wrong with it is told elsewhere
