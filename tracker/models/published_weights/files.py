"""A file of weights as its authors publish it: its source, its size and its terms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from .terms import NOT_STATED, use_allowed

HUB = "https://huggingface.co"


@dataclass(frozen=True)
class HubSource:
    """A file of a repository on the Hugging Face hub.

    Args:
        repository: "owner/name"
        path: of the file in it
        kind: "model" or "dataset"
        revision: branch, tag or commit
    """

    repository: str
    path: str
    kind: Literal["model", "dataset"] = "model"
    revision: str = "main"

    @property
    def page(self) -> str:
        """Where a person can look at it."""
        return f"{HUB}/{'datasets/' if self.kind == 'dataset' else ''}{self.repository}"

    @property
    def url(self) -> str:
        """Where the file itself is, for machines that fetch it by other means."""
        return f"{self.page}/resolve/{self.revision}/{self.path}"


@dataclass(frozen=True)
class WebSource:
    """A file at an address.

    Args:
        url: of the file
        page: where a person can look at it; "" = the address
    """

    url: str
    page: str = ""

    @property
    def path(self) -> str:
        """What the address ends with."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class WeightsFile:
    """A published file of weights and its terms.

    Args:
        family: folder it is kept in, below that of all weights
        source: where it is published
        size_mb: its size in MB (10 ** 6 bytes)
        license: SPDX name; None where the authors state none
        license_url: where its text stands, or where somebody says what it is
        commercial_use: whether that allows it; None where the authors do not say
        name: it is kept under; "" = as it is published
        sha256: of the content, in hexadecimal digits, None where it is not known; what
            the server says of the file it sends is checked in any case
        sha256_verified: whether we have had a file with that checksum in hand; else others name it
        notes: what else a user must know of the terms, e.g. of the data it was trained on
        formerly_flat: whether earlier versions kept it in the folder of all weights
    """

    family: str
    source: HubSource | WebSource
    size_mb: float
    license: str | None
    license_url: str
    commercial_use: bool | None
    name: str = ""
    sha256: str | None = None
    sha256_verified: bool = False
    notes: str = ""
    formerly_flat: bool = False

    @property
    def filename(self) -> str:
        """The name it is kept under."""
        return self.name or PurePosixPath(self.source.path).name

    @property
    def spdx(self) -> str:
        """The licence as part of an SPDX expression."""
        return self.license or NOT_STATED

    @property
    def published_at(self) -> str:
        """Where it is published, in words."""
        page = self.source.page or self.source.url
        return f"{page.removeprefix('https://')}, {self.filename}"

    @property
    def place(self) -> str:
        """Which file it is, in words."""
        return f"{self.filename} of {self.source.page or self.source.url} ({self.size_mb:g} MB)"

    @property
    def description(self) -> str:
        """Which file it is and its terms, in words."""
        terms = f"under {self.license}" if self.license else "without a licence stated by its authors"
        notes = f". {self.notes}" if self.notes else ""
        return f"the file {self.place}, {terms} ({self.license_url}): {use_allowed(self.commercial_use)}{notes}"
