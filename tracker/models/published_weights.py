"""Where the published weights are, and how they get here.

They are under CC-BY-NC 4.0: not for commercial use. They are never part of this
package; the user accepts their terms, once, and they are fetched, once.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import DependencyError, OptionError
from .cotracker.errors import LicenseError, WeightsError

WEIGHTS_DIR_VARIABLE = "POINT_TRACKING_WEIGHTS_DIR"
LICENSE = "CC-BY-NC-4.0"
LICENSE_URL = "https://creativecommons.org/licenses/by-nc/4.0/"

_CONSENT_FILE = "accepted-licenses.json"
_HUB = "https://huggingface.co"
_BLOCK_BYTES = 2**20
_TRANSPORT_ERRORS = ("HTTPError", "RequestException")


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

    @property
    def description(self) -> str:
        """Which file it is and its terms, in words."""
        return (
            f"the file {self.filename} of {_HUB}/{self.repository} ({self.size_mb:g} MB), under {LICENSE} "
            f"({LICENSE_URL}): no commercial use"
        )


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


def find_weights(name: str) -> Path | None:
    """The local file of published weights, as .safetensors or .pth; None where there is none."""
    filename = Path(PUBLISHED_FILES[name].filename)
    candidates = (weights_dir() / filename.with_suffix(".safetensors"), weights_dir() / filename)
    return next((path for path in candidates if path.is_file()), None)


def published_weights(name: str, *, accept_license: bool = False) -> Path:
    """The local file of published weights, downloaded where it is not there yet.

    Args:
        name: of the tracker
        accept_license: the terms are accepted; remembered beside the weights

    Returns:
        path of a .safetensors or .pth file

    Raises:
        LicenseError: if the terms were never accepted
        WeightsError: if the download fails or its content is damaged
        DependencyError: if huggingface_hub is not installed
        OptionError: if `accept_license` is neither True nor False
    """
    if not isinstance(accept_license, bool):
        raise OptionError(f"Invalid accept_license ({accept_license!r}). Supported values are True and False")
    found = find_weights(name)
    if found is not None:
        return found
    published = PUBLISHED_FILES[name]
    if accept_license:
        remember_consent(published.repository)
    if not has_consent(published.repository):
        raise LicenseError(
            f"The weights of {name!r} are not on this machine. They are {published.description}. To accept these "
            f"terms and download the file, pass accept_license=True; or {_by_hand(published)}"
        )
    return _download(name, published)


def has_consent(repository: str) -> bool:
    """Whether the terms of a repository's weights were accepted on this machine."""
    return repository in _consents().get(LICENSE, [])


def remember_consent(repository: str) -> None:
    """Notes that the terms of a repository's weights are accepted."""
    consents = _consents()
    if repository not in consents.setdefault(LICENSE, []):
        consents[LICENSE].append(repository)
        weights_dir().mkdir(parents=True, exist_ok=True)
        (weights_dir() / _CONSENT_FILE).write_text(json.dumps(consents, indent=2))


def _consents() -> dict[str, list[str]]:
    path = weights_dir() / _CONSENT_FILE
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text())
    except ValueError:
        return {}  # damaged: as if nothing had been accepted
    return content if isinstance(content, dict) else {}


def _download(name: str, published: PublishedFile) -> Path:
    try:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
    except ImportError as error:
        raise DependencyError(
            "Downloading weights needs huggingface_hub >= 1.0. Install it with `pip install -U huggingface_hub`, "
            f"or {_by_hand(published)}"
        ) from error
    # the hub client changes its HTTP library between versions; its own error derives from that library's base
    network: list[type[Exception]] = [HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError]
    network += [base for base in HfHubHTTPError.__mro__ if base.__name__ in _TRANSPORT_ERRORS]
    endpoint = os.environ.get("HF_ENDPOINT") or None
    folder = weights_dir()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        metadata = get_hf_file_metadata(hf_hub_url(published.repository, published.filename, endpoint=endpoint))
        path = Path(hf_hub_download(published.repository, published.filename, local_dir=folder, endpoint=endpoint))
    except tuple(network) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"The weights of {name!r} could not be downloaded: {reason}. They are {published.description}. "
            f"Try again (what was received is kept), or {_by_hand(published)}"
        ) from error
    _check_content(path, metadata.size, metadata.etag, published)
    return path


def _check_content(path: Path, size: int | None, etag: str | None, published: PublishedFile) -> None:
    """Refuses, and removes, a file that is not what the hub says it holds."""
    found = path.stat().st_size
    problem = f"it has {found} bytes instead of {size}" if size is not None and found != size else None
    if problem is None and etag is not None and re.fullmatch(r"[0-9a-f]{64}", etag) and _sha256(path) != etag:
        problem = "its checksum is wrong"
    if problem is not None:
        path.unlink()
        raise WeightsError(
            f"The downloaded file {published.filename} is damaged: {problem}. It was removed. "
            f"Try again, or {_by_hand(published)}"
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _by_hand(published: PublishedFile) -> str:
    return (
        f"put {published.filename} into {weights_dir()} (or the folder named by {WEIGHTS_DIR_VARIABLE}), "
        "or pass checkpoint=<path>"
    )
