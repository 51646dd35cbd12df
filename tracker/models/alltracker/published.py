"""The files of weights that AllTracker's authors publish, by tracker; imports without torch."""

from __future__ import annotations

from ..published_weights import WeightsFile

_REPOSITORY = "aharley/alltracker"
_LICENSE = "MIT"
_LICENSE_URL = "https://opensource.org/license/mit"

PUBLISHED = {
    "alltracker": WeightsFile(_REPOSITORY, "alltracker.pth", 66, _LICENSE, _LICENSE_URL, commercial_use=True),
    "alltracker-tiny": WeightsFile(_REPOSITORY, "alltracker_tiny.pth", 25, _LICENSE, _LICENSE_URL, commercial_use=True),
}
