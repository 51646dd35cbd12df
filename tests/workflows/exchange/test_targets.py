"""What the files of an export are of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import pytest

from point_tracking.tracker.errors import CollectionError
from point_tracking.workflows.exchange.targets import ExportTarget, export_targets


def test_files_are_of_the_samples_and_sources_are_told_only_of_copies(
    make_dataset: Callable[..., fo.Dataset], clip: Path
):
    dataset = make_dataset(clip)
    sample = dataset.first()
    assert export_targets(dataset, "video") == [ExportTarget(sample.id, sample.id, sample.filepath)]
    with pytest.raises(CollectionError, match="preprocess"):
        export_targets(dataset, "source")
