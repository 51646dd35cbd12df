"""The metadata that samples are given: right where it is cheap to know, corrected by what a run decodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import container_media
import fiftyone as fo
import media
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.tracks.videos import fill_metadata
from point_tracking.workflows.tracking.report import TrackReport

MakeDataset = Callable[..., fo.Dataset]

FILES: dict[str, Callable[[Path], Path]] = {
    "fragmented.mp4": container_media.fragmented_video,
    "live.webm": container_media.live_video,
    "late.webm": lambda p: media.vp9_video(p, 60, start_s=12.5),
    "late.mkv": lambda p: media.video(p, 60, start_s=12.5),
    "trimmed.mp4": container_media.trimmed_video,
}


@pytest.mark.parametrize("name", FILES)
def test_odd_containers_are_filled_in_rightly(make_dataset: MakeDataset, tmp_path: Path, name: str) -> None:
    dataset = make_dataset(FILES[name](tmp_path / name))
    assert fill_metadata(dataset) == 1
    metadata = dataset.first().metadata
    assert metadata.total_frame_count == 60
    assert (metadata.frame_rate, metadata.duration) == (pytest.approx(10, rel=0.01), pytest.approx(6, rel=0.02))


@pytest.mark.parametrize("name", [*FILES, "over.mp4"])
def test_a_run_corrects_what_was_stored(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker, name: str
) -> None:
    make = FILES.get(name, lambda p: media.overdeclared_video(p, 60))
    dataset = make_dataset(make(tmp_path / name))
    sample = dataset.first()
    sample.metadata = fo.VideoMetadata(
        frame_width=160, frame_height=120, total_frame_count=20, frame_rate=30.0, duration=0.7, mime_type="video/mine"
    )
    sample.metadata["camera"] = "left"
    sample.save()
    report = pt.track_dataset(dataset, tracker=drift, grid_size=2)
    dataset.reload()
    sample.reload()
    metadata = sample.metadata
    assert (metadata.total_frame_count, len(sample.frames)) == (60, 60)
    assert (metadata.frame_rate, metadata.duration) == (pytest.approx(10, rel=0.01), pytest.approx(6, rel=0.02))
    assert (metadata.mime_type, metadata["camera"]) == ("video/mine", "left")
    assert bool(_of_videos(report)) == (name == "over.mp4")


def test_numbers_that_other_programs_round_stay(make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.metadata = fo.VideoMetadata(
        frame_width=160, frame_height=120, total_frame_count=12, frame_rate=9.99, duration=1.201
    )
    sample.save()
    pt.track_dataset(dataset, tracker=drift, grid_size=2)
    sample.reload()
    assert (sample.metadata.frame_rate, sample.metadata.duration) == (9.99, 1.201)


def test_a_varying_rate_is_said_with_the_remedy(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker, clip: Path
) -> None:
    dataset = make_dataset(media.variable_rate_video(tmp_path / "varying.mp4", 60), clip)
    report = pt.track_dataset(dataset, tracker=drift, grid_size=2)
    ((path, warning),) = _of_videos(report)
    assert path.endswith("varying.mp4")
    assert "of 60 frames it draws labels on another picture" in warning
    assert "preprocess_dataset" in warning


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_remedy_gives_a_regular_copy(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker, seed: int
) -> None:
    (tmp_path / "videos").mkdir()
    times = media.variable_rate_times(60, seed)
    dataset = make_dataset(media.video(tmp_path / "videos" / "varying.mp4", 60, times_s=times))
    ((_, warning),) = _of_videos(pt.track_dataset(dataset, tracker=drift, grid_size=2))
    fps = float(warning.split("fps=")[1].rstrip(")"))
    copies = pt.preprocess_dataset(dataset, output_dir=str(tmp_path / "copies"), fps=fps).dataset
    try:
        assert _of_videos(pt.track_dataset(copies, tracker=drift, grid_size=2)) == []
        assert copies.first().metadata.frame_rate == pytest.approx(fps, rel=0.01)
    finally:
        copies.delete()


def _of_videos(report: TrackReport) -> list[tuple[str, str]]:
    """The warnings about videos, without those about plain pictures."""
    return [(path, warning) for path, warning in report.warnings if "featureless" not in warning]
