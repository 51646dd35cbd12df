"""Files of many samples: which are made, left, refused, and shown in the App."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldError, OptionError, OutputError, PointTrackingError
from point_tracking.workflows.rendering.render_dataset import file_name

MakeDataset = Callable[..., fo.Dataset]


def tracked(make_dataset: MakeDataset, clips: list[Path], *without: int) -> fo.Dataset:
    """A dataset of clips of 6, 7, 8, ... frames with tracks, but for some."""
    dataset = make_dataset(*clips)
    for k, sample in enumerate(dataset):
        if k not in without:
            pt.write_tracks(sample, "tracks", random_tracks(np.random.default_rng(k), 6 + k, 5, (64, 48)))
    return dataset


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_sample_has_its_file_and_what_failed_is_listed(
    make_dataset: MakeDataset, clips: list[Path], out: Path
) -> None:
    dataset = tracked(make_dataset, clips[:3], 1)
    told: list[Any] = []
    report = pt.render_dataset(dataset, "tracks", out / "deep", progress=told.append)
    assert [outcome.status for outcome in report.outcomes] == ["done", "failed", "done"]
    assert [outcome.num_frames for outcome in report.outcomes] == [6, 0, 8]
    assert [failure.kind for failure in report.failures] == ["FieldError"]
    assert "holds no tracks in this sample" in report.failures[0].message
    expected = [file_name(str(clips[k]), dataset.values("id")[k], ".mp4") for k in (0, 2)]
    assert names_in(out / "deep") == sorted(expected)
    assert told[-1].progress == 1
    assert str(report) == f"2 files made in {out / 'deep'}, 1 failed"


def test_the_same_call_again_makes_what_is_missing(make_dataset: MakeDataset, clips: list[Path], out: Path) -> None:
    dataset = tracked(make_dataset, clips[:3])
    calls = iter([False] * 6 + [True] * 100)
    report = pt.render_dataset(dataset, "tracks", out, cancelled=lambda: next(calls), longest_side=32)
    assert report.cancelled
    assert report.num_not_run == 3
    report = pt.render_dataset(dataset[:2], "tracks", out, longest_side=32)
    first = [Path(outcome.output_path or "").stat().st_mtime_ns for outcome in report.outcomes]
    report = pt.render_dataset(dataset, "tracks", out, skip_existing=True)
    assert [outcome.status for outcome in report.outcomes] == ["skipped", "skipped", "done"]
    assert [Path(outcome.output_path or "").stat().st_mtime_ns for outcome in report.outcomes[:2]] == first
    report = pt.render_dataset(dataset, "tracks", out)
    assert [outcome.kind for outcome in report.outcomes] == ["OutputExistsError"] * 3
    report = pt.render_dataset(dataset[:1], "tracks", out, overwrite=True)
    assert pt.probe(report.outcomes[0].output_path or "").size_px == (64, 48)
    assert len(names_in(out)) == 3


def test_the_app_offers_the_videos_as_media(make_dataset: MakeDataset, clips: list[Path], out: Path) -> None:
    dataset = tracked(make_dataset, clips[:2], 1)
    for _ in range(2):
        report = pt.render_dataset(dataset, "tracks", out, media_field="trails", skip_existing=True)
    dataset.reload()
    assert dataset.values("trails") == [report.outcomes[0].output_path, None]
    assert dataset.app_config.media_fields == ["filepath", "trails"]


def test_pictures_of_all_samples(make_dataset: MakeDataset, clips: list[Path], out: Path) -> None:
    report = pt.render_dataset(tracked(make_dataset, clips[:2]), "tracks", out, suffix=".png")
    assert [Path(outcome.output_path or "").suffix for outcome in report.outcomes] == [".png", ".png"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"suffix": ".avi"}, OptionError, r"\.mp4, \.png"),
        ({"overwrite": True, "skip_existing": True}, OptionError, "contradict"),
        ({"tail": 2000}, OptionError, "0 to 1000"),
        ({"label_field": "nothing"}, FieldError, "no frame field 'nothing'"),
        ({"compare_field": "nothing"}, FieldError, "no frame field 'nothing'"),
        ({"media_field": "notes"}, FieldError, "something else"),
        ({"media_field": "filepath"}, FieldError, "something else"),
        ({"media_field": "a b"}, FieldError, "letters"),
        ({"media_field": "trails", "suffix": ".png"}, OptionError, r"cannot hold \.png"),
    ],
)
def test_what_cannot_be_done_is_said_before_work_begins(
    make_dataset: MakeDataset,
    clips: list[Path],
    out: Path,
    options: dict[str, Any],
    error: type[PointTrackingError],
    message: str,
) -> None:
    dataset = tracked(make_dataset, clips[:1])
    dataset.set_values("notes", ["mine"])
    with pytest.raises(error, match=message):
        pt.render_dataset(dataset, **{"label_field": "tracks", "output_dir": out, **options})
    assert not out.exists()
    assert dataset.values("notes") == ["mine"]


def test_a_file_in_the_place_of_the_folder_and_what_holds_no_videos_are_refused(
    make_dataset: MakeDataset, clips: list[Path], out: Path
) -> None:
    out.write_text("mine")
    dataset = tracked(make_dataset, clips[:1])
    with pytest.raises(OutputError, match="cannot be made"):
        pt.render_dataset(dataset, "tracks", out)
    with pytest.raises(CollectionError):
        pt.render_dataset(dataset.to_frames(sample_frames=False), "tracks", out)


def test_names_tell_samples_apart() -> None:
    assert file_name("/a/cat.mkv", "0123", ".mp4") == "cat-0123.mp4"
    assert len(file_name("/a/" + "é" * 250, "0" * 24, ".mp4").encode()) < 255
