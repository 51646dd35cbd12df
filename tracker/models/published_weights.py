"""Weights that others publish: where they lie on this machine, their terms, and how they get here.

They are never part of this package; the user accepts their terms, once, and
they are fetched, once. Which tracker needs which files stands in its
`registry.TrackerInfo`; a family declares its files beside its code.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import DependencyError, LicenseError, OptionError, WeightsError

WEIGHTS_DIR_VARIABLE = "POINT_TRACKING_WEIGHTS_DIR"

_CONSENT_FILE = "accepted-licenses.json"
_HUB = "https://huggingface.co"
_BLOCK_BYTES = 2**20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TRANSPORT_ERRORS = ("HTTPError", "RequestException")


@dataclass(frozen=True)
class WeightsFile:
    """A published file of weights on the Hugging Face hub, and its terms.

    Args:
        repository: on the hub
        filename: in the repository
        size_mb: its size in MB (10 ** 6 bytes)
        license: SPDX name
        license_url: where its text stands
        commercial_use: whether the licence allows it
        sha256: of the content, in hexadecimal digits, None where it is not known; what
            the server says of the file it sends is checked in any case
    """

    repository: str
    filename: str
    size_mb: float
    license: str
    license_url: str
    commercial_use: bool
    sha256: str | None = None

    @property
    def source(self) -> str:
        """Where it is published, in words."""
        return f"{_HUB.removeprefix('https://')}/{self.repository}, {self.filename}"

    @property
    def description(self) -> str:
        """Which file it is and its terms, in words."""
        use = "commercial use allowed" if self.commercial_use else "no commercial use"
        return (
            f"the file {self.filename} of {_HUB}/{self.repository} ({self.size_mb:g} MB), under {self.license} "
            f"({self.license_url}): {use}"
        )


def weights_dir() -> Path:
    """The folder of downloaded weights: $POINT_TRACKING_WEIGHTS_DIR, or one in the user's cache."""
    given = os.environ.get(WEIGHTS_DIR_VARIABLE)
    if given:
        return Path(given).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "point_tracking"


def find_weights(file: WeightsFile) -> Path | None:
    """The local copy of a published file, as .safetensors or as it was published; None where there is none."""
    filename = Path(file.filename)
    candidates = (weights_dir() / filename.with_suffix(".safetensors"), weights_dir() / filename)
    return next((path for path in candidates if path.is_file()), None)


def fetch_weights(file: WeightsFile, *, tracker: str, accept_license: bool = False) -> Path:
    """The local copy of a published file, downloaded where it is not there yet.

    Args:
        file: to be fetched
        tracker: that needs it, for messages
        accept_license: the terms are accepted; remembered beside the weights

    Returns:
        path of a .safetensors file, or of one as it was published

    Raises:
        LicenseError: if the terms were never accepted
        WeightsError: if the download fails or its content is damaged
        DependencyError: if huggingface_hub is not installed
        OptionError: if `accept_license` is neither True nor False
    """
    if not isinstance(accept_license, bool):
        raise OptionError(f"Invalid accept_license ({accept_license!r}). Supported values are True and False")
    found = find_weights(file)
    if found is not None:
        return found
    if accept_license:
        remember_consent(file)
    if not has_consent(file):
        raise LicenseError(
            f"The weights of {tracker!r} are not on this machine. They are {file.description}. To accept these "
            f"terms and download the file, pass accept_license=True; or {_by_hand(file)}"
        )
    return _download(tracker, file)


def has_consent(file: WeightsFile) -> bool:
    """Whether the terms of a file were accepted on this machine; they hold for all of its repository."""
    return file.repository in _consents().get(file.license, [])


def remember_consent(file: WeightsFile) -> None:
    """Notes that the terms of a file, and of all files of its repository under the same licence, are accepted."""
    consents = _consents()
    if file.repository not in consents.setdefault(file.license, []):
        consents[file.license].append(file.repository)
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


def _download(tracker: str, file: WeightsFile) -> Path:
    try:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
    except ImportError as error:
        raise DependencyError(
            "Downloading weights needs huggingface_hub >= 1.0. Install it with `pip install -U huggingface_hub`, "
            f"or {_by_hand(file)}"
        ) from error
    # the hub client changes its HTTP library between versions; its own error derives from that library's base
    network: list[type[Exception]] = [HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError]
    network += [base for base in HfHubHTTPError.__mro__ if base.__name__ in _TRANSPORT_ERRORS]
    endpoint = os.environ.get("HF_ENDPOINT") or None
    folder = weights_dir()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        metadata = get_hf_file_metadata(hf_hub_url(file.repository, file.filename, endpoint=endpoint))
        path = Path(hf_hub_download(file.repository, file.filename, local_dir=folder, endpoint=endpoint))
    except tuple(network) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"The weights of {tracker!r} could not be downloaded: {reason}. They are {file.description}. "
            f"Try again (what was received is kept), or {_by_hand(file)}"
        ) from error
    _check_content(path, metadata.size, metadata.etag, file)
    return path


def _check_content(path: Path, size: int | None, etag: str | None, file: WeightsFile) -> None:
    """Refuses, and removes, a file that is not what the hub says it holds."""
    found = path.stat().st_size
    problem = f"it has {found} bytes instead of {size}" if size is not None and found != size else None
    promised = {value for value in (etag, file.sha256) if value is not None and _SHA256.fullmatch(value)}
    if problem is None and promised and promised != {_sha256(path)}:
        problem = "its checksum is wrong"
    if problem is not None:
        path.unlink()
        raise WeightsError(
            f"The downloaded file {file.filename} is damaged: {problem}. It was removed. Try again, or {_by_hand(file)}"
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _by_hand(file: WeightsFile) -> str:
    return (
        f"put {file.filename} into {weights_dir()} (or the folder named by {WEIGHTS_DIR_VARIABLE}), "
        "or pass checkpoint=<path>"
    )
