"""Samples that a run finished in the second before its process, or a worker, died: their marks tell."""

from __future__ import annotations

import fiftyone as fo

from ...store.database.fields import info_field_of, is_ours
from ...store.database.frame_documents import MARK_DONE
from ...store.runs.outcomes import DONE, Outcome
from ...store.tracks.videos import videos_of


def marked_outcomes(dataset: fo.Dataset, label_field: str, run_key: str, *, onto_source: bool) -> list[Outcome]:
    """What became of the samples that carry a run's mark.

    Args:
        dataset: that tracks were written to
        label_field: the run wrote
        run_key: of its record
        onto_source: whether it wrote tracks of copies onto their sources

    Returns:
        outcomes, as far as marks tell; none of runs onto sources, whose outcomes have the ids of the copies
    """
    info = info_field_of(label_field)
    if not is_ours(dataset, label_field) or onto_source:
        return []
    of_run = (fo.ViewField(f"{info}.run_key") == run_key) & (fo.ViewField(f"{info}.state") == MARK_DONE)
    view = videos_of(dataset).match(of_run)
    names = ("num_points", "num_frames", "num_keypoints")
    columns = view.values(["id", "filepath", *(f"{info}.{name}" for name in names)])
    return [
        Outcome(sample_id, filepath, DONE, **dict(zip(names, counts, strict=True)))
        for sample_id, filepath, *counts in zip(*columns, strict=True)
    ]
