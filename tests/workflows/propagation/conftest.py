"""Datasets of a thing that moves, with labels in a few frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import moving_object
import pytest

LISTS = {"Detection": "detections", "Polyline": "polylines", "Keypoint": "keypoints"}


@pytest.fixture(scope="session")
def thing_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving_object.clip(tmp_path_factory.mktemp("thing") / "thing.mp4")


@pytest.fixture
def labelled(thing_path: Path, make_dataset: Callable[..., fo.Dataset]) -> Callable[..., fo.Dataset]:
    """A function that makes a dataset of the clip with labels: frame number -> label or labels of the field "box"."""

    def make(*samples: dict[int, Any], field: str = "box", path: Path | None = None) -> fo.Dataset:
        dataset = make_dataset(*[path or thing_path] * len(samples))
        for sample, labels in zip(dataset, samples, strict=True):
            for number, found in labels.items():
                several = found if isinstance(found, list) else [found]
                kind = type(several[0]).__name__
                sample.frames[number] = fo.Frame(**{field: getattr(fo, f"{kind}s")(**{LISTS[kind]: several})})
            sample.save()
        return dataset

    return make
