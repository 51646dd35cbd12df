"""The points that an evaluation asks for, as queries for a tracker."""

from __future__ import annotations

from fiftyone.core.collections import SampleCollection

from ...store.labels.known_tracks import GT_FIELD, check_keypoints_field, is_sparse, read_known_tracks
from ...store.tracks.videos import check_collection
from ...tracker.errors import TruthError
from ...tracker.metrics.truth import QueryMode, check_query_mode, queries_of


def truth_queries(
    samples: SampleCollection,
    gt_field: str = GT_FIELD,
    *,
    query_mode: QueryMode = "first",
    sparse: bool | None = None,
) -> dict[str, list[tuple[int, float, float]]]:
    """The points that an evaluation asks for: `track_dataset(samples, points=truth_queries(samples))`.

    Args:
        samples: a video dataset or view
        gt_field: frame field with known tracks
        query_mode: "first": each point where it is visible first; "strided": in
            every 5th frame in which it is visible (track these with backward=True)
        sparse: as for `evaluate_dataset`

    Returns:
        sample id -> [(frame index, x, y in pixels)], ordered by point, then by frame;
        samples without known tracks are left out

    Raises:
        CollectionError: if the collection holds no videos
        FieldError: if the field does not exist or does not form tracks
        OptionError: for an unknown query mode
    """
    check_collection(samples)
    check_query_mode(query_mode)
    check_keypoints_field(samples._dataset, gt_field)
    dataset = samples._dataset
    found = {}
    for sample_id in samples.values("id"):
        try:
            known = read_known_tracks(
                samples, sample_id, gt_field, sparse=is_sparse(dataset, sample_id, gt_field, sparse)
            )
        except TruthError:
            continue
        truth, _ = known.queried(query_mode)
        queries = queries_of(truth)
        found[sample_id] = [(int(t), float(x), float(y)) for t, (x, y) in zip(queries.t, queries.xy, strict=True)]
    return found
