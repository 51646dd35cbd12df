"""The folder of weights: what lies there, which terms were accepted, and fetching what is missing.

Files lie in `<weights>/<family>/`, each with its sha256 beside it once it was downloaded.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ...errors import LicenseError, OptionError, WeightsError
from .downloads import download
from .files import HubSource, WeightsFile

WEIGHTS_DIR_VARIABLE = "POINT_TRACKING_WEIGHTS_DIR"

_CONSENT_FILE = "accepted-licenses.json"


def weights_dir() -> Path:
    """The folder of downloaded weights: $POINT_TRACKING_WEIGHTS_DIR, or one in the user's cache."""
    given = os.environ.get(WEIGHTS_DIR_VARIABLE)
    if given:
        return Path(given).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "point_tracking"


def find_weights(file: WeightsFile) -> Path | None:
    """The local copy of a published file, as .safetensors or as it was published; None where there is none."""
    folders = [weights_dir() / file.family, *([weights_dir()] if file.formerly_flat else [])]
    names = (Path(file.filename).with_suffix(".safetensors"), Path(file.filename))
    candidates = (folder / name for folder in folders for name in names)
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
        WeightsError: if the download fails, there is no room for it, or its content is damaged
        DependencyError: if huggingface_hub is needed and not installed
        OptionError: if `accept_license` is neither True nor False
    """
    if not isinstance(accept_license, bool):
        raise OptionError(f"Invalid accept_license ({accept_license!r}). Supported values are True and False")
    found = find_weights(file)
    if found is not None:
        return found
    try:
        if accept_license:
            remember_consent(file)
        if not has_consent(file):
            raise LicenseError(
                f"The weights of {tracker!r} are not on this machine. They are {file.description}. To accept these "
                f"terms and download the file, pass accept_license=True; or {_by_hand(file)}"
            )
        folder = weights_dir() / file.family
        folder.mkdir(parents=True, exist_ok=True)
    except LicenseError:
        raise
    except OSError as error:
        raise WeightsError(
            f"Weights cannot be written to {weights_dir()}: {error.strerror or error}. Name another folder in "
            f"{WEIGHTS_DIR_VARIABLE}, or pass checkpoint=<path>"
        ) from error
    return download(file, folder, tracker=tracker, by_hand=_by_hand(file))


def weights_path(
    checkpoint: str | os.PathLike[str] | None, file: WeightsFile, *, tracker: str, accept_license: bool
) -> Path:
    """The file that a tracker is to be loaded from: the user's, or the published one.

    Args:
        checkpoint: the user's; None = the published one
        file, tracker, accept_license: as of `fetch_weights`

    Raises:
        the errors of `fetch_weights`
    """
    if checkpoint is not None:
        return Path(checkpoint).expanduser()
    return fetch_weights(file, tracker=tracker, accept_license=accept_license)


def has_consent(file: WeightsFile) -> bool:
    """Whether the terms of a file were accepted on this machine."""
    accepted = _consents().get(file.spdx, [])
    # earlier versions asked once for all files of a repository
    whole = file.formerly_flat and isinstance(file.source, HubSource) and file.source.repository in accepted
    return whole or _key(file) in accepted


def remember_consent(file: WeightsFile) -> None:
    """Notes that the terms of a file are accepted: of this file, under this licence."""
    consents = _consents()
    if _key(file) not in consents.setdefault(file.spdx, []):
        consents[file.spdx].append(_key(file))
        weights_dir().mkdir(parents=True, exist_ok=True)
        (weights_dir() / _CONSENT_FILE).write_text(json.dumps(consents, indent=2))


def _key(file: WeightsFile) -> str:
    return f"{file.family}/{file.filename}"


def _consents() -> dict[str, list[str]]:
    path = weights_dir() / _CONSENT_FILE
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text())
    except (ValueError, OSError):
        return {}  # damaged: as if nothing had been accepted
    if not isinstance(content, dict):
        return {}
    return {key: list(value) for key, value in content.items() if isinstance(value, list)}


def _by_hand(file: WeightsFile) -> str:
    return (
        f"put {file.filename} into {weights_dir() / file.family} (the folder {file.family} of the one named by "
        f"{WEIGHTS_DIR_VARIABLE}), or pass checkpoint=<path>"
    )
