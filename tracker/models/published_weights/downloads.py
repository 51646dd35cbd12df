"""Fetching a published file: from the Hugging Face hub, or from any server by https.

What was received is kept where a connection breaks, and the next attempt goes on from there. A file gets its name
only once its size and the server's checksum were right; our own sha256 is noted beside it.
"""

from __future__ import annotations

import base64
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DependencyError, WeightsError
from .checksums import digest_of, is_sha256, record_checksum
from .files import HubSource, WebSource, WeightsFile

if TYPE_CHECKING:
    from email.message import Message

_BLOCK_BYTES = 2**20
_BYTES_PER_MB = 10**6
_TIMEOUT_S = 60
_PART_SUFFIX = ".part"
_ETAG_SUFFIX = ".etag"
_PARTIAL_CONTENT = 206
_RANGE_REFUSED = 416
_TRANSPORT_ERRORS = ("HTTPError", "RequestException")
_OFFLINE_VARIABLE = "HF_HUB_OFFLINE"
_OFF = ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Promise:
    """What a server says of a file it sends.

    Args:
        size: bytes; None where it does not say
        digests: algorithm -> hexadecimal digits
    """

    size: int | None
    digests: dict[str, str]


def may_download() -> bool:
    """Whether this machine may fetch files: unless HF_HUB_OFFLINE keeps it offline, whatever the server."""
    return os.environ.get(_OFFLINE_VARIABLE, "").strip().lower() in _OFF


def download(file: WeightsFile, folder: Path, *, tracker: str, by_hand: str) -> Path:
    """Fetches a file.

    Args:
        file: its source and what is known of its content
        folder: to put it into; exists
        tracker: that needs it, for messages
        by_hand: how to do without a download, for messages

    Returns:
        its path

    Raises:
        WeightsError: if it cannot be fetched, there is no room for it, or it is not what the server promised
        DependencyError: if huggingface_hub is needed and not installed
    """
    from filelock import FileLock

    if not may_download():
        raise WeightsError(
            f"The weights of {tracker!r} are not on this machine, and {_OFFLINE_VARIABLE} keeps it offline. They are "
            f"{file.description}. Unset {_OFFLINE_VARIABLE}, or {by_hand}"
        )
    target = folder / file.filename
    try:
        with FileLock(folder / f".{file.filename}.lock"):  # two processes would write one part
            if target.is_file():
                return target
            _check_room(file, folder, by_hand)
            fetch = _from_hub if isinstance(file.source, HubSource) else _from_web
            fetched, promise = fetch(file, folder, tracker, by_hand)
            digest = _check_content(fetched, promise, file, by_hand)
            record_checksum(target, digest)
            if fetched != target:
                fetched.replace(target)
                _etag_of(fetched).unlink(missing_ok=True)
    except WeightsError:
        raise
    except OSError as error:  # the folder cannot be written, or is full
        raise _failed(error, file, tracker, by_hand) from error
    return target


def _check_room(file: WeightsFile, folder: Path, by_hand: str) -> None:
    part = folder / (file.filename + _PART_SUFFIX)
    needed = file.size_mb * _BYTES_PER_MB - (part.stat().st_size if part.is_file() else 0)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise WeightsError(
            f"There is no room for {file.filename} ({file.size_mb:g} MB) in {folder}: {free / _BYTES_PER_MB:.0f} MB "
            f"are free. Free space there, or {by_hand}"
        )


def _failed(error: Exception, file: WeightsFile, tracker: str, by_hand: str) -> WeightsError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return WeightsError(
        f"The weights of {tracker!r} could not be downloaded: {reason}. They are {file.description}. "
        f"Try again (what was received is kept), or {by_hand}"
    )


def _check_content(path: Path, promise: Promise, file: WeightsFile, by_hand: str) -> str:
    """Refuses, and removes, a file that is not what the server said; returns its sha256."""
    found = path.stat().st_size
    problem = f"it has {found} bytes instead of {promise.size}" if promise.size not in (None, found) else None
    digest = digest_of(path)
    promised = dict(promise.digests)
    if problem is None and any(
        (digest if name == "sha256" else digest_of(path, name)) != value for name, value in promised.items()
    ):
        problem = "its checksum is not the one that the server names"
    if problem is None and file.sha256_verified and file.sha256 != digest:
        problem = f"its checksum is {digest} instead of {file.sha256}"
    if problem is not None:
        path.unlink()
        _etag_of(path).unlink(missing_ok=True)
        raise WeightsError(
            f"The downloaded file {file.filename} is damaged: {problem}. It was removed. Try again, or {by_hand}"
        )
    return digest


