"""The files of weights that CoTracker's authors publish, by tracker; imports without torch."""

from __future__ import annotations

from ...published_weights import WeightsFile

_LICENSE = "CC-BY-NC-4.0"
_LICENSE_URL = "https://creativecommons.org/licenses/by-nc/4.0/"

PUBLISHED = {
    "cotracker3-offline": WeightsFile(
        "facebook/cotracker3", "scaled_offline.pth", 102, _LICENSE, _LICENSE_URL, commercial_use=False
    ),
    "cotracker3-online": WeightsFile(
        "facebook/cotracker3", "scaled_online.pth", 102, _LICENSE, _LICENSE_URL, commercial_use=False
    ),
    "cotracker2": WeightsFile(
        "facebook/cotracker", "cotracker2.pth", 204, _LICENSE, _LICENSE_URL, commercial_use=False
    ),
}
