"""Writing and reading back, against the real database and the slow way of doing it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from pymongo.errors import OperationFailure
from trackers import random_tracks

import point_tracking as pt
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.tracks import writer
from point_tracking.store.tracks.keypoints import DEFAULT_LABEL
from point_tracking.tracker.errors import (
    CollectionError,
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


def _plain(value: Any) -> Any:
    """A document without ids and time stamps."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k not in ("_id", "created_at", "last_modified_at")}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _raw_frames(dataset: fo.Dataset) -> list[dict]:
    return [_plain(d) for d in dataset._frame_collection.find().sort([("_sample_id", 1), ("frame_number", 1)])]


def test_the_database_holds_exactly_what_the_slow_way_stores(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator
) -> None:
    tracks = random_tracks(rng, 12, 17, SIZE)
    fast, slow = make_dataset(clip), make_dataset(clip)
    pt.write_tracks(fast.first(), "tracks", tracks)
    _write_slowly(slow.first(), "tracks", tracks)
    fast_frames, slow_frames = _raw_frames(fast), _raw_frames(slow)
    for frame in [*fast_frames, *slow_frames]:
        frame.pop("_sample_id")
        frame.pop("_dataset_id")
    assert fast_frames == slow_frames
    assert fast.get_frame_field_schema(flat=False)["tracks"].document_type is fo.Keypoints
    one, other = fast.first().frames[3]["tracks"], slow.first().frames[3]["tracks"]
    assert [k.to_dict() | {"_id": 0} for k in one.keypoints] == [k.to_dict() | {"_id": 0} for k in other.keypoints]


@pytest.mark.parametrize(("layout", "keep_hidden"), [("points", False), ("points", True), ("frame", False)])
def test_tracks_come_back_as_written(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator, layout: str, keep_hidden: bool
) -> None:
    tracks = random_tracks(rng, 12, 23, SIZE, share_visible=0.5)
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", tracks, layout=layout, keep_hidden=keep_hidden)
    back = pt.read_tracks(sample, "tracks")
    shown = _shown(tracks)
    np.testing.assert_array_equal(back.visible, shown)
    kept = np.isfinite(tracks.xy).all(axis=2) if keep_hidden else shown
    np.testing.assert_allclose(back.xy[kept], tracks.xy[kept], atol=1e-4)
    assert np.isnan(back.xy[~kept]).all()
    np.testing.assert_array_equal(back.confidence, np.where(kept, tracks.confidence, 0))


