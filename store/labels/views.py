"""What a view shows of its samples' labels: it chooses prompts, masks and truth, and nothing else of a run.

A run asks sample by sample. A view is not asked again as a whole each time, since sorting or matching all samples
for one of them would cost as much as the run: only those of its stages are, that change what is seen within a sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo
from fiftyone.core import stages
from fiftyone.core.collections import SampleCollection

from ..tracks.videos import select_videos

# they choose or order samples, or hide whole fields, which a run that names a field has no use for
_BETWEEN_SAMPLES = (
    *(stages.Exclude, stages.ExcludeBy, stages.ExcludeFields, stages.ExcludeGroups, stages.ExcludeGroupSlices),
    *(stages.Exists, stages.GeoNear, stages.GeoWithin, stages.Limit, stages.Match, stages.MatchLabels),
    *(stages.MatchTags, stages.Select, stages.SelectBy, stages.SelectFields, stages.SelectGroups),
    *(stages.SelectGroupSlices, stages.Shuffle, stages.Skip, stages.SortBy, stages.SortBySimilarity, stages.Take),
)
_WITHIN_SAMPLES = (
    *(stages.ExcludeFrames, stages.ExcludeLabels, stages.FilterField, stages.FilterKeypoints, stages.FilterLabels),
    *(stages.LimitLabels, stages.MapLabels, stages.MapValues, stages.MatchFrames, stages.SelectFrames),
    *(stages.SelectLabels, stages.SetField),
)


def shown_samples(samples: SampleCollection, sample_ids: str | Sequence[str]) -> fo.DatasetView:
    """Some samples with the labels that a collection shows of them.

    Args:
        samples: a dataset or view
        sample_ids: of one sample or several of it

    Returns:
        a view of these samples, with every field of the dataset
    """
    dataset, chosen = samples._dataset, []
    for stage in _stages(samples):
        if isinstance(stage, _WITHIN_SAMPLES):
            chosen.append(stage)
        elif not isinstance(stage, _BETWEEN_SAMPLES):
            return samples.select(sample_ids)
    view = select_videos(dataset, sample_ids)
    for stage in chosen:
        view = view.add_stage(stage)
    return view


def hides_labels(samples: SampleCollection) -> bool:
    """Whether a collection may show less of a sample's labels than its dataset holds."""
    return any(not isinstance(stage, _BETWEEN_SAMPLES) for stage in _stages(samples))


def hides_frames(samples: SampleCollection) -> bool:
    """Whether a collection may show fewer frames of a sample than its dataset holds."""
    hiding = (stages.ExcludeFrames, stages.MatchFrames, stages.SelectFrames)
    return any(isinstance(stage, hiding) for stage in _stages(samples))


def view_document(samples: SampleCollection) -> list[dict[str, Any]]:
    """The stages of a collection as plain values, for a process elsewhere; none of a dataset."""
    return [stage._serialize() for stage in _stages(samples)]


def view_from_document(dataset: fo.Dataset, document: Sequence[Mapping[str, Any]]) -> SampleCollection:
    """The inverse of `view_document`.

    Args:
        dataset: of the collection
        document: its stages
    """
    view: SampleCollection = dataset
    for stage in document:
        view = view.add_stage(stages.ViewStage._from_dict(dict(stage)))
    return view


def _stages(samples: SampleCollection) -> Sequence[stages.ViewStage]:
    return samples._stages if isinstance(samples, fo.DatasetView) else ()
