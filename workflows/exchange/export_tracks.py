"""Tracks out to files of other programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fiftyone.core.collections import SampleCollection

from ...store.runs.outcomes import FAILED
from ...store.tracks.videos import check_collection
from ...tracker.errors import OptionError, PointTrackingError
from ...tracker.formats.output_files import check_free
from .files import planned_files, write_index
from .formats import failed_outcome, format_of
from .report import ExchangeReport


def export_tracks(
    samples: SampleCollection,
    field: str | Sequence[str],
    path: str | os.PathLike[str],
    *,
    format: str = "cvat",
    overwrite: bool = False,
) -> ExchangeReport:
    """Writes point tracks, boxes and polylines to files of another program.

    Args:
        samples: a video dataset or view; labels that a view hides are not written
        field: a frame field, or several into the same file: point tracks of any layout, Keypoints, Detections or
            Polylines; "frames." may be left out
        path: with the format's suffix one file, for one sample; without a suffix a folder with one file per sample
            and an `index.json`
        format: "cvat", CVAT for video 1.1 (.xml)
        overwrite: replace files that are there

    Returns:
        the report; `print(report)` says what was written, and what the format cannot hold. In a folder a sample that
        fails is a failure of the report, and the others go on

    Raises:
        CollectionError: if the collection holds no videos or no samples, or one file is to hold several
        OptionError: for an unknown format or suffix
        FieldError: for fields that do not exist or hold something else
        FormatError: for labels that the format cannot hold at all
        OutputExistsError: if a file exists, and replacing it was not asked for
        OutputError: if a file cannot be written; nothing half written is left
    """
    check_collection(samples)
    chosen = format_of(format)
    fields = [field] if isinstance(field, str) else list(field)
    if not fields or len(set(fields)) < len(fields):
        raise OptionError(f"Invalid field ({field!r}). Expected a frame field, or several different ones")
    pairs = list(zip(*samples.values(["id", "filepath"]), strict=True))
    planned = planned_files(path, chosen.suffix, pairs)
    for one in planned:
        check_free(one.path, overwrite=overwrite)
    report = ExchangeReport(format, "exported")
    if Path(path).suffix:
        report.outcomes.append(chosen.export_file(samples, planned[0], fields, overwrite=overwrite))
        return report
    for one in planned:
        try:
            report.outcomes.append(chosen.export_file(samples, one, fields, overwrite=overwrite))
        except PointTrackingError as error:
            report.outcomes.append(failed_outcome(one, error))
    done = {outcome.path for outcome in report.outcomes if outcome.status != FAILED}
    write_index(Path(path), format, [one for one in planned if str(one.path) in done])
    return report
