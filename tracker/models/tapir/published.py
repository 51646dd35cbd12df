"""The files of weights that TAPIR's authors publish, by tracker; imports without torch."""

from __future__ import annotations

from ..published_weights.files import WebSource, WeightsFile

_FOLDER = "https://storage.googleapis.com/dm-tapnet/"
_PAGE = "https://github.com/google-deepmind/tapnet"


def _file(path: str, size_mb: float, notes: str, sha256: str | None = None) -> WeightsFile:
    return WeightsFile(
        "tapir",
        WebSource(_FOLDER + path, _PAGE),
        size_mb,
        "Apache-2.0",
        f"{_PAGE}#readme",
        commercial_use=True,
        sha256=sha256,  # named by others
        notes=notes,
    )


_BOOTSTRAPPED = "Trained on Kubric, then on unlabelled video by its own tracks"

PUBLISHED = {
    "tapir": _file(
        "tapir_checkpoint_panning.pt",
        124.3,
        "Trained on Kubric",
        "628611c656b3bd65d4a70fbf5526b62afe82d1b085ce6044685287fb78509daa",
    ),
    "bootstapir": _file("bootstap/bootstapir_checkpoint_v2.pt", 218.9, _BOOTSTRAPPED),
    "bootstapir-online": _file(
        "bootstap/causal_bootstapir_checkpoint.pt",
        218.9,
        _BOOTSTRAPPED,
        "87c1e752cf5ce56e3e2f7da460aeb4d40fc826d04ef2939bade86a5c7495377f",
    ),
}