def test_the_number_of_points_is_remembered_where_none_is_visible(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    hidden = pt.Tracks(xy=np.zeros((12, 5, 2)), visible=np.zeros((12, 5), dtype=bool), confidence=np.zeros((12, 5)))
    pt.write_tracks(sample, "tracks", hidden)
    assert pt.read_tracks(sample, "tracks").xy.shape == (12, 5, 2)
    assert sample["tracks_info"].state == "done"
    assert sample["tracks_info"].num_keypoints == 0


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


def test_frame_documents_are_those_that_decode_not_those_declared(make_dataset: MakeDataset, tmp_path: Path) -> None:
    path = media.overdeclared_video(tmp_path / "over.mp4", num_frames=10, num_empty=2)
    sample = make_dataset(path).first()
    assert pt.probe(path).declared_frames == 12
    pt.write_tracks(sample, "tracks", random_tracks(np.random.default_rng(0), 10, 4, SIZE))
    assert sorted(sample.frames) == list(range(1, 11))


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


@pytest.mark.parametrize(
    "name", ["frames.tracks", "", "_private", "a.b", "two words", "1st", "$x", "id", "frame_number"]
)
def test_bad_names_are_refused(make_dataset: MakeDataset, clip: Path, name: str) -> None:
    sample = make_dataset(clip).first()
    with pytest.raises(FieldError, match="Invalid label field"):
        pt.write_tracks(sample, name, random_tracks(np.random.default_rng(0), 3, 4, SIZE))


def test_a_field_of_another_type_is_refused(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    dataset.add_frame_field("boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    with pytest.raises(FieldError, match="holds Detections, not Keypoints"):
        pt.write_tracks(dataset.first(), "boxes", random_tracks(np.random.default_rng(0), 3, 4, SIZE))
    dataset.add_sample_field("mine_info", fo.StringField)
    with pytest.raises(FieldError, match="'mine_info' exists"):
        pt.write_tracks(dataset.first(), "mine", random_tracks(np.random.default_rng(0), 3, 4, SIZE))


def test_samples_outside_a_video_data_set_are_refused(clip: Path, tmp_path: Path, make_dataset: MakeDataset) -> None:
    tracks = random_tracks(np.random.default_rng(0), 3, 4, SIZE)
    with pytest.raises(CollectionError, match="dataset"):
        pt.write_tracks(fo.Sample(filepath=str(clip)), "tracks", tracks)
    dataset = make_dataset(clip)
    video = dataset.first()
    video["events"] = fo.TemporalDetections(detections=[fo.TemporalDetection(label="run", support=[2, 5])])
    video.save()
    with pytest.raises(CollectionError, match="This is a clip"):
        pt.write_tracks(dataset.to_clips("events").first(), "tracks", tracks)
    image = make_dataset(media.picture_file(tmp_path / "picture.png")).first()
    with pytest.raises(CollectionError, match="image"):
        pt.write_tracks(image, "tracks", tracks)


def test_a_moved_file_is_written_by_its_metadata(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    tracks = random_tracks(np.random.default_rng(0), 12, 4, SIZE)
    sample = dataset.first()
    sample.metadata = fo.VideoMetadata(frame_width=SIZE[0], frame_height=SIZE[1], total_frame_count=12)
    sample.save()
    clip.unlink()
    pt.write_tracks(sample, "tracks", tracks)
    np.testing.assert_array_equal(pt.read_tracks(sample, "tracks").visible, _shown(tracks))


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
    before = _raw_frames(dataset)
    monkeypatch.setattr(writer, "_POINTS_PER_WRITE", 20)
    _FailingWrites(monkeypatch, good_calls)
    with pytest.raises(WriteError, match="refused"):
        pt.write_tracks(sample, "tracks", random_tracks(rng, 12, 9, SIZE))
    assert [{k: v for k, v in f.items() if k != "tracks"} for f in _raw_frames(dataset)] == before
    assert all(f.get("tracks") is None for f in _raw_frames(dataset))
    assert dataset.first()["tracks_info"] is None


def test_a_failed_overwrite_restores_the_old_tracks(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    pt.write_tracks(sample, "tracks", random_tracks(rng, 12, 9, SIZE))
    before = _raw_frames(dataset)
    monkeypatch.setattr(writer, "_POINTS_PER_WRITE", 20)
    _FailingWrites(monkeypatch, 1)
    with pytest.raises(WriteError):
        pt.write_tracks(sample, "tracks", random_tracks(rng, 12, 9, SIZE), overwrite=True)
    assert _raw_frames(dataset) == before
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


def test_keypoints_of_others_are_read_by_their_index(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    sample.frames[2]["joints"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.5, 0.25)], index=3)])
    sample.save()
    tracks = pt.read_tracks(sample, "joints")
    assert tracks.xy.shape == (12, 3, 2)
    np.testing.assert_allclose(tracks.xy[1, 2], [0.5 * SIZE[0], 0.25 * SIZE[1]])
    assert tracks.visible.sum() == 1
    sample.frames[3]["joints"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.5, 0.25)])])
    sample.save()
    with pytest.raises(FieldError, match="no index"):
        pt.read_tracks(sample, "joints")
    with pytest.raises(FieldError, match="no frame field"):
        pt.read_tracks(sample, "nothing")


def test_rotated_video_is_normalised_to_the_displayed_frame(make_dataset: MakeDataset, tmp_path: Path) -> None:
    path = media.rotated_video(tmp_path / "rotated.mp4", 90)
    width, height = pt.probe(path).size_px
    assert (width, height) == SIZE[::-1]
    sample = make_dataset(path).first()
    tracks = pt.Tracks(xy=[[[width - 1, height - 1]]], visible=[[True]], confidence=[[1.0]])
    pt.write_tracks(sample, "tracks", tracks)
    (point,) = sample.frames[1]["tracks"].keypoints[0].points
    assert tuple(point) == pytest.approx(((width - 1) / width, (height - 1) / height))
