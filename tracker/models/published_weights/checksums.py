"""Is a file the one that its name says? By what the server promised, what was received, and known checksums."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from ...errors import CheckpointError, OptionError
from .files import WeightsFile

_BLOCK_BYTES = 2**20
_RECORD_SUFFIX = ".sha256"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The checksum of a file's content, in hexadecimal digits."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as content:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def is_sha256(text: str | None) -> bool:
    """Whether a text is such a checksum, in small hexadecimal digits."""
    return text is not None and _SHA256.fullmatch(text) is not None


def record_checksum(path: Path, digest: str) -> None:
    """Notes a file's sha256 beside it, in the form that `sha256sum --check` reads."""
    _record_of(path).write_text(f"{digest}  {path.name}\n")


def recorded_checksum(path: Path) -> str | None:
    """The sha256 that was noted beside a file when it was downloaded; None where there is none."""
    try:
        found = _record_of(path).read_text().partition(" ")[0].strip()
    except (OSError, UnicodeDecodeError):
        return None
    return found if is_sha256(found) else None


def judge_weights(
    path: Path,
    tracker: str,
    published: Mapping[str, WeightsFile],
    *,
    same_tensors: Collection[str] = (),
    flavour: str | None = None,
) -> list[str]:
    """Whether a file holds the weights of the tracker it is loaded as.

    The tensors say most of it when they are loaded; this is about what they cannot say.

    Args:
        path: of the file
        tracker: it is loaded as
        published: the files of all trackers, by tracker
        same_tensors: other trackers whose files have tensors of the same names and shapes
        flavour: what the user says the file is; None = nothing

    Returns:
        warnings for the user

    Raises:
        CheckpointError: if it has changed since it was downloaded, or is known to be another tracker's
        OptionError: if `flavour` names another tracker
    """
    _check_flavour(tracker, same_tensors, flavour)
    digest, recorded = digest_of(path), recorded_checksum(path)
    if recorded is not None and recorded != digest:
        raise CheckpointError(
            f"{path} has changed since it was downloaded: its checksum is {digest}, not {recorded}. Remove it and "
            f"{_record_of(path).name}, and fetch it again"
        )
    owners = [name for name, file in published.items() if file.sha256 == digest]
    if tracker in owners:
        return []
    warnings = []
    for owner in owners:
        file = published[owner]
        if file.sha256_verified:
            raise CheckpointError(
                f"{path} is {file.filename}, which holds weights of {owner!r}, not of {tracker!r}. "
                f"Load it with load_tracker({owner!r}, checkpoint=...)"
            )
        warnings.append(
            f"{path.name} has the checksum that others name for {file.filename} of {owner!r}; it was loaded as "
            f"{tracker!r}, as asked"
        )
    own = published.get(tracker)
    if own is not None and own.sha256 is not None and path.name == own.filename:
        whose = "the published file has" if own.sha256_verified else "others name for the published file"
        warnings.append(f"{path.name} does not have the checksum that {whose}: {digest} instead of {own.sha256}")
    if same_tensors and flavour is None and recorded is None:
        others = ", ".join(repr(name) for name in same_tensors)
        warnings.append(
            f"Weights of {tracker!r} and of {others} cannot be told apart by their tensors: {path.name} was taken "
            f"for {tracker!r}. Loaded as what it is not, it gives wrong tracks without an error. If it is what you "
            f"say, say so by the option flavour ({tracker!r})"
        )
    return warnings


def _check_flavour(tracker: str, same_tensors: Collection[str], flavour: object) -> None:
    if flavour is None or flavour == tracker:
        return
    if flavour in same_tensors:
        raise OptionError(
            f"Invalid flavour ({flavour!r}) for the tracker {tracker!r}. Load such a file with "
            f"load_tracker({flavour!r}, checkpoint=...)"
        )
    raise OptionError(f"Invalid flavour ({flavour!r}). Supported values are {tracker!r} and None")


def _record_of(path: Path) -> Path:
    return path.with_name(path.name + _RECORD_SUFFIX)
