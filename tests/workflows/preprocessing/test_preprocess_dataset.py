"""Whole preprocessing runs, and tracks on their way back to the source's frames."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trackers import DriftTracker, random_tracks

import point_tracking as pt
from point_tracking.store.tracks.source_links import SourceLink, media_fields_with_copies
from point_tracking.tracker.engine.onto_source import onto_source
from point_tracking.tracker.errors import (
    CollectionError,
    FieldError,
    FieldExistsError,
    OptionError,
    OutputError,
)
from point_tracking.tracker.transcoding import transcode as transcode_module
from point_tracking.workflows.preprocessing import preprocess_dataset as preprocess_module
from point_tracking.workflows.preprocessing import preprocessed_videos as copies_module
from point_tracking.workflows.preprocessing import targets as preprocess_targets_module
from point_tracking.workflows.preprocessing.targets import output_name

MakeDataset = Callable[..., fo.Dataset]
SIZE = media.SIZE


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def dataset(make_dataset: MakeDataset, sources: Path) -> fo.Dataset:
    """A clip of 45 frames at 30 per second, and one of 20 at 10 per second."""
    return make_dataset(media.video(sources / "a.mp4", 45, fps=30), media.video(sources / "b.mp4", 20))


@pytest.fixture(autouse=True)
def _no_data_sets_stay() -> Iterator[None]:
    before = set(fo.list_datasets())
    yield
    for name in set(fo.list_datasets()) - before:
        fo.delete_dataset(name)


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _shown(path: str) -> list[int]:
    return media.indices_in(frame for chunk in pt.VideoFrames(path).chunks() for frame in chunk)


def _statuses(report: Any) -> list[str]:
    return [outcome.status for outcome in report.outcomes]


# copies in a dataset of their own


def test_a_run_makes_a_data_set_that_knows_its_sources(dataset: fo.Dataset, out: Path) -> None:
    dataset.first().tags.append("x")
    first = dataset.first()
    first.tags = ["x"]
    first.save()
    originals = {path: Path(path).read_bytes() for path in dataset.values("filepath")}
    events: list[Any] = []
    report = pt.preprocess_dataset(dataset, out, progress=events.append)
    copies = report.dataset
    assert (report.num_samples, report.failures, report.num_frames) == (2, [], 35)
    assert str(report).startswith("Preprocessed 2 videos (65 frames to 35, ")
    assert (copies.name, copies.media_type, copies.persistent) == (f"{dataset.name}-preprocessed", "video", True)
    for source, copy in zip(dataset, copies, strict=True):
        origin = copy.source_video
        assert (origin.filepath, origin.sample_id, origin.dataset) == (source.filepath, source.id, dataset.name)
        assert [number - 1 for number in origin.frame_numbers] == _shown(copy.filepath)
        assert (origin.num_frames, origin.width, origin.height) == (pt.VideoFrames(source.filepath).num_frames, *SIZE)
        assert copy.metadata.total_frame_count == len(origin.frame_numbers)
        assert copy.metadata.frame_rate == 10
        assert copy.tags == source.tags
    assert {path: Path(path).read_bytes() for path in originals} == originals
    assert len(_files(out)) == 2
    progress = [event.progress for event in events]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    config = dataset.get_run_info(report.run_key).config
    assert (config.method, config.policy["policy"], config.num_targets) == ("point_tracking_preprocess", "auto", 2)
    assert pt.load_report(dataset, report.run_key) == report


def test_a_second_run_reuses_the_copies_and_keeps_their_labels(dataset: fo.Dataset, out: Path) -> None:
    copies = pt.preprocess_dataset(dataset, out, every_nth=3).dataset
    ids, times = copies.values("id"), [(out / name).stat().st_mtime_ns for name in _files(out)]
    report = pt.preprocess_dataset(dataset, out, every_nth=3)
    assert _statuses(report) == ["reused", "reused"]
    assert "2 earlier copies reused" in str(report)
    assert [(out / name).stat().st_mtime_ns for name in _files(out)] == times
    copies.reload()
    assert copies.values("id") == ids
    other = pt.preprocess_dataset(dataset, out, every_nth=2)
    assert [f.kind for f in other.failures] == ["OutputExistsError"] * 2
    assert other.dataset_name is None
    replaced = pt.preprocess_dataset(dataset.limit(1), out, every_nth=2, overwrite=True)
    assert _statuses(replaced) == ["done"]
    copies.reload()
    assert len(copies) == 2
    assert copies.values("id")[0] == ids[1]
    assert copies.last().source_video.frame_numbers == list(range(1, 46, 2))


def test_sources_of_the_same_name_get_names_of_their_own(make_dataset: MakeDataset, sources: Path, out: Path) -> None:
    paths = []
    for k, name in enumerate(("one", "two")):
        (sources / name).mkdir()
        paths.append(media.video(sources / name / "clip.mp4", 5 + k))
    dataset = make_dataset(*paths, paths[0])
    report = pt.preprocess_dataset(dataset, out)
    assert _statuses(report) == ["done", "done", "reused"]
    assert _files(out) == sorted(output_name(str(path)) for path in paths)
    assert all(name.startswith("clip-") for name in _files(out))
    assert report.dataset.values("source_video.num_frames") == [5, 6, 5]
    alone = pt.preprocess_dataset(dataset[1:2], out, dataset_name=f"{dataset.name}-alone")
    assert alone.outcomes[0].output_path == report.outcomes[1].output_path
    assert _statuses(alone) == ["reused"]


def test_bad_files_are_failures_and_the_run_goes_on(make_dataset: MakeDataset, sources: Path, out: Path) -> None:
    good = media.video(sources / "good.mp4", 5)
    bad = {
        sources / "missing.mp4": "VideoNotFoundError",
        media.zero_bytes(sources / "zero.mp4"): "VideoError",
        media.audio_only(sources / "audio.mp4"): "VideoError",
        media.text_file(sources / "text.mp4"): "VideoError",
        media.random_bytes(sources / "noise.mp4"): "VideoError",
    }
    report = pt.preprocess_dataset(make_dataset(*bad, good), out)
    assert {f.filepath: f.kind for f in report.failures} == {str(path): kind for path, kind in bad.items()}
    assert len(report.dataset) == 1
    assert _files(out) == [output_name(str(good))]
    assert "5 failures" in str(report)


def test_where_nothing_can_be_copied_no_data_set_is_made(make_dataset: MakeDataset, sources: Path, out: Path) -> None:
    report = pt.preprocess_dataset(make_dataset(media.zero_bytes(sources / "zero.mp4")), out)
    assert report.dataset_name is None
    with pytest.raises(CollectionError, match="no dataset of copies"):
        _ = report.dataset


def test_what_a_rate_above_the_sources_does_is_said(dataset: fo.Dataset, out: Path) -> None:
    report = pt.preprocess_dataset(dataset, out, fps=60)
    assert [outcome.num_frames for outcome in report.outcomes] == [45, 20]
    assert [text for _, text in report.warnings] == [
        "the source has 30 frames per second, fewer than 60: all were kept",
        "the source has 10 frames per second, fewer than 60: all were kept",
    ]


def test_what_an_every_nth_above_the_length_does_is_said(dataset: fo.Dataset, out: Path) -> None:
    report = pt.preprocess_dataset(dataset, out, every_nth=45)
    text = "the source has {} frames, and every_nth is 45: only the first was kept"
    assert [warning for _, warning in report.warnings] == [text.format(45), text.format(20)]
    assert pt.preprocess_dataset(dataset.limit(1), f"{out}2", every_nth=44, dataset_name="44").warnings == []


def test_copies_that_are_larger_than_their_sources_are_named(
    make_dataset: MakeDataset, sources: Path, out: Path
) -> None:
    poor = media.video(sources / "poor.mp4", 60, size=(640, 480), encoder_options={"crf": "40"})
    report = pt.preprocess_dataset(make_dataset(poor), out, crf=0, preset="ultrafast")
    ((path, text),) = report.warnings
    assert path == str(poor)
    assert text.startswith("the copy is larger than the source (")


def test_the_rate_of_a_copy_is_that_of_its_frames_however_long_the_last_is_shown(
    make_dataset: MakeDataset, sources: Path, out: Path
) -> None:
    dataset = make_dataset(media.video(sources / "a.mp4", 50, fps=30))
    (rate,) = pt.preprocess_dataset(dataset, out, every_nth=9).dataset.values("metadata.frame_rate")
    assert rate == pytest.approx(30 / 9, rel=1e-4)


def test_a_full_disk_is_a_failure_per_sample(dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = transcode_module._Writer.finish

    def finish(self: Any) -> None:
        if self._selection.frame_map.num_source_frames == 45:
            raise OSError(28, "No space left on device")
        real(self)

    monkeypatch.setattr(transcode_module._Writer, "finish", finish)
    report = pt.preprocess_dataset(dataset, out)
    assert _statuses(report) == ["failed", "done"]
    assert "no space left" in report.failures[0].message
    assert _files(out) == [output_name(dataset.last().filepath)]


def test_a_source_that_vanishes_in_the_middle_is_a_failure(
    dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = Path(dataset.first().filepath)
    real = transcode_module._Writer.write

    def write(self: Any, frame: Any, position: int) -> None:
        if self._selection.frame_map.num_source_frames == 45 and position == 5:
            victim.unlink()
        real(self, frame, position)

    monkeypatch.setattr(transcode_module._Writer, "write", write)
    report = pt.preprocess_dataset(dataset, out)
    assert _statuses(report) == ["failed", "done"]
    assert "went away" in report.failures[0].message
    assert len(_files(out)) == 1


def test_cancelling_keeps_finished_copies(make_dataset: MakeDataset, sources: Path, out: Path) -> None:
    dataset = make_dataset(*(media.video(sources / f"{k}.mp4", 30) for k in range(5)))
    done = threading.Event()

    def progress(event: Any) -> None:
        if event.iteration:
            done.set()

    report = pt.preprocess_dataset(dataset, out, num_workers=1, progress=progress, cancelled=done.is_set)
    assert report.cancelled
    assert 1 <= report.num_samples < 5
    assert "cancelled with" in str(report)
    assert len(report.dataset) == report.num_samples
    assert all(not name.startswith(".") for name in _files(out))
    rest = pt.preprocess_dataset(dataset, out)
    assert rest.num_reused >= report.num_samples
    assert len(rest.dataset) == 5


def test_two_runs_into_one_folder_at_once(make_dataset: MakeDataset, sources: Path, out: Path) -> None:
    dataset = make_dataset(*(media.video(sources / f"{k}.mp4", 40) for k in range(4)))
    reports: dict[str, Any] = {}

    def work(name: str) -> None:
        reports[name] = pt.preprocess_dataset(
            dataset, out, target="media_field", media_field=name, run_key=name, progress=False
        )

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.failures for report in reports.values()] == [[], []]
    assert len(_files(out)) == 4
    for one, two in zip(dataset.values("one"), dataset.values("two"), strict=True):
        assert one == two
        assert _shown(one) == list(range(40))


@pytest.mark.parametrize("exists", [False, True])
def test_two_runs_into_one_data_set_at_once(
    make_dataset: MakeDataset, sources: Path, out: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    dataset = make_dataset(*(media.video(sources / f"{k}.mp4", 8) for k in range(4)))
    if exists:
        pt.preprocess_dataset(dataset.limit(1), out)
    at_once, real = threading.Barrier(2), copies_module.store_dataset

    def store(*arguments: Any) -> str:
        at_once.wait(60)
        return real(*arguments)

    monkeypatch.setattr(copies_module, "store_dataset", store)
    reports: list[Any] = []
    threads = [
        threading.Thread(target=lambda: reports.append(pt.preprocess_dataset(dataset, out, progress=False)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.failures for report in reports] == [[], []]
    assert len({report.run_key for report in reports}) == 2
    copies = reports[0].dataset
    copies.reload()
    assert sorted(copies.values("source_video.sample_id")) == sorted(dataset.values("id"))
    assert all(pt.load_report(dataset, report.run_key) == report for report in reports)


def test_a_run_that_cannot_store_its_copies_still_leaves_its_report(
    dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = copies_module.store_dataset

    def store(*arguments: Any) -> str:
        fo.Dataset(f"{dataset.name}-preprocessed")
        return real(*arguments)

    monkeypatch.setattr(copies_module, "store_dataset", store)
    with pytest.raises(CollectionError, match="preprocessing did not make it"):
        pt.preprocess_dataset(dataset, out)
    report: Any = pt.load_report(dataset, "preprocess")
    assert (_statuses(report), report.dataset_name) == (["done", "done"], None)


def test_sources_whose_copies_would_have_one_place_do_not_share_it(
    dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocess_targets_module, "output_name", lambda _source: "same.mp4")
    report = pt.preprocess_dataset(dataset, out)
    assert _statuses(report) == ["done", "failed"]
    assert "has the same place" in report.failures[0].message
    assert report.dataset.values("source_video.filepath") == [dataset.first().filepath]


# a second media field


def test_copies_become_a_second_media_field(dataset: fo.Dataset, out: Path) -> None:
    report = pt.preprocess_dataset(dataset, out, every_nth=4, target="media_field", media_field="small")
    dataset.reload()
    assert report.dataset_name is None
    assert dataset.app_config.media_fields == ["filepath", "small"]
    assert media_fields_with_copies(dataset) == ["small"]
    for sample in dataset:
        assert _shown(sample.small) == [n - 1 for n in sample.small_source.frame_numbers]
        assert sample.small_source.sample_id == sample.id
    assert _statuses(pt.preprocess_dataset(dataset, out, every_nth=4, target="media_field", media_field="small")) == [
        "reused",
        "reused",
    ]
    with pytest.raises(FieldExistsError, match="another folder"):
        pt.preprocess_dataset(dataset, f"{out}2", target="media_field", media_field="small")
    dataset.add_sample_field("mine", fo.StringField)
    with pytest.raises(FieldError, match="not ours"):
        pt.preprocess_dataset(dataset, out, target="media_field", media_field="mine")


# the way back


def _expected_on_source(numbers: list[int], num_frames: int, grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Source positions (T, N, 2) of points that drift one copy pixel per copy frame; NaN where there is no copy."""
    scale = np.array(SIZE) / size
    expected = np.full((num_frames, len(grid), 2), np.nan)
    for row, number in enumerate(numbers):
        expected[number - 1] = (grid + [row, 0] + 0.5) * scale - 0.5
    return expected


