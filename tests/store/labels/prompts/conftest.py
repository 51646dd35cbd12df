"""Reading the points that a field's labels ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import numpy as np
import pytest

from point_tracking.store.labels.frame_labels import read_values, values_of
from point_tracking.store.labels.prompts.points import PromptRules, read_points

SIZE_PX = (100, 50)
KINDS = {"boxes": fo.Detections, "joints": fo.Keypoints, "lines": fo.Polylines, "seg": fo.Segmentation}
LISTS = {"boxes": "detections", "joints": "keypoints", "lines": "polylines"}


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    for name, kind in KINDS.items():
        dataset.add_frame_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)
    dataset.add_sample_field("box", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detection)
    yield dataset
    dataset.delete()


@pytest.fixture
def read(dataset: fo.Dataset) -> Any:
    """Reads a field of a sample with some labels: the queries, their names, and what is said."""

    def read(field: str, frames: dict[int, Any], num_frames: int = 20, **rules: Any) -> Any:
        sample = fo.Sample(filepath="/absent.mp4")
        for number, labels in frames.items():
            value = labels if field == "seg" else KINDS[field](**{LISTS[field]: labels})
            sample.frames[number] = fo.Frame(**{field: value})
        dataset.add_sample(sample)
        warnings: list[str] = []
        values = read_values(dataset, sample.id, f"frames.{field}", 0)
        assert values is not None
        queries, names = read_points(values, PromptRules(**rules), SIZE_PX, warnings, lambda _: num_frames)
        assert names is not None
        loaded = values_of(dataset[sample.id], field, 0)
        again, called = read_points(loaded, PromptRules(**rules), SIZE_PX, [], lambda _: num_frames)
        np.testing.assert_array_equal(again.xy, queries.xy)
        assert called == names, "a loaded sample gives what the database gives"
        return queries, names, warnings

    return read
