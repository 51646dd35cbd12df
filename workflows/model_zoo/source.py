"""This repository as a source of FiftyOne's model zoo: what `manifest.json` says, and the download hook.

`python -m point_tracking.workflows.model_zoo.source > manifest.json` writes the
manifest anew after a tracker was added to the registry; a test compares them.
"""

from __future__ import annotations

import json
import logging
from os import PathLike
from pathlib import Path
from typing import Any

from ...tracker.models.registry import fetch_tracker_weights, needs_consent, shipped_trackers, tracker_info
from ...tracker.models.tracker_info import TrackerInfo

# without a slash: FiftyOne makes it a module's name, and of a dotted one `from . import x` fails
SOURCE_NAME = "fo-video-point-tracking"
# what every tracker of ours needs beyond FiftyOne itself, as in requirements.txt
_COMMON_PACKAGES = ("numpy", "av")
_BYTES_PER_MB = 10**6

logger = logging.getLogger(__name__)


def manifest() -> dict[str, Any]:
    """The content of `manifest.json`: one entry per registered tracker.

    Returns:
        what FiftyOne reads, as JSON values
    """
    return {"name": SOURCE_NAME, "models": [_entry(tracker_info(name)) for name in shipped_trackers()]}


def _entry(info: TrackerInfo) -> dict[str, Any]:
    packages = [*_COMMON_PACKAGES, *(name for name in info.requirements if name not in _COMMON_PACKAGES)]
    return {
        "base_name": info.name,
        "base_filename": f"{info.name}.receipt.json",
        "author": "fo-video",
        "description": f"Point tracking: {info.summary}. Terms: {info.terms}",
        "source": info.weights_from if info.weights_license else None,
        # what binds the user: the weights' licence where there are weights
        "license": info.weights_license or info.code_license,
        "size_bytes": None if info.size_mb is None else int(info.size_mb * _BYTES_PER_MB),
        "tags": ["video", "point-tracking", "keypoints", *info.tags],
        "requirements": {
            "packages": packages,
            "cpu": {"support": True},
            "gpu": {"support": True},
        },
    }


def download_model(model_name: str, model_path: str | PathLike[str]) -> None:
    """FiftyOne's hook before a model is loaded for the first time.

    Weights are fetched only where their terms were accepted before; else loading
    the model says how to accept them. They lie in this package's own folder of
    weights, and a receipt lies where FiftyOne looks for the model.

    Args:
        model_name: one of `list_trackers()`
        model_path: where FiftyOne looks for the model

    Raises:
        UnknownTrackerError: if there is no tracker of that name
        WeightsError: if the download fails
    """
    info = tracker_info(model_name)
    receipt: dict[str, Any] = {"model": info.name, "terms": info.terms, "weights": None}
    if needs_consent(info):
        logger.warning(
            "Nothing was downloaded for %r: its weights are %s. Accept these terms by loading the model "
            "with accept_license=True",
            info.name,
            info.files_description,
        )
        return
    if info.files:
        receipt["weights"] = ", ".join(str(path) for path in fetch_tracker_weights(info))
    path = Path(model_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(receipt, indent=2) + "\n")


if __name__ == "__main__":
    print(json.dumps(manifest(), indent=2))