@pytest.mark.parametrize("target", ["dataset", "media_field"])
def test_tracks_of_copies_are_written_onto_the_sources_frames(
    dataset: fo.Dataset, out: Path, drift: DriftTracker, target: str
) -> None:
    report = pt.preprocess_dataset(dataset, out, fps=7, longest_side=80, target=target, media_field="small")
    if target == "dataset":
        samples, where = report.dataset, {"write_to": "source"}
        numbers = samples.values("source_video.frame_numbers")
    else:
        samples, where = dataset, {"write_to": "source", "media_field": "small"}
        numbers = samples.values("small_source.frame_numbers")
    tracked = pt.track_dataset(samples, "back", tracker=drift, grid_size=3, **where)
    assert tracked.failures == []
    dataset.reload()
    assert tracked.num_samples == 2
    assert pt.load_report(dataset, tracked.run_key) == tracked
    grid = pt.grid_queries(3, height=60, width=80).xy
    for sample, kept, num_frames in zip(dataset, numbers, (45, 20), strict=True):
        expected = _expected_on_source(kept, num_frames, grid, (80, 60))
        tracks = pt.read_tracks(sample, "back")
        assert tracks.num_frames == num_frames
        assert not tracks.visible[np.setdiff1d(np.arange(num_frames), np.array(kept) - 1)].any()
        shown = tracks.visible
        assert shown.sum() > 9
        np.testing.assert_allclose(tracks.xy[shown], expected[shown], atol=1e-3)
    with pytest.raises(FieldExistsError):
        pt.track_dataset(samples, "back", tracker=drift, grid_size=3, **where)
    again = pt.track_dataset(samples, "back", tracker=drift, grid_size=3, skip_existing=True, **where)
    assert again.num_skipped == 2


