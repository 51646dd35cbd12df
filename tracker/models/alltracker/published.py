"""The files of weights that AllTracker's authors publish, by tracker; imports without torch."""

from __future__ import annotations

from ..published_weights.files import HubSource, WeightsFile


def _file(path: str, size_mb: float, sha256: str | None = None) -> WeightsFile:
    return WeightsFile(
        "alltracker",
        HubSource("aharley/alltracker", path),
        size_mb,
        "MIT",
        "https://opensource.org/license/mit",
        commercial_use=True,
        sha256=sha256,  # of a third party's download table, with 66,005,722 bytes
        notes="Trained on Kubric, then on a mix of datasets of optical flow and point tracks",
        formerly_flat=True,
    )


PUBLISHED = {
    "alltracker": _file(
        "alltracker.pth", 66, sha256="ffd9ebcfb6d206d594b646999a150540f92c049cf9b2bf940facf7123f62aa1d"
    ),
    "alltracker-tiny": _file("alltracker_tiny.pth", 25),
}
