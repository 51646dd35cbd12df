"""How the App colours tracks."""

from __future__ import annotations

from typing import Any

import fiftyone as fo


def color_by_track(dataset: fo.Dataset, layout: str) -> None:
    """Sets the dataset's colour scheme so that each track keeps one colour; other settings stay.

    Args:
        dataset: the dataset
        layout: "points" (a keypoint's index decides) or "frame" (its position among the points)
    """
    scheme = dataset.app_config.color_scheme or fo.ColorScheme()
    scheme.color_by = "instance"
    if layout == "frame":
        scheme.multicolor_keypoints = True
    dataset.app_config.color_scheme = scheme
    dataset.save()


def running_scheme(layout: str) -> dict[str, Any]:
    """The same for a session of the App that is open: the parameters of its operator `set_color_scheme`."""
    return {"color_by": "instance", **({"multi_color_keypoints": True} if layout == "frame" else {})}
