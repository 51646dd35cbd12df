"""The formats that tracks are exported to and imported from.

Adding one: its layout in `tracker.formats`, a module here with two functions like those of `cvat`, and a line in
`FORMATS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fiftyone.core.collections import SampleCollection

from ...store.runs.outcomes import FAILED
from ...tracker.errors import OptionError, PointTrackingError
from . import cvat
from .files import SampleFile
from .report import FileOutcome


class Export(Protocol):
    """Writes one sample's file."""

    def __call__(
        self, samples: SampleCollection, one: SampleFile, fields: Sequence[str], *, overwrite: bool
    ) -> FileOutcome: ...


class Import(Protocol):
    """Reads one sample's file."""

    def __call__(
        self,
        samples: SampleCollection,
        one: SampleFile,
        fields: str | Mapping[str, str] | None,
        *,
        overwrite: bool,
        fill: bool,
    ) -> FileOutcome: ...


@dataclass(frozen=True)
class ExchangeFormat:
    """A format and what reads and writes it.

    Args:
        suffix: what its files end in
        export_file, import_file: of one sample
    """

    suffix: str
    export_file: Export
    import_file: Import


FORMATS: Mapping[str, ExchangeFormat] = {"cvat": ExchangeFormat(cvat.SUFFIX, cvat.export_cvat, cvat.import_cvat)}


def format_of(name: str) -> ExchangeFormat:
    """A format by its name.

    Raises:
        OptionError: for an unknown one
    """
    if name not in FORMATS:
        raise OptionError(f"Invalid format ({name!r}). Supported values are {', '.join(FORMATS)}")
    return FORMATS[name]


def failed_outcome(one: SampleFile, error: PointTrackingError) -> FileOutcome:
    """A file that could not be written or read."""
    return FileOutcome(
        str(one.path), one.sample_id, one.media_path, FAILED, kind=type(error).__name__, message=str(error)
    )
