"""Labels as a person draws them."""

from __future__ import annotations

import fiftyone as fo


def box(x: float, **attributes: object) -> fo.Detections:
    """One box of the object that is called "bar", at a place from the left, as a keyframe."""
    given = {"label": "bar", "index": 1, "keyframe": True, **attributes}
    return fo.Detections(detections=[fo.Detection(bounding_box=[x, 0.3, 0.2, 0.4], **given)])
