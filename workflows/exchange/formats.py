"""What reads and writes a sample for each format: labels of any kind through `shapes`, point tracks through `clips`.

Adding a format of point tracks needs nothing here: the recipe is in `tracker.formats.registry`. One of labels gets a
module in `shapes` with two functions like those of `cvat`, and a line in `LABEL_FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fiftyone.core.collections import SampleCollection

from ...store.runs.outcomes import FAILED, NOT_RUN
from ...tracker.errors import PointTrackingError
from .files import SampleFile
from .options import ExportOptions, ImportOptions
from .report import FileOutcome
from .shapes.cvat import export_cvat, import_cvat
from .shapes.mot import export_mot, import_mot
from .targets import ExportTarget


class ExportLabels(Protocol):
    """Reads one sample's labels; what it returns writes them."""

    def __call__(
        self,
        samples: SampleCollection,
        one: SampleFile,
        target: ExportTarget,
        fields: Sequence[str],
        options: ExportOptions,
    ) -> Callable[[], FileOutcome]: ...


class ImportLabels(Protocol):
    """Reads one sample's file."""

    def __call__(self, samples: SampleCollection, one: SampleFile, options: ImportOptions) -> FileOutcome: ...


@dataclass(frozen=True)
class LabelFormat:
    """A format of labels of any kind.

    Args:
        prepare, import_file: of one sample
    """

    prepare: ExportLabels
    import_file: ImportLabels


LABEL_FORMATS: Mapping[str, LabelFormat] = {
    "cvat": LabelFormat(export_cvat, import_cvat),
    "mot": LabelFormat(export_mot, import_mot),
}


def failed_outcome(one: SampleFile, error: PointTrackingError) -> FileOutcome:
    """A file that could not be written or read."""
    return FileOutcome(
        str(one.path), one.sample_id, one.media_path, FAILED, kind=type(error).__name__, message=str(error)
    )


def not_run_outcome(one: SampleFile) -> FileOutcome:
    """A file that was not reached."""
    return FileOutcome(str(one.path), one.sample_id, one.media_path, NOT_RUN)
