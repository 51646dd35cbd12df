"""Writing and reading back, against the real database and the slow way of doing it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from pymongo.errors import OperationFailure
from run_states import leftovers, raw_frames
from trackers import random_tracks

import point_tracking as pt
from point_tracking.store.database import frame_documents as frame_store
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.tracks import writer
from point_tracking.store.tracks.keypoints import DEFAULT_LABEL
from point_tracking.tracker.errors import (
    FieldError,
    FieldExistsError,
    LimitError,
    ShapeError,
    WriteError,
)

SIZE = media.SIZE
MakeDataset = Callable[..., fo.Dataset]


def _shown(tracks: pt.Tracks) -> np.ndarray:
    x, y = tracks.xy[..., 0], tracks.xy[..., 1]
    return tracks.visible & (x >= 0) & (y >= 0) & (x <= SIZE[0] - 1) & (y <= SIZE[1] - 1)


def _write_slowly(sample: fo.Sample, field: str, tracks: pt.Tracks) -> None:
    """One object at a time, as tutorials do."""
    shown = _shown(tracks)
    for t in range(tracks.num_frames):
        keypoints = [
            fo.Keypoint(
                label=DEFAULT_LABEL,
                points=[(float(tracks.xy[t, n, 0]) / SIZE[0], float(tracks.xy[t, n, 1]) / SIZE[1])],
                confidence=[float(tracks.confidence[t, n])],
                index=n + 1,
            )
            for n in range(tracks.num_points)
            if shown[t, n]
        ]
        sample.frames[t + 1][field] = fo.Keypoints(keypoints=keypoints)
    sample.save()


def test_the_database_holds_exactly_what_the_slow_way_stores(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator
) -> None:
    tracks = random_tracks(rng, 12, 17, SIZE)
    fast, slow = make_dataset(clip), make_dataset(clip)
    pt.write_tracks(fast.first(), "tracks", tracks)
    _write_slowly(slow.first(), "tracks", tracks)
    fast_frames, slow_frames = raw_frames(fast), raw_frames(slow)
    for frame in [*fast_frames, *slow_frames]:
        frame.pop("_sample_id")
        frame.pop("_dataset_id")
    assert fast_frames == slow_frames
    assert fast.get_frame_field_schema(flat=False)["tracks"].document_type is fo.Keypoints
    one, other = fast.first().frames[3]["tracks"], slow.first().frames[3]["tracks"]
    assert [k.to_dict() | {"_id": 0} for k in one.keypoints] == [k.to_dict() | {"_id": 0} for k in other.keypoints]


def test_rows_go_to_the_given_frame_numbers(make_dataset: MakeDataset, clip: Path, rng: np.random.Generator) -> None:
    sample = make_dataset(clip).first()
    tracks = random_tracks(rng, 3, 4, SIZE, share_visible=1)
    pt.write_tracks(sample, "tracks", tracks, frame_numbers=[2, 5, 12])
    back = pt.read_tracks(sample, "tracks")
    assert back.num_frames == 12
    np.testing.assert_array_equal(back.visible[[1, 4, 11]], _shown(tracks))
    assert not back.visible[[0, 2, 3, 5, 6, 7, 8, 9, 10]].any()
    assert sorted(sample.frames) == list(range(1, 13))
    assert sample.frames[3]["tracks"] is None


@pytest.mark.parametrize("numbers", [[1, 2], [0, 1, 2], [1, 3, 13], [3, 2, 1], [1, 1, 2], [1.5, 2.5, 3.5]])
def test_bad_frame_numbers_are_refused(make_dataset: MakeDataset, clip: Path, numbers: list) -> None:
    sample = make_dataset(clip).first()
    tracks = random_tracks(np.random.default_rng(0), 3, 4, SIZE)
    with pytest.raises(ShapeError):
        pt.write_tracks(sample, "tracks", tracks, frame_numbers=numbers)
    assert not sample._dataset.has_frame_field("tracks")


def test_more_rows_than_frames_are_refused_and_fewer_are_fine(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    with pytest.raises(ShapeError, match=r"13 rows.*12 frames"):
        pt.write_tracks(sample, "tracks", random_tracks(np.random.default_rng(0), 13, 4, SIZE))
    pt.write_tracks(sample, "tracks", random_tracks(np.random.default_rng(0), 7, 4, SIZE))
    assert pt.read_tracks(sample, "tracks").num_frames == 12


def test_frames_and_fields_of_the_user_stay(make_dataset: MakeDataset, clip: Path, rng: np.random.Generator) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.frames[4]["weather"] = fo.Classification(label="rain")
    sample["note"] = "mine"
    sample.save()
    frame_id = sample.frames[4].id
    pt.write_tracks(sample, "tracks", random_tracks(rng, 12, 4, SIZE))
    reloaded = dataset.first()
    assert reloaded.frames[4].id == frame_id
    assert reloaded.frames[4]["weather"].label == "rain"
    assert reloaded["note"] == "mine"
    assert len(reloaded.frames) == 12
    raw = list(dataset._frame_collection.find())
    assert all(d.get("_dataset_id") == dataset._doc.id and d.get("created_at") for d in raw)


def test_existing_data_is_refused_or_replaced_never_appended(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator
) -> None:
    sample = make_dataset(clip).first()
    first, second = random_tracks(rng, 12, 9, SIZE), random_tracks(rng, 5, 4, SIZE)
    pt.write_tracks(sample, "tracks", first)
    with pytest.raises(FieldExistsError, match="overwrite=True"):
        pt.write_tracks(sample, "tracks", second)
    np.testing.assert_array_equal(pt.read_tracks(sample, "tracks").visible, _shown(first))
    pt.write_tracks(sample, "tracks", second, overwrite=True)
    back = pt.read_tracks(sample, "tracks")
    assert back.num_points == 4
    np.testing.assert_array_equal(back.visible[:5], _shown(second))
    assert not back.visible[5:].any()


class _FailingWrites:
    """Stands in for the store's bulk calls; the database refuses after some of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, good_calls: int) -> None:
        self.good_calls = good_calls
        for name in ("write", "insert", "stage"):
            monkeypatch.setattr(FrameStore, name, self._failing(getattr(FrameStore, name)))

    def _failing(self, real: Callable[..., None]) -> Callable[..., None]:
        def call(store: FrameStore, sample_id: str, documents: dict) -> None:
            if any(d is not None for d in documents.values()):
                self.good_calls -= 1
                if self.good_calls < 0:
                    raise OperationFailure("refused")
            real(store, sample_id, documents)

        return call


