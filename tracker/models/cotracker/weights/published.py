"""The files of weights that CoTracker's authors publish, by tracker; imports without torch."""

from __future__ import annotations

from ...published_weights.files import HubSource, WeightsFile

_REAL_VIDEOS = ("scaled_offline.pth", "scaled_online.pth")


def _file(repository: str, path: str, size_mb: float) -> WeightsFile:
    return WeightsFile(
        "cotracker",
        HubSource(repository, path),
        size_mb,
        "CC-BY-NC-4.0",
        "https://creativecommons.org/licenses/by-nc/4.0/",
        commercial_use=False,
        notes="The authors' code is CC-BY-NC-4.0 too; none of it is used here. Trained on Kubric"
        + (", then on videos from the internet by tracks of CoTracker and TAPIR" if path in _REAL_VIDEOS else ""),
        formerly_flat=True,
    )


PUBLISHED = {
    "cotracker3-offline": _file("facebook/cotracker3", "scaled_offline.pth", 102),
    "cotracker3-online": _file("facebook/cotracker3", "scaled_online.pth", 102),
    "cotracker2": _file("facebook/cotracker", "cotracker2.pth", 204),
}