@pytest.mark.parametrize("layout", ["points", "frame"])
def test_frames_in_between_are_filled_and_marked(
    dataset: fo.Dataset, out: Path, drift: DriftTracker, layout: str
) -> None:
    copies = pt.preprocess_dataset(dataset.limit(1), out, every_nth=4).dataset
    pt.track_dataset(
        copies, "back", tracker=drift, points=[(0, 20, 30)], write_to="source", interpolate=True, layout=layout
    )
    dataset.reload()
    assert "frames.back.keypoints.interpolated" in dataset.get_field_schema(flat=True) or dataset.has_frame_field(
        "back.keypoints.interpolated"
    )
    tracks = pt.read_tracks(dataset.first(), "back")
    assert tracks.visible[:, 0].all()
    np.testing.assert_allclose(tracks.xy[:, 0, 0], 20 + np.arange(45) / 4, atol=1e-3)
    np.testing.assert_allclose(tracks.confidence, 0.5)
    marks = dataset.limit(1).values("frames.back.keypoints.interpolated")[0]
    assert [bool(mark[0]) for mark in marks] == [n % 4 != 0 for n in range(45)]
    found = dataset.filter_labels("frames.back", fo.ViewField("interpolated") == True)  # noqa: E712
    assert found.count("frames.back.keypoints") == 33


