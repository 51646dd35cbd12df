"""What a person set stays where it was set, whatever the model says of it.

A tracker hands on its model's own values, also in a point's query frame and outside the frame, where the published
model does (`Capabilities.keeps_queries`, `hides_outside`). Whoever writes tracks into a dataset asks here first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..coordinates import inside_frame
from ..models.base import Capabilities, capped_where_hidden
from ..types import Queries, Tracks


def pin_queries(tracks: Tracks, queries: Queries, size_px: tuple[int, int], able: Capabilities) -> Tracks:
    """Puts every query, visible, into its frame, and hides points outside the frame.

    Args:
        tracks: T frames, N points, in pixels of these frames
        queries: the N points
        size_px: (width, height) of the frames
        able: what the tracker does itself

    Returns:
        the same tracks, at the query exactly where they were asked for; their confidence there is 1 where the
            tracker does not keep queries itself
    """
    xy, visible, confidence = tracks.xy.copy(), tracks.visible.copy(), tracks.confidence.copy()
    if not able.hides_outside:
        outside = ~inside_frame(xy, size_px)
        visible &= ~outside
        confidence = capped_where_hidden(confidence, ~outside)
    columns = np.arange(len(queries))
    xy[queries.t, columns], visible[queries.t, columns] = queries.xy, True
    if not able.keeps_queries:
        confidence[queries.t, columns] = 1
    return replace(tracks, xy=xy, visible=visible, confidence=confidence)
