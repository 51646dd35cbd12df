"""How the App colours tracks."""

from __future__ import annotations

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
