"""Whole preprocessing runs, and tracks on their way back to the source's frames."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from preprocessed import files, shown, statuses
from run_states import leftovers

import point_tracking as pt
from point_tracking.tracker.errors import (
    CollectionError,
    OptionError,
)
from point_tracking.tracker.transcoding import transcode as transcode_module
from point_tracking.workflows.lifecycle.kinds import load_report
from point_tracking.workflows.preprocessing import preprocess_dataset as preprocess_module
from point_tracking.workflows.preprocessing.targets import output_name

MakeDataset = Callable[..., fo.Dataset]
SIZE = media.SIZE


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
        assert [number - 1 for number in origin.frame_numbers] == shown(copy.filepath)
        assert (origin.num_frames, origin.width, origin.height) == (pt.VideoFrames(source.filepath).num_frames, *SIZE)
        assert copy.metadata.total_frame_count == len(origin.frame_numbers)
        assert copy.metadata.frame_rate == 10
        assert copy.tags == source.tags
    assert {path: Path(path).read_bytes() for path in originals} == originals
    assert len(files(out)) == 2
    progress = [event.progress for event in events]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    config = dataset.get_run_info(report.run_key).config
    assert (config.method, config.policy["policy"], config.num_targets) == ("point_tracking_preprocess", "auto", 2)
    assert pt.load_report(dataset, report.run_key) == report


def test_a_second_run_reuses_the_copies_and_keeps_their_labels(dataset: fo.Dataset, out: Path) -> None:
    copies = pt.preprocess_dataset(dataset, out, every_nth=3).dataset
    ids, times = copies.values("id"), [(out / name).stat().st_mtime_ns for name in files(out)]
    report = pt.preprocess_dataset(dataset, out, every_nth=3)
    assert statuses(report) == ["reused", "reused"]
    assert "2 earlier copies reused" in str(report)
    assert [(out / name).stat().st_mtime_ns for name in files(out)] == times
    copies.reload()
    assert copies.values("id") == ids
    other = pt.preprocess_dataset(dataset, out, every_nth=2)
    assert [f.kind for f in other.failures] == ["OutputExistsError"] * 2
    assert other.dataset_name is None
    replaced = pt.preprocess_dataset(dataset.limit(1), out, every_nth=2, overwrite=True)
    assert statuses(replaced) == ["done"]
    copies.reload()
    assert len(copies) == 2
    assert copies.values("id")[0] == ids[1]
    assert copies.last().source_video.frame_numbers == list(range(1, 46, 2))


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
    assert files(out) == [output_name(str(good))]
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
    assert statuses(report) == ["failed", "done"]
    assert "no space left" in report.failures[0].message
    assert files(out) == [output_name(dataset.last().filepath)]


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
    assert statuses(report) == ["failed", "done"]
    assert "went away" in report.failures[0].message
    assert len(files(out)) == 1


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
    assert all(not name.startswith(".") for name in files(out))
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
    assert len(files(out)) == 4
    for one, two in zip(dataset.values("one"), dataset.values("two"), strict=True):
        assert one == two
        assert shown(one) == list(range(40))


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


def test_a_killed_preprocessing_run_is_continued_and_leaves_no_files(
    make_dataset: MakeDataset, tmp_path: Path, start: Callable[..., subprocess.Popen]
) -> None:
    (tmp_path / "sources").mkdir()
    out = tmp_path / "out"
    dataset = make_dataset(*(media.video(tmp_path / "sources" / f"{k}.mp4", 150, size=(320, 240)) for k in range(4)))
    process = start(
        dataset, preprocess={"output_dir": str(out), "preset": "veryslow", "every_nth": 1, "num_workers": 1}
    )
    deadline = time.monotonic() + 30
    while not (out.exists() and list(out.glob("*.mp4")) and list(out.glob(".*.part"))) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert list(out.glob(".*.part"))
    found: Any = load_report(dataset, "preprocess")
    assert found.interrupted
    report = pt.preprocess_dataset(dataset, out, preset="veryslow", every_nth=1, progress=False)
    assert report.failures == []
    assert report.num_reused >= 1
    assert sorted(path.name for path in out.iterdir()) == sorted(
        Path(p).name for p in report.dataset.values("filepath")
    )
    assert report.dataset.values("source_video.num_frames") == [150] * 4
    assert not leftovers(dataset)
    report.dataset.delete()


def test_a_full_disk_fails_the_copy_and_leaves_nothing(
    make_dataset: MakeDataset, tmp_path: Path, start: Callable[..., subprocess.Popen]
) -> None:
    import resource

    (tmp_path / "sources").mkdir()
    out = tmp_path / "out"
    clips = [media.video(tmp_path / "sources" / f"{k}.mp4", n, size=(320, 240)) for k, n in enumerate((100, 4))]
    dataset = make_dataset(*clips)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # what a full disk does to a write, a limit on the size of files does too
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        report = pt.preprocess_dataset(dataset, out, every_nth=1, longest_side=None, crf=1, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert [o.status for o in report.outcomes] == ["failed", "done"]
    assert report.failures[0].kind == "OutputError"
    assert [path.name for path in out.iterdir()] == [Path(report.dataset.first().filepath).name]
    report.dataset.delete()
