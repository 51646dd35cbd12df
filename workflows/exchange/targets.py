"""What the files of an export are of: samples, or the sources that they were made from."""

from __future__ import annotations

from dataclasses import dataclass

from fiftyone.core.collections import SampleCollection

from ...store.tracks.source_links import FILEPATH, SourceLink, read_source_links


@dataclass(frozen=True)
class ExportTarget:
    """What a file is of: a sample of the collection, or the source that it was made from.

    Args:
        sample_id: of the sample that holds the tracks
        named_id, named_path: id and path of what the file is named after
        link: to the source; None where the file is of the sample itself
    """

    sample_id: str
    named_id: str
    named_path: str
    link: SourceLink | None = None


def export_targets(samples: SampleCollection, frames: str) -> list[ExportTarget]:
    """What the files of an export are of, one per sample.

    Args:
        samples: a dataset or view
        frames: "video", or "source" for the originals that preprocessed copies were made from

    Raises:
        CollectionError: if sources are asked for and there are no copies
    """
    pairs = list(zip(*samples.values(["id", "filepath"]), strict=True))
    if frames == "video":
        return [ExportTarget(sample_id, sample_id, path) for sample_id, path in pairs]
    links = read_source_links(samples, FILEPATH)
    return [
        ExportTarget(i, links[i].sample_id, links[i].filepath, links[i]) if i in links else ExportTarget(i, i, path)
        for i, path in pairs
    ]
