"""Taking back what a run wrote: the tracks of the samples whose mark names it, and nothing else."""

from __future__ import annotations

import fiftyone as fo

from ...store.database.claims import FILLING, Claims, check_free
from ...store.database.connection import changing_document
from ...store.database.fields import FRAMES_PREFIX, info_field_of, is_ours
from ...store.database.frame_documents import MARK_WRITING, FrameStore, ranges_of
from ...store.database.liveness import Owner
from ...store.runs.outcomes import count_of
from ...store.runs.records import known_runs, record_of
from ...store.tracks.videos import videos_of
from ...tracker.errors import OptionError
from ..lifecycle.kinds import TRACKING_METHOD, TakeBack, TakenBack
from ..lifecycle.run import check_over, run_environment
from ..lifecycle.sidebar import group_notes


def samples_of_run(dataset: fo.Dataset, run_key: str) -> list[str]:
    """The samples that hold tracks of a run: their marks name it.

    Args:
        dataset: that keeps the run
        run_key: of its record

    Raises:
        OptionError: if there is no tracking run of that key
    """
    label_field = _label_field(dataset, run_key)
    if not is_ours(dataset, label_field):
        return []
    return videos_of(dataset).match(fo.ViewField(f"{info_field_of(label_field)}.run_key") == run_key).values("id")


def delete_tracks(dataset: fo.Dataset, run_key: str) -> int:
    """Deletes the tracks that a run wrote, with their marks and its record; the fields too, where they are empty then.

    Labels that no run made, and tracks of other runs in the same field, stay. A process that
    dies in the middle leaves samples that are whole or empty, at the latest after the next run.

    Args:
        dataset: that keeps the run
        run_key: of its record

    Returns:
        the number of samples whose tracks were deleted

    Raises:
        OptionError: if there is no tracking run of that key, or it is still at work
        ClaimError: if another run is writing one of the samples
        DatabaseError: if the database stays away, or lets this user only read
    """
    label_field = _label_field(dataset, run_key)
    with run_environment(dataset), Owner(dataset, None) as owner:
        check_over(dataset, run_key, "its tracks")
        claims = Claims(FrameStore(dataset, label_field), owner)
        ids = samples_of_run(dataset, run_key)
        for sample_id in ids:
            _delete_sample(claims, sample_id)
        with changing_document:
            dataset.delete_run(run_key)
            _remove_empty_fields(dataset, label_field)
        if dataset.app_config.sidebar_groups is not None:
            group_notes(dataset)
    return len(ids)


def _label_field(dataset: fo.Dataset, run_key: str) -> str:
    if run_key not in known_runs(dataset) or record_of(dataset, run_key)["method"] != TRACKING_METHOD:
        raise OptionError(f"There is no run {run_key!r} that tracked points in this dataset")
    return record_of(dataset, run_key)["label_field"]


def _delete_sample(claims: Claims, sample_id: str) -> None:
    check_free(claims.take(sample_id))
    store = claims.store
    try:
        found, mark = store.find(sample_id), store.mark(sample_id)
        if found is None or mark is None:
            return
        # from here on, whoever comes after a death takes the rest back
        claims.advance(sample_id, FILLING, frames_before=ranges_of(found.numbers))
        store.set_mark(sample_id, {**mark, "state": MARK_WRITING})
        store.clear(sample_id, keep=ranges_of(found.numbers))
        store.set_mark(sample_id, None)
        store.drop_replaced(sample_id)
        store.refresh(sample_id)
    finally:
        claims.release(sample_id)


def _remove_empty_fields(dataset: fo.Dataset, label_field: str) -> None:
    dataset.reload()
    info = info_field_of(label_field)
    if not is_ours(dataset, label_field):
        return
    videos = videos_of(dataset)
    if videos.count(f"{info}.state") or videos.count(f"{FRAMES_PREFIX}{label_field}.keypoints"):
        return
    dataset.delete_sample_field(info)
    dataset.delete_frame_field(label_field)


def _tracks_of(count: int) -> TakenBack:
    return TakenBack(f"the tracks of {count_of(count, 'sample')}")


TAKE_BACK = TakeBack(
    "tracks",
    plan=lambda dataset, run_key: _tracks_of(len(samples_of_run(dataset, run_key))),
    delete=lambda dataset, run_key: _tracks_of(delete_tracks(dataset, run_key)),
)
