"""What a LocoTrack is loaded with; imports without torch, for forms."""

from __future__ import annotations

from dataclasses import dataclass

from ..shared.independent_points.options import PointModelOptions


@dataclass(frozen=True)
class LocoTrackOptions(PointModelOptions):
    """What a LocoTrack is loaded with: nothing beyond `PointModelOptions`."""