# -- the hub


def _from_hub(file: WeightsFile, folder: Path, tracker: str, by_hand: str) -> tuple[Path, Promise]:
    source = file.source
    assert isinstance(source, HubSource)
    try:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
    except ImportError as error:
        raise DependencyError(
            "Downloading weights needs huggingface_hub >= 1.0. Install it with `pip install -U huggingface_hub`, "
            f"or {by_hand}"
        ) from error
    # the hub client changes its HTTP library between versions; its own error derives from that library's base
    network: list[type[Exception]] = [HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError]
    network += [base for base in HfHubHTTPError.__mro__ if base.__name__ in _TRANSPORT_ERRORS]
    which: dict[str, Any] = {
        "repo_type": source.kind,
        "revision": source.revision,
        "endpoint": os.environ.get("HF_ENDPOINT") or None,
    }
    try:
        metadata = get_hf_file_metadata(hf_hub_url(source.repository, source.path, **which))
        path = Path(hf_hub_download(source.repository, source.path, local_dir=folder, **which))
    except tuple(network) as error:
        raise _failed(error, file, tracker, by_hand) from error
    digests = {"sha256": metadata.etag} if metadata.etag is not None and is_sha256(metadata.etag) else {}
    return path, Promise(metadata.size, digests)


# -- any server


def _from_web(file: WeightsFile, folder: Path, tracker: str, by_hand: str) -> tuple[Path, Promise]:
    from http.client import HTTPException

    source = file.source
    assert isinstance(source, WebSource)
    part = folder / (file.filename + _PART_SUFFIX)
    try:
        return part, _receive(source.url, part)
    except (OSError, HTTPException) as error:
        raise _failed(error, file, tracker, by_hand) from error


def _receive(url: str, part: Path) -> Promise:
    """Writes what is missing of a file to its part.

    Raises:
        OSError, HTTPException: if the server refuses, or the connection breaks
    """
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    have, etag = (part.stat().st_size if part.is_file() else 0), _read_etag(part)
    headers = {"Range": f"bytes={have}-", "If-Range": etag} if have and etag else {}
    try:
        answer = urlopen(Request(url, headers=headers), timeout=_TIMEOUT_S)  # an address that is declared in our code
    except HTTPError as error:
        if error.code != _RANGE_REFUSED:
            raise
        part.unlink()  # what is here is no beginning of what the server has
        answer = urlopen(Request(url), timeout=_TIMEOUT_S)
    with answer:
        goes_on = answer.status == _PARTIAL_CONTENT and _starts_at(answer.headers) == have
        start = have if goes_on else 0
        if answer.headers.get("ETag"):
            _etag_of(part).write_text(answer.headers["ETag"])
        length = answer.headers.get("Content-Length")
        size = None if length is None else start + int(length)
        with part.open("ab" if goes_on else "wb") as out:
            while block := answer.read(_BLOCK_BYTES):
                out.write(block)
    if size is not None and part.stat().st_size < size:
        raise ConnectionError(f"the connection broke after {part.stat().st_size} of {size} bytes")
    return Promise(size, _digests(answer.headers))


def _starts_at(headers: Message) -> int | None:
    """The first byte of a partial answer."""
    words = (headers.get("Content-Range") or "").removeprefix("bytes ").partition("-")[0]
    return int(words) if words.isdigit() else None


def _digests(headers: Message) -> dict[str, str]:
    """Checksums of the whole file that a server names: Google's storage, or as RFC 9530 and its predecessor."""
    lines = [(line, "md5", "md5") for line in headers.get_all("x-goog-hash", [])]
    for name in ("Repr-Digest", "Digest"):
        lines += [(line, "sha-256", "sha256") for line in headers.get_all(name, [])]
    found = {}
    for line, wanted, algorithm in lines:
        for entry in line.split(","):
            name, _, value = entry.strip().partition("=")
            if name.lower() == wanted:
                try:
                    found[algorithm] = base64.b64decode(value.strip(":"), validate=True).hex()
                except ValueError:
                    continue  # not what it says it is: as if nothing were said
    return found


def _etag_of(part: Path) -> Path:
    return part.with_name(part.name + _ETAG_SUFFIX)


def _read_etag(part: Path) -> str | None:
    path = _etag_of(part)
    found = path.read_text().strip() if path.is_file() else ""
    return found if found and not found.startswith("W/") else None  # weak ones must not be used for ranges
