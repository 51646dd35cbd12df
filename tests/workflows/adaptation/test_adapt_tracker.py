"""`adapt_tracker` on datasets of real clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import adaptable
import fiftyone as fo
import media
import pytest
from adaptable import TeacherTracker, drifting_start, quick

import point_tracking as pt
from point_tracking.tracker.errors import (
    AdaptationError,
    CollectionError,
    TooFewVideosError,
)
from point_tracking.tracker.models.adapted import Lineage, WeightsTerms, save_adapted
from point_tracking.tracker.training.adapting.held_out import HeldOutVideos, Verdict
from point_tracking.workflows.adaptation import adapt_tracker as adaptation
from point_tracking.workflows.adaptation.report import AdaptationReport
from point_tracking.workflows.lifecycle.progress import Progress

MakeDataset = Callable[..., fo.Dataset]


def test_a_better_tracker_can_be_used_at_once(
    make_dataset: MakeDataset, videos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HeldOutVideos, "judge", lambda *_: Verdict(True, "better for this test"))
    plain = adaptable.plain_video(tmp_path / "plain.mp4")
    dataset = make_dataset(*videos, plain)
    told: list[Progress] = []
    report = quick(
        dataset,
        steps=8,
        seed=0,  # the plain video is one to train on
        progress=told.append,
    )
    assert report.kept, report
    assert report.path == str(tmp_path / "weights" / "adapted" / "mine.safetensors")
    assert report.before.keys() == report.after.keys() == {"returned", "median_px", "visible", "motion_px"}
    assert (report.num_videos, report.num_held_out, report.steps, report.cancelled) == (3, 1, 8, False)
    assert report.teachers == {"teacher": {"license": "LicenseRef-unknown", "commercial_use": False, "batches": 8}}
    assert [(one.filepath, one.reason) for one in report.skipped] == [(str(plain), "too few features to follow")]
    assert f"{report.num_skipped} clip" in str(report)
    assert "| before | " in str(report)
    assert "LicenseRef-unknown: NON-COMMERCIAL use only" in str(report)
    assert told[-1].progress == 1.0
    assert {p.label for p in told} >= {"Training", "Before training: tracking the held-out videos"}

    assert report.run_key == "adapt_mine"
    assert pt.load_report(dataset, "adapt_mine") == report
    config = dataset.get_run_info("adapt_mine").config
    assert (config.method, config.steps, config.teachers) == ("point_tracking_adaptation", 8, ["teacher"])
    tracked = pt.track_dataset(dataset.limit(1), "tracks", tracker="mine", grid_size=2)
    assert tracked.failures == []


def test_a_tracker_by_name_learns_from_itself(
    make_dataset: MakeDataset, videos: list[Path], weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_adapted("first", drifting_start().model, Lineage(WeightsTerms("pt-small", "Apache-2.0", True), (), "pt-small"))
    loads: list[str] = []
    load = pt.tracker.models.registry.load_tracker
    monkeypatch.setattr(adaptation, "load_tracker", lambda name, **o: loads.append(name) or load(name, **o))
    dataset = make_dataset(*videos)
    report = pt.adapt_tracker(
        dataset, "second", tracker="first", teachers=["first", "optical-flow"], steps=4, points=8, device="cpu", seed=1
    )
    assert loads == ["first", "optical-flow"], "each is loaded once"
    assert set(report.teachers) == {"first", "optical-flow"}
    assert sum(teacher["batches"] for teacher in report.teachers.values()) == 4
    assert (report.license, report.commercial_use) == ("Apache-2.0", True)


def test_a_run_that_is_not_better_says_why_and_is_recorded(
    make_dataset: MakeDataset, videos: list[Path], weights: Path, tmp_path: Path
) -> None:
    broken = media.text_file(tmp_path / "broken.mp4")
    dataset = make_dataset(*videos, broken)
    report = quick(dataset, learning_rate=1e-9, held_out=0.99, seed=2, name="not-better")
    # three are held out, the broken one among them
    assert not report.kept
    assert "was not stored: it is not better" in str(report)
    assert [failure.filepath for failure in report.failures] == [str(broken)]
    assert report.failures[0].sample_id == dataset.match(fo.ViewField("filepath") == str(broken)).first().id
    assert report.run_key == "adapt_not_better"
    assert list(weights.rglob("*.safetensors")) == []
    again = quick(dataset, learning_rate=1e-9, held_out=0.99, seed=2, name="not-better")
    assert again.run_key == "adapt_not_better_2"


def test_a_cancelled_run_stores_its_report_only(make_dataset: MakeDataset, videos: list[Path], weights: Path) -> None:
    told: list[Progress] = []
    dataset = make_dataset(*videos)
    report = quick(
        dataset, progress=told.append, cancelled=lambda: any(p.message == "Training" for p in told), steps=50
    )
    assert report.cancelled
    assert not report.kept
    assert "was cancelled; nothing was stored" in str(pt.load_report(dataset, "adapt_mine"))
    assert list(weights.rglob("*.safetensors")) == []


def test_what_ended_a_run_is_recorded(make_dataset: MakeDataset, videos: list[Path]) -> None:
    dataset = make_dataset(*videos)
    with pytest.raises(AdaptationError, match="20 clips in a row"):
        quick(dataset, teachers=[TeacherTracker(spoil="far")])
    stored = pt.load_report(dataset, "adapt_mine")
    assert isinstance(stored, AdaptationReport)
    assert "the teacher's points run away (20)" in stored.reason


def test_an_interrupt_is_recorded_as_the_reason(make_dataset: MakeDataset, videos: list[Path], weights: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.message == "Training":
            raise KeyboardInterrupt

    dataset = make_dataset(*videos)
    with pytest.raises(KeyboardInterrupt):
        quick(dataset, progress=interrupt)
    assert "was not stored: KeyboardInterrupt" in str(pt.load_report(dataset, "adapt_mine"))
    assert list(weights.rglob("*.safetensors")) == []


def test_a_run_whose_process_died_is_known(make_dataset: MakeDataset, videos: list[Path]) -> None:
    dataset = make_dataset(*videos)
    quick(dataset)
    dataset.delete_run("adapt_mine")
    config = dataset.init_run(method="point_tracking_adaptation", name="mine", tracker="tiny")
    dataset.register_run("adapt_mine", config)
    report = pt.load_report(dataset, "adapt_mine")
    assert isinstance(report, AdaptationReport)
    assert report.interrupted


def test_samples_and_labels_are_left_as_they_are(make_dataset: MakeDataset, videos: list[Path]) -> None:
    dataset = make_dataset(*videos)
    before = [sample.to_dict() for sample in dataset]
    contents = [video.read_bytes() for video in videos]
    quick(dataset)
    dataset.reload()
    assert [sample.to_dict() for sample in dataset] == before
    assert [video.read_bytes() for video in videos] == contents


def test_too_few_videos_are_refused_before_anything_is_recorded(make_dataset: MakeDataset, videos: list[Path]) -> None:
    for paths in ([], videos[:1], [videos[0], videos[0]]):
        dataset = make_dataset(*paths)
        with pytest.raises(TooFewVideosError, match=f"found {len(set(paths))}"):
            quick(dataset)
        assert dataset.list_runs() == []


def test_pictures_are_refused(make_dataset: MakeDataset, tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="image"):
        quick(make_dataset(media.picture_file(tmp_path / "a.png")))
