"""Some tracks of a sample changed as one, taken back, and cut off at every single step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from mortal import Mortal
from run_states import leftovers, raw_frames, state_of
from trackers import random_tracks

import point_tracking as pt
from point_tracking.store.corrections import sample_edit
from point_tracking.store.corrections.frame_edits import Placed, edited_label, style_of
from point_tracking.store.corrections.sample_edit import (
    check_tracked,
    declare_corrections,
    edit_sample,
    restore_sample,
)
from point_tracking.store.database.claims import Claims, claimed
from point_tracking.store.database.connection import CORRECTIONS, REPLACED, collection
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.database.keys import Key
from point_tracking.store.database.liveness import Owner
from point_tracking.tracker.errors import ClaimError, FieldError, WriteError
from point_tracking.workflows.lifecycle.recovery import recover

MakeDataset = Callable[..., fo.Dataset]


def _move(number: int, index: int) -> sample_edit.Edit:
    """Corrects a track in some frames from a number on."""

    def edit(labels: Any, mark: Mapping[str, Any]) -> Any:
        style = style_of(labels, mark["layout"])
        change = {index: Placed((0.5, 0.25), 1.0, corrected=True)}
        return {n: edited_label(labels.get(n), change, style) for n in range(number, number + 4)}, {"hidden": [number]}

    return edit


@pytest.fixture
def dataset(make_dataset: MakeDataset, clip: Path, rng: np.random.Generator) -> fo.Dataset:
    """One clip with 5 tracks in 12 frames, and another label in frame 4."""
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.frames[4]["weather"] = fo.Classification(label="rain")
    sample.save()
    pt.write_tracks(sample, "tracks", random_tracks(rng, 12, 5, media.SIZE))
    declare_corrections(dataset, "tracks", "points")
    return dataset


def _kept(dataset: fo.Dataset) -> int:
    """Documents that are kept of what corrections replaced."""
    below = {"_id": Key(dataset._doc.id).below}
    return sum(collection(name).plain.count_documents(below) for name in (REPLACED, CORRECTIONS))


def test_only_what_was_named_changes_and_is_taken_back_once(dataset: fo.Dataset) -> None:
    sample_id, before = dataset.first().id, state_of(dataset)
    with claimed(dataset, "tracks", sample_id) as claims:
        assert edit_sample(dataset, sample_id, _move(3, 2), claims) == 4
        frames = raw_frames(dataset)
        for k, (old, new) in enumerate(zip(before[0], frames, strict=True)):
            others = [[k for k in frame["tracks"]["keypoints"] if k["index"] != 2] for frame in (old, new)]
            assert others[0] == others[1]
            assert (old == new) is not (2 <= k < 6)
        assert frames[3]["weather"] == before[0][3]["weather"]
        count = dataset.count("frames.tracks.keypoints")
        assert (claims.store.mark(sample_id) or {})["num_keypoints"] == count
        assert claims.store.replaced(sample_id) is not None
        assert restore_sample(dataset, sample_id, claims) == 4
        assert state_of(dataset) == before
        assert restore_sample(dataset, sample_id, claims) == 0
    assert _kept(dataset) == 0
    assert not leftovers(dataset)


def test_only_the_last_change_is_kept_and_only_until_the_next_write(
    dataset: fo.Dataset, rng: np.random.Generator
) -> None:
    sample = dataset.first()
    with claimed(dataset, "tracks", sample.id) as claims:
        edit_sample(dataset, sample.id, _move(3, 2), claims)
        between = state_of(dataset)
        kept = _kept(dataset)
        edit_sample(dataset, sample.id, _move(7, 1), claims)
        assert _kept(dataset) == kept
        restore_sample(dataset, sample.id, claims)
        assert state_of(dataset) == between
        assert claims.store.replaced(sample.id) is None, "the one before is gone"
        edit_sample(dataset, sample.id, _move(7, 1), claims)
    tracks = random_tracks(rng, 12, 2, media.SIZE)
    pt.write_tracks(sample, "tracks", tracks, overwrite=True, discard_corrections=True)
    assert FrameStore(dataset, "tracks").replaced(sample.id) is None
    assert _kept(dataset) == 0


def test_the_steps_of_one_correction_are_taken_back_together(dataset: fo.Dataset) -> None:
    sample_id, before = dataset.first().id, state_of(dataset)
    with claimed(dataset, "tracks", sample_id) as claims:
        edit_sample(dataset, sample_id, _move(3, 2), claims, "one")
        edit_sample(dataset, sample_id, _move(5, 2), claims, "one")
        assert restore_sample(dataset, sample_id, claims) == 6
    assert state_of(dataset) == before


def test_fiftyone_reads_what_was_written(dataset: fo.Dataset) -> None:
    sample_id = dataset.first().id
    held = dataset[sample_id]
    with claimed(dataset, "tracks", sample_id) as claims:
        edit_sample(dataset, sample_id, _move(3, 2), claims)
    (keypoint,) = [k for k in held.frames[3]["tracks"].keypoints if k.index == 2]
    assert (keypoint.keyframe, keypoint.corrected, keypoint.points) == (True, True, [[0.5, 0.25]])
    assert dataset.count_values("frames.tracks.keypoints.corrected")[True] == 4


@pytest.mark.parametrize("undoing", [False, True], ids=["correcting", "undoing"])
def test_dying_at_any_step_leaves_the_old_or_the_new_state(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch, undoing: bool
) -> None:
    sample_id = dataset.first().id
    monkeypatch.setattr(sample_edit, "_FRAMES_PER_WRITE", 2)
    mortal = Mortal(monkeypatch)

    real_insert = FrameStore.insert

    def insert(*arguments: Any) -> None:
        mortal.count()
        real_insert(*arguments)

    monkeypatch.setattr(FrameStore, "insert", insert)

    def work(calls: int, undo: bool) -> bool:
        owner = Owner(dataset, None, beating=False)
        owner.__enter__()
        claims = Claims(FrameStore(dataset, "tracks"), owner)

        def edit() -> None:
            assert claims.take(sample_id) is None
            if undo:
                restore_sample(dataset, sample_id, claims)
            else:
                edit_sample(dataset, sample_id, _move(3, 2), claims, "the same")
            claims.release(sample_id)

        return not mortal.dies(edit, calls)

    states = [state_of(dataset)]
    assert work(10_000, False)
    recover(dataset)
    states.append(state_of(dataset))
    seen = set()
    for calls in range(2, 100):
        if (state_of(dataset) == states[0]) is undoing:
            assert work(10_000, not undoing)
            recover(dataset)
        whole = work(calls, undoing)
        recover(dataset)
        assert state_of(dataset) in states, calls
        assert not leftovers(dataset), calls
        seen.add(states.index(state_of(dataset)))
        if not undoing and states.index(state_of(dataset)) == 1:
            assert FrameStore(dataset, "tracks").replaced(sample_id) is not None, "can be taken back"
        if whole:
            break
    assert whole
    assert calls > 8
    assert seen == {0, 1}


def test_samples_without_tracks_of_a_run_are_refused(make_dataset: MakeDataset, dataset: fo.Dataset) -> None:
    sample_id = dataset.first().id
    assert check_tracked(dataset, sample_id, "tracks") == "points"
    with pytest.raises(FieldError, match="no frame field 'other'"):
        check_tracked(dataset, sample_id, "other")
    dataset.clear_sample_field("tracks_info")
    with pytest.raises(FieldError, match="no tracks that point tracking wrote"):
        check_tracked(dataset, sample_id, "tracks")


def test_two_cannot_change_a_sample_at_once_and_a_deleted_one_is_told(dataset: fo.Dataset) -> None:
    sample_id = dataset.first().id
    with claimed(dataset, "tracks", sample_id) as claims:
        with pytest.raises(ClaimError, match="another process"), claimed(dataset, "tracks", sample_id):
            pass
        dataset.delete_samples([sample_id])
        with pytest.raises(WriteError, match="gone"):
            edit_sample(dataset, sample_id, _move(3, 2), claims)


def test_what_is_kept_of_deleted_datasets_goes(make_dataset: MakeDataset, dataset: fo.Dataset, clip: Path) -> None:
    sample_id, gone_id = dataset.first().id, dataset._doc.id
    with claimed(dataset, "tracks", sample_id) as claims:
        edit_sample(dataset, sample_id, _move(3, 2), claims)
    dataset.delete()
    recover(make_dataset(clip))
    below = {"_id": Key(gone_id).below}
    assert all(collection(name).find(below) == [] for name in (REPLACED, CORRECTIONS))