@pytest.mark.parametrize("good_calls", [0, 1, 2])
def test_a_failed_write_leaves_nothing_behind(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, good_calls: int
) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.frames[4]["weather"] = fo.Classification(label="rain")
    sample.save()
    before = raw_frames(dataset)
    monkeypatch.setattr(writer, "_POINTS_PER_WRITE", 20)
    _FailingWrites(monkeypatch, good_calls)
    with pytest.raises(WriteError, match="refused"):
        pt.write_tracks(sample, "tracks", random_tracks(rng, 12, 9, SIZE))
    assert [{k: v for k, v in f.items() if k != "tracks"} for f in raw_frames(dataset)] == before
    assert all(f.get("tracks") is None for f in raw_frames(dataset))
    assert dataset.first()["tracks_info"] is None


def test_a_failed_overwrite_restores_the_old_tracks(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    pt.write_tracks(sample, "tracks", random_tracks(rng, 12, 9, SIZE))
    before = raw_frames(dataset)
    monkeypatch.setattr(writer, "_POINTS_PER_WRITE", 20)
    _FailingWrites(monkeypatch, 1)
    with pytest.raises(WriteError):
        pt.write_tracks(sample, "tracks", random_tracks(rng, 12, 9, SIZE), overwrite=True)
    assert raw_frames(dataset) == before
    assert dataset.first()["tracks_info"].state == "done"


def test_a_document_too_large_for_the_database_names_the_limit(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    many = 90_000
    tracks = pt.Tracks(
        xy=np.full((1, many, 2), 5.0), visible=np.ones((1, many), dtype=bool), confidence=np.ones((1, many))
    )
    with pytest.raises(LimitError, match="16 MiB"):
        pt.write_tracks(sample, "tracks", tracks)
    pt.write_tracks(sample, "tracks", tracks, layout="frame")
    assert pt.read_tracks(sample, "tracks").visible[0].all()


def test_a_frame_that_is_full_of_other_labels_is_rolled_back(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.frames[1]["notes"] = "x" * 8_000_000
    sample.save()
    many = 60_000
    tracks = pt.Tracks(
        xy=np.full((1, many, 2), 5.0), visible=np.ones((1, many), dtype=bool), confidence=np.ones((1, many))
    )
    with pytest.raises(LimitError, match="16 MiB"):
        pt.write_tracks(sample, "tracks", tracks)
    assert dataset.first()["tracks_info"] is None
    assert len(dataset.first().frames) == 1


def test_a_field_deleted_while_it_is_written_leaves_readable_samples(
    make_dataset: MakeDataset, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(clip)
    tracks = random_tracks(np.random.default_rng(0), 12, 4, SIZE)
    real = FrameStore.insert

    def delete_in_the_middle(store: FrameStore, sample_id: str, documents: dict) -> None:
        if dataset.has_frame_field("tracks"):
            dataset.delete_frame_field("tracks")
        real(store, sample_id, documents)

    monkeypatch.setattr(FrameStore, "insert", delete_in_the_middle)
    with pytest.raises(FieldError, match="'tracks' was deleted"):
        pt.write_tracks(dataset.first(), "tracks", tracks)
    dataset.reload()
    assert dataset._frame_collection.count_documents({}) == 0
    assert dataset.view().first()["tracks_info"] is None


def test_a_sample_deleted_while_it_is_written_leaves_no_frames(
    make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", 4) for k in range(2)])
    real = FrameStore.insert

    def delete_in_the_middle(store: FrameStore, sample_id: str, documents: dict) -> None:
        real(store, sample_id, documents)
        store._samples.delete_one({"_id": frame_store.ObjectId(sample_id)})

    monkeypatch.setattr(FrameStore, "insert", delete_in_the_middle)
    with pytest.raises(WriteError, match="deleted while"):
        pt.write_tracks(dataset.first(), "tracks", random_tracks(np.random.default_rng(0), 4, 4, SIZE))
    assert dataset._frame_collection.count_documents({}) == 0
    assert not leftovers(dataset)
