"""Loading a model from the user's file or the published one."""

from __future__ import annotations

from pathlib import Path

import pytest

from point_tracking.tracker.errors import CheckpointError, LicenseError
from point_tracking.tracker.models.locotrack.published import PUBLISHED
from point_tracking.tracker.models.published_weights.loading import load_published
from point_tracking.tracker.models.shared.model_options import ModelOptions

NAME = "locotrack-small"


def load(options: ModelOptions, found: str = NAME) -> Path:
    return load_published(NAME, options, PUBLISHED[NAME], Path, lambda path: found)


def test_the_users_file_goes_before_the_published_one(folder: Path, tmp_path: Path):
    published = folder / "locotrack" / PUBLISHED[NAME].filename
    with pytest.raises(LicenseError, match=NAME):
        load(ModelOptions())
    published.parent.mkdir(parents=True)
    published.touch()
    assert load(ModelOptions()) == published
    assert load(ModelOptions(checkpoint=tmp_path / "mine.ckpt")) == tmp_path / "mine.ckpt"


def test_weights_of_another_tracker_are_refused(tmp_path: Path):
    with pytest.raises(CheckpointError, match="holds weights of 'locotrack-base', not of 'locotrack-small'"):
        load(ModelOptions(checkpoint=tmp_path / "mine.ckpt"), found="locotrack-base")