@settings(deadline=None)  # other work on the machine is no failure
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_filling_keeps_what_was_tracked_and_adds_only_between_visible_points(seed: int, gaps: list[int]) -> None:
    numbers = np.cumsum([1, *gaps])
    tracks = random_tracks(np.random.default_rng(seed), len(numbers), 5, SIZE)
    origin = SourceLink("d", "s", int(numbers[-1]) + 3, SIZE, numbers, "/s.mp4", 1, 1)
    moved = onto_source(tracks, origin.frame_numbers, SIZE, origin.size_px, interpolate=True)
    np.testing.assert_array_equal(moved.frame_numbers, np.arange(numbers[0], numbers[-1] + 1))
    assert moved.interpolated is not None
    kept = ~moved.interpolated
    np.testing.assert_array_equal(moved.frame_numbers[kept], numbers)
    np.testing.assert_allclose(moved.tracks.xy[kept], tracks.xy, atol=1e-3)
    np.testing.assert_array_equal(moved.tracks.visible[kept], tracks.visible)
    np.testing.assert_array_equal(moved.tracks.confidence[kept], tracks.confidence)
    for row in np.flatnonzero(moved.interpolated):
        after = int(np.searchsorted(numbers, moved.frame_numbers[row]))
        before = after - 1
        both = tracks.visible[before] & tracks.visible[after]
        np.testing.assert_array_equal(moved.tracks.visible[row], both)
        low, high = np.sort(tracks.xy[[before, after]], axis=0)
        xy = moved.tracks.xy[row]
        assert ((xy >= low - 1e-3) & (xy <= high + 1e-3))[both].all()
        lower = np.minimum(tracks.confidence[before], tracks.confidence[after])
        np.testing.assert_array_equal(moved.tracks.confidence[row], np.where(both, lower, 0))


