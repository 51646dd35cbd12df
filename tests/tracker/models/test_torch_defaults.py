"""What another library sets for all of torch changes nothing here: tensors name their type and device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import media
import numpy as np
import pytest
import torch

import point_tracking as pt

DEFAULTS: dict[str, Any] = {
    "float64": lambda: torch.set_default_dtype(torch.float64),
    "bfloat16": lambda: torch.set_default_dtype(torch.bfloat16),
    "meta": lambda: torch.set_default_device("meta"),
}


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)


@pytest.mark.parametrize("defaults", DEFAULTS)
@pytest.mark.parametrize("name", ["pt-fused", "pt-fused-2", "pt-small", "optical-flow"])
@pytest.mark.parametrize("loaded", ["before", "after"])
def test_trackers_answer_the_same(name: str, defaults: str, loaded: str) -> None:
    frames = np.stack([media.picture(k, (96, 64)) for k in range(10)])
    queries = pt.grid_queries(3, height=64, width=96)
    options = {} if name == "optical-flow" else {"device": "cpu"}
    expected = pt.load_tracker(name, **options).track(frames, queries)
    tracker = pt.load_tracker(name, **options) if loaded == "before" else None
    DEFAULTS[defaults]()
    tracks = (tracker or pt.load_tracker(name, **options)).track(frames, queries)
    np.testing.assert_array_equal(tracks.xy, expected.xy)
    np.testing.assert_array_equal(tracks.visible, expected.visible)


@pytest.mark.parametrize("defaults", DEFAULTS)
@pytest.mark.parametrize("kind", ["offline", "online", "guided", "v2"])
def test_networks_answer_the_same(make: Any, clip: Any, kind: str, defaults: str) -> None:
    frames, queries = clip(20), pt.grid_queries(3, height=37, width=53)
    tracker = make(kind)
    expected = tracker.track(frames, queries, backward=True)
    DEFAULTS[defaults]()
    tracks = tracker.track(frames, queries, backward=True)
    np.testing.assert_array_equal(tracks.xy, expected.xy)
