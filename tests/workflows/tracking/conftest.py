"""The dataset whose preprocessed copies some tests track; what is made of it does not stay."""

from __future__ import annotations

import fiftyone as fo
import pytest


@pytest.fixture
def dataset(two_clips: fo.Dataset, no_datasets_stay: None) -> fo.Dataset:
    return two_clips
