"""Kinds of small models, and points of short clips, for tests of trackers."""

from __future__ import annotations

import point_tracking as pt

KINDS = ["offline", "online", "guided", "v2"]
POINTS = pt.point_queries([(0, 5, 5), (3, 20, 30), (9, 40.5, 10.25)])
POINTS_EARLY = pt.point_queries([(0, 5, 5), (3, 20, 30)])
