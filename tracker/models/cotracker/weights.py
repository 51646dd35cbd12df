"""Where the published weights are, and how they get here.

They are under CC-BY-NC 4.0: not for commercial use. They are never part of this
package; the user accepts their terms and fetches them once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .errors import WeightsError

WEIGHTS_DIR_VARIABLE = "POINT_TRACKING_WEIGHTS_DIR"
LICENSE = "CC-BY-NC-4.0"


@dataclass(frozen=True)
class PublishedFile:
    """A file of weights on the Hugging Face hub.

    Args:
        repository: on the hub
        filename: in the repository
        size_mb: of the file
    """

    repository: str
    filename: str
    size_mb: float


PUBLISHED_FILES = {
    "cotracker3-offline": PublishedFile("facebook/cotracker3", "scaled_offline.pth", 102),
    "cotracker3-online": PublishedFile("facebook/cotracker3", "scaled_online.pth", 102),
    "cotracker2": PublishedFile("facebook/cotracker", "cotracker2.pth", 204),
}


def weights_dir() -> Path:
    """The folder of downloaded weights: $POINT_TRACKING_WEIGHTS_DIR, or one in the user's cache."""
    given = os.environ.get(WEIGHTS_DIR_VARIABLE)
    if given:
        return Path(given).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "point_tracking"


def published_weights(name: str, *, accept_license: bool = False) -> Path:
    """The local file of published weights.

    Args:
        name: of the tracker
        accept_license: whether the terms are accepted

    Returns:
        path of a .safetensors or .pth file

    Raises:
        WeightsError: if it is not there
    """
    published = PUBLISHED_FILES[name]
    folder = weights_dir()
    for candidate in (Path(published.filename).with_suffix(".safetensors").name, published.filename):
        if (folder / candidate).is_file():
            return folder / candidate
    raise WeightsError(
        f"The weights of {name!r} are not on this machine. They are the file {published.filename} of the "
        f"repository https://huggingface.co/{published.repository} ({published.size_mb:g} MB), under {LICENSE}: "
        f"no commercial use. Put it into {folder} (or the folder named by {WEIGHTS_DIR_VARIABLE}), "
        "or pass checkpoint=<path>"
    )
