"""A tracker's model from the user's file, or from the published one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ..shared.checkpoint_files import check_tracker_name
from ..shared.model_options import ModelOptions
from .files import WeightsFile
from .store import weights_path

Model = TypeVar("Model")


def load_published(
    name: str,
    options: ModelOptions,
    file: WeightsFile,
    load_model: Callable[[Path], Model],
    name_of: Callable[[Model], str],
) -> Model:
    """Loads the model of a tracker.

    Args:
        name: of the tracker
        options: what it is loaded with
        file: the published one, which is downloaded where no other is named and the terms are accepted
        load_model: reads a file
        name_of: the tracker that a model is for

    Raises:
        LicenseError: if the terms of the published file were never accepted
        WeightsError: if there is no file, or its download fails
        CheckpointError: if it holds no such model, or that of another tracker
    """
    path = weights_path(options.checkpoint, file, tracker=name, accept_license=options.accept_license)
    model = load_model(path)
    check_tracker_name(name_of(model), name, path)
    return model