def test_masks_of_the_sources_choose_points_on_their_copies(
    dataset: fo.Dataset, out: Path, drift: DriftTracker
) -> None:
    left = np.zeros((SIZE[1], SIZE[0]), dtype=np.uint8)
    left[:, : SIZE[0] // 2] = 1
    for sample in dataset:
        sample["object"] = fo.Segmentation(mask=left)
        sample.frames[1]["object_at"] = fo.Segmentation(mask=left)
        sample.save()
    copies = pt.preprocess_dataset(dataset, out, every_nth=5, longest_side=80).dataset
    report = pt.track_dataset(copies, "back", tracker=drift, grid_size=4, mask_field="object", write_to="source")
    assert (report.failures, report.warnings, report.num_points) == ([], [], 2 * 8)
    dataset.reload()
    assert (pt.read_tracks(dataset.first(), "back").xy[0, :, 0] < SIZE[0] / 2).all()
    with pytest.raises(FieldError, match="Use a mask field on samples"):
        pt.track_dataset(copies, "b", tracker=drift, mask_field="object_at", write_to="source")
    with pytest.raises(FieldError, match=r"preprocessed copies, without the fields.*write_to='source'"):
        pt.track_dataset(copies, "b", tracker=drift, mask_field="object")
    with pytest.raises(FieldError, match="has to be stored with the copies"):
        pt.track_dataset(copies, "b", tracker=drift, points="object", write_to="source")


def test_a_copy_that_was_replaced_since_is_a_failure(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    copies = pt.preprocess_dataset(dataset, out, every_nth=3).dataset
    pt.preprocess_dataset(dataset.limit(1), out, every_nth=5, overwrite=True, target="media_field", media_field="small")
    report = pt.track_dataset(copies, "back", tracker=drift, grid_size=2, write_to="source")
    assert [f.kind for f in report.failures] == ["VideoError"]
    assert "was replaced since" in report.failures[0].message
    assert report.num_samples == 1


def test_a_source_that_was_replaced_since_is_a_failure(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    copies = pt.preprocess_dataset(dataset, out, every_nth=3).dataset
    first, second = (Path(path) for path in dataset.values("filepath"))
    media.video(first, 60, size=(80, 60))
    os.utime(second, ns=(1, 1))
    report = pt.track_dataset(copies, "back", tracker=drift, grid_size=2, write_to="source")
    assert [f.kind for f in report.failures] == ["VideoError"]
    assert "was replaced since it was preprocessed" in report.failures[0].message
    assert ["touched since" in text for _, text in report.warnings] == [True]
    dataset.reload()
    assert dataset.values("back_info.state") == [None, "done"]
    again = pt.preprocess_dataset(dataset, out, every_nth=3, overwrite=True)
    assert pt.track_dataset(again.dataset, "back", tracker=drift, grid_size=2, write_to="source", overwrite=True)
    first.unlink()  # copies may be tracked where the sources are not
    where = {"write_to": "source", "overwrite": True}
    report = pt.track_dataset(again.dataset, "back", tracker=drift, grid_size=2, **where)
    assert (report.failures, report.warnings) == ([], [])
    assert dataset.values("back_info.num_frames") == [60, 20]


def test_a_source_sample_that_is_gone_is_a_failure(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    copies = pt.preprocess_dataset(dataset, out).dataset
    dataset.delete_samples([dataset.first().id])
    report = pt.track_dataset(copies, "back", tracker=drift, grid_size=2, write_to="source")
    assert [f.kind for f in report.failures] == ["WriteError"]
    assert "no longer in the dataset" in report.failures[0].message
    name = dataset.name
    dataset.delete()
    with pytest.raises(CollectionError, match=f"{name}.*deleted or renamed"):
        pt.track_dataset(copies, "other", tracker=drift, write_to="source")


def test_samples_without_a_copy_are_failures(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    pt.preprocess_dataset(dataset.limit(1), out, target="media_field", media_field="small")
    report = pt.track_dataset(dataset, tracker=drift, grid_size=2, write_to="source", media_field="small")
    assert [f.filepath for f in report.failures] == [dataset.last().filepath]
    assert "Preprocess it first" in report.failures[0].message


def test_what_cannot_go_back_is_refused(dataset: fo.Dataset, out: Path, drift: DriftTracker) -> None:
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"write_to": "somewhere"}, OptionError, "Supported values are media, source"),
        ({"write_to": "source"}, CollectionError, "not made by preprocessing"),
        ({"interpolate": True}, OptionError, "write_to='source'"),
        ({"media_field": "small"}, OptionError, "write_to='source'"),
        ({"media_field": "small", "write_to": "source"}, FieldError, "no media field"),
        ({"media_field": "small", "write_to": "source", "points": "seeds"}, OptionError, "source's frames"),
    ]
    for options, error, text in cases:
        with pytest.raises(error, match=text):
            pt.track_dataset(dataset, tracker=drift, **options)
    pt.preprocess_dataset(dataset, out, target="media_field", media_field="small")
    dataset.add_frame_field("mask", fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation)
    with pytest.raises(FieldError, match="mask field on samples"):
        pt.track_dataset(dataset, tracker=drift, mask_field="mask", media_field="small", write_to="source")
    twice = pt.preprocess_dataset(dataset, out).dataset
    copy = twice.first()
    twice.add_sample(fo.Sample(filepath=copy.filepath, source_video=copy.source_video.copy()))
    with pytest.raises(CollectionError, match="same source"):
        pt.track_dataset(twice, tracker=drift, write_to="source")


# what is refused before anything is made


def test_output_folders_among_the_sources_are_refused(dataset: fo.Dataset, sources: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(sources)
    for folder in (sources, tmp_path / "link", f"{sources}/../sources"):
        with pytest.raises(OptionError, match="is the folder of the source videos"):
            pt.preprocess_dataset(dataset, folder)
    for folder in (sources / "small", tmp_path / "link" / "a" / "b"):
        with pytest.raises(OptionError, match="lies inside the folder of source videos"):
            pt.preprocess_dataset(dataset, folder)
    assert _files(sources) == ["a.mp4", "b.mp4"]
    assert dataset.list_runs() == []


def test_folders_that_cannot_be_written_are_refused(dataset: fo.Dataset, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    with pytest.raises(OutputError, match="is a file"):
        pt.preprocess_dataset(dataset, blocker)
    with pytest.raises(OutputError, match="cannot be written to"):
        pt.preprocess_dataset(dataset, blocker / "below")
    if os.name == "posix" and Path("/proc/self").exists():
        with pytest.raises(OutputError, match="cannot be written to"):
            pt.preprocess_dataset(dataset, "/proc/point-tracking-copies")
    assert dataset.list_runs() == []


def test_collections_without_videos_are_refused(
    dataset: fo.Dataset, make_dataset: MakeDataset, tmp_path: Path, out: Path
) -> None:
    picture = media.picture_file(tmp_path / "picture.png")
    with pytest.raises(CollectionError, match=r"^Expected videos, and the media type of this collection is 'image'"):
        pt.preprocess_dataset(make_dataset(picture), out)
    grouped = make_dataset()
    grouped.add_group_field("group", default="video")
    group = fo.Group()
    grouped.add_samples(
        [
            fo.Sample(filepath=str(picture), group=group.element("picture")),
            fo.Sample(filepath=dataset.first().filepath, group=group.element("video")),
        ]
    )
    with pytest.raises(CollectionError, match="grouped"):
        pt.preprocess_dataset(grouped, out)
    with pytest.raises(CollectionError, match="'mixed'"):
        pt.preprocess_dataset(grouped.select_group_slices(_allow_mixed=True), out)
    report = pt.preprocess_dataset(grouped.select_group_slices("video"), out)
    assert (report.num_samples, report.failures) == (1, [])
    with pytest.raises(CollectionError, match="found list"):
        pt.preprocess_dataset([], out)
    assert pt.preprocess_dataset(make_dataset(), out).outcomes == []


def test_a_data_set_whose_making_was_cut_off_is_no_obstacle(
    dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fo.Dataset.save
    name = f"{dataset.name}-preprocessed"

    def die(made: fo.Dataset) -> None:
        if made.name == name or "point_tracking" in made.info:
            raise KeyboardInterrupt
        real(made)

    monkeypatch.setattr(fo.Dataset, "save", die)
    with pytest.raises(KeyboardInterrupt):
        pt.preprocess_dataset(dataset, out)
    monkeypatch.undo()
    report = pt.preprocess_dataset(dataset, out)
    assert (report.num_reused, report.failures) == (2, [])
    assert report.dataset_name == name
    assert report.dataset.persistent
    assert fo.load_dataset(name).media_type == "video"


def test_other_peoples_data_sets_are_left_alone(dataset: fo.Dataset, make_dataset: MakeDataset, out: Path) -> None:
    other = make_dataset()
    with pytest.raises(CollectionError, match="did not make it"):
        pt.preprocess_dataset(dataset, out, dataset_name=other.name)
    with pytest.raises(CollectionError, match="the source videos itself"):
        pt.preprocess_dataset(dataset, out, dataset_name=dataset.name, overwrite=True)
    name = pt.preprocess_dataset(dataset, out).dataset_name
    with pytest.raises(CollectionError, match="copies of 2 of these videos in another folder"):
        pt.preprocess_dataset(dataset, f"{out}2", dataset_name=name)
    moved = pt.preprocess_dataset(dataset, f"{out}2", dataset_name=name, overwrite=True).dataset
    assert [Path(path).parent for path in moved.values("filepath")] == [Path(f"{out}2")] * 2
    stranger = make_dataset(dataset.first().filepath)
    with pytest.raises(CollectionError, match=f"copies of the videos of '{dataset.name}', not of '{stranger.name}'"):
        pt.preprocess_dataset(stranger, out, dataset_name=name, overwrite=True)
    with pytest.raises(CollectionError, match="the source videos itself"):
        pt.preprocess_dataset(moved, f"{out}3", dataset_name=name)
    assert len(moved) == 2
    assert not Path(f"{out}3").exists()


def test_names_that_fiftyone_would_refuse_in_the_end_are_refused_first(dataset: fo.Dataset, out: Path) -> None:
    with pytest.raises(OptionError, match="in addresses it reads"):
        pt.preprocess_dataset(dataset, out, dataset_name=dataset.name.replace(".", "-"))
    with pytest.raises(OptionError, match="Choose another one"):
        pt.preprocess_dataset(dataset, out, dataset_name="$$$")
    assert dataset.list_runs() == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"fps": 0}, "rate above 0"),
        ({"fps": -2}, "rate above 0"),
        ({"every_nth": 0}, "at least 1"),
        ({"max_frames": -1}, "at least 1"),
        ({"policy": "fps"}, "needs a value"),
        ({"policy": "auto", "fps": 3}, "takes no fps"),
        ({"longest_side": 1}, "at least 16"),
        ({"target": "cloud"}, "dataset, media_field"),
        ({"dataset_name": " "}, "Expected a name"),
        ({"num_workers": 0}, "at least 1"),
        ({"run_key": "a b"}, "letters, digits"),
        ({"output_dir": ""}, "path of a folder"),
        ({"overwrite": "no"}, "Invalid overwrite"),
        ({"persistent": 0}, "Invalid persistent"),
    ],
)
def test_bad_options_are_refused(dataset: fo.Dataset, out: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        pt.preprocess_dataset(dataset, **{"output_dir": out, **options})
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a b", "letters"),
        ("", "letters"),
        ("_x", "letters"),
        ("a.b", "letters"),
        *((name, "uses this name itself") for name in ("filepath", "tags", "id", "sample_id", "media_type", "class")),
        ("frames", "reserved"),
        (3, "letters"),
    ],
)
def test_a_media_field_needs_a_name_of_its_own(dataset: fo.Dataset, out: Path, name: Any, text: str) -> None:
    before = set(dataset.get_field_schema())
    with pytest.raises(FieldError, match=text):
        pt.preprocess_dataset(dataset, out, target="media_field", media_field=name)
    assert not out.exists()
    assert set(dataset.get_field_schema()) == before


def test_a_run_key_is_not_taken_from_another_run(dataset: fo.Dataset, out: Path) -> None:
    report = pt.preprocess_dataset(dataset, out, run_key="mine")
    assert report.run_key == "mine"
    with pytest.raises(OptionError, match=r"There is a run 'mine'.*delete that run, or use overwrite=True to run"):
        pt.preprocess_dataset(dataset, out, run_key="mine")
    with pytest.raises(
        OptionError, match=r"There is a run 'mine' already\. Choose another run key or delete that run$"
    ):
        pt.track_dataset(dataset, grid_size=2, run_key="mine", overwrite=True)
    assert pt.preprocess_dataset(dataset, out, run_key="mine", overwrite=True).run_key == "mine"
    assert pt.preprocess_dataset(dataset, out).run_key == "preprocess"


def test_an_error_while_working_still_leaves_a_report(
    dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(preprocess_module, "transcode", fail)
    report = pt.preprocess_dataset(dataset, out)
    assert [(f.kind, f.message) for f in report.failures] == [("RuntimeError", "unexpected")] * 2
