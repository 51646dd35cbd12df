"""The files of weights that LocoTrack's authors publish, by tracker; imports without torch."""

from __future__ import annotations

from ..published_weights.files import HubSource, WeightsFile

_REPOSITORY = "hamacojr/LocoTrack-pytorch-weights"
_PAGE = "https://github.com/cvlab-kaist/locotrack"


def _file(path: str, size_mb: float, sha256: str | None = None) -> WeightsFile:
    return WeightsFile(
        "locotrack",
        HubSource(_REPOSITORY, path, kind="dataset"),
        size_mb,
        None,
        f"{_PAGE}/blob/main/LICENSE",
        commercial_use=None,
        sha256=sha256,  # named by others
        notes="The authors' code is Apache-2.0 and says nothing separate of the weights; third parties treat them as "
        '"Apache-2.0". Trained on Kubric (panning MOVi-E)',
    )


PUBLISHED = {
    "locotrack-small": _file(
        "locotrack_small.ckpt", 33, "da023594e6d6c05ecad9644efc1467545481cfa899e20730bd9fdce778ffa5ac"
    ),
    "locotrack-base": _file("locotrack_base.ckpt", 46.1),
}
