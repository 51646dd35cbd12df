"""The dataset that most tests of preprocessing copy; what they make of it does not stay."""

from __future__ import annotations

import fiftyone as fo
import pytest


@pytest.fixture(autouse=True)
def _nothing_stays(no_datasets_stay: None) -> None:
    pass


@pytest.fixture
def dataset(two_clips: fo.Dataset) -> fo.Dataset:
    return two_clips
