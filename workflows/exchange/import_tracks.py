"""Tracks in from files of other programs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from fiftyone.core.collections import SampleCollection

from ...store.tracks.videos import check_collection
from ...tracker.errors import PointTrackingError
from .files import found_files
from .formats import failed_outcome, format_of
from .report import ExchangeReport


def import_tracks(
    samples: SampleCollection,
    field: str | Mapping[str, str] | None,
    path: str | os.PathLike[str],
    *,
    format: str = "cvat",
    overwrite: bool = False,
    interpolate: bool = True,
) -> ExchangeReport:
    """Reads files of another program into frame fields of the samples that they are of.

    A file is matched by the folder's `index.json` or the id in its name, then by the video's name; one file for one
    sample needs no match.

    Args:
        samples: a video dataset or view
        field: where to put what a file holds: None = as the file says, which files of `export_tracks` do; those of
            others fill "tracks" (single points), "keypoints", "boxes" and "polylines". A name, where a file holds one
            field only; or what the file calls them -> names
        path: of a file, or of a folder of files
        format: "cvat", CVAT for video 1.1 (.xml), written by `export_tracks`, CVAT or FiftyOne
        overwrite: replace what the fields hold for these samples; hand labels in a field of tracks are never replaced
        interpolate: frames between the file's keyframes are filled, as the program draws them; such labels carry
            `interpolated=True`, points do not

    Returns:
        the report; `print(report)` says what was read. In a folder a file that fails is a failure of the report, and
        the others go on

    Raises:
        CollectionError: if the collection holds no videos, or it is not clear which sample a file is of
        OptionError: for an unknown format
        FormatError: for a file that is damaged, of another format or of another video; nothing of it is written
        FieldError: for fields whose name or type does not allow it
        FieldExistsError: if a field holds something, and replacing it was not asked for
    """
    check_collection(samples)
    chosen = format_of(format)
    pairs = list(zip(*samples.values(["id", "filepath"]), strict=True))
    found = found_files(path, chosen.suffix, pairs)
    report = ExchangeReport(format, "imported")
    for one in found:
        try:
            report.outcomes.append(chosen.import_file(samples, one, field, overwrite=overwrite, fill=interpolate))
        except PointTrackingError as error:
            if not Path(path).is_dir():
                raise
            report.outcomes.append(failed_outcome(one, error))
    return report
