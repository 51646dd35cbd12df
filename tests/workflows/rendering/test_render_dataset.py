"""Files of many samples: which are made, left, refused, and shown in the App."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt
from point_tracking.tracker.errors import (
    CollectionError,
    DatabaseError,
    FieldError,
    OptionError,
    OutputError,
    PointTrackingError,
)
from point_tracking.workflows.output_files.folders import file_name
from point_tracking.workflows.rendering import render_dataset as render_dataset_module

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
    expected = [file_name(str(clips[k]), f"tracks-{dataset.values('id')[k]}", ".mp4") for k in (0, 2)]
    assert names_in(out / "deep") == sorted(expected)
    assert told[-1].progress == 1
    assert str(report).startswith("Drew tracks of 2 samples in ")
    assert str(report).endswith("MiB); 1 failure")
    assert f"into {out / 'deep'} (" in str(report)
    dataset.reload()
    assert pt.load_report(dataset, "render_tracks") == report
    record = dataset.get_run_info("render_tracks").config
    assert (record.suffix, record.tail, record.output_dir) == (".mp4", 15, str(out / "deep"))


def test_the_same_call_again_makes_what_is_missing(make_dataset: MakeDataset, clips: list[Path], out: Path) -> None:
    dataset = tracked(make_dataset, clips[:3])
    report = pt.render_dataset(dataset, "tracks", out, cancelled=lambda: True, longest_side=32)
    assert report.cancelled
    assert report.num_not_run == 3
    assert names_in(out) == []
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


def test_pictures_of_all_samples_lie_beside_their_videos_where_no_folder_is_given(
    make_dataset: MakeDataset, clips: list[Path]
) -> None:
    dataset = tracked(make_dataset, clips[:2])
    report = pt.render_dataset(dataset, "tracks", None, suffix=".png")
    made = [Path(outcome.output_path or "") for outcome in report.outcomes]
    assert [path.parent for path in made] == [path.parent for path in clips[:2]]
    assert [path.name for path in made] == [f"{k}-tracks-{i}.png" for k, i in enumerate(dataset.values("id"))]
    assert "beside their videos (" in str(report)
    dataset.reload()
    assert pt.load_report(dataset, "render_tracks") == report


def test_a_media_field_that_may_not_be_written_is_refused(
    make_dataset: MakeDataset, clips: list[Path], out: Path
) -> None:
    dataset = tracked(make_dataset, clips[:1])
    pt.render_dataset(dataset, "tracks", out, media_field="trails")
    dataset.reload()
    field = dataset.get_field("trails")
    field.read_only = True
    field.save()
    with pytest.raises(FieldError, match="read-only"):
        pt.render_dataset(dataset, "tracks", out, media_field="trails", overwrite=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"suffix": ".avi"}, OptionError, r"\.mp4, \.png"),
        ({"overwrite": True, "skip_existing": True}, OptionError, "exclude each other"),
        ({"tail": 2000}, OptionError, "0 to 1000"),
        ({"label_field": "nothing"}, FieldError, "no frame field 'nothing'"),
        ({"compare_field": "nothing"}, FieldError, "no frame field 'nothing'"),
        ({"media_field": "notes"}, FieldError, "something else"),
        ({"media_field": "filepath"}, FieldError, "uses this name itself"),
        ({"media_field": "a b"}, FieldError, "letters"),
        ({"media_field": "trails", "suffix": ".png"}, OptionError, r"cannot hold \.png"),
        ({"keep_audio": True, "suffix": ".gif"}, OptionError, r"\.gif file holds no sound"),
        ({"num_workers": 0}, OptionError, "at least 1"),
        ({"run_key": "a b"}, OptionError, "Invalid run key"),
        ({"output_dir": 3}, OptionError, "path of a folder"),
        ({"compare_field": 3}, OptionError, "name of a frame field"),
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
    with pytest.raises(OutputError, match="cannot be written to"):
        pt.render_dataset(dataset, "tracks", out)
    with pytest.raises(CollectionError):
        pt.render_dataset(dataset.to_frames(sample_frames=False), "tracks", out)


def test_what_somebody_deletes_meanwhile_is_a_failure_of_its_sample(
    make_dataset: MakeDataset, clips: list[Path], out: Path
) -> None:
    dataset = tracked(make_dataset, clips[:3])
    ids = dataset.values("id")

    def delete(progress: Any) -> None:
        if progress.iteration == 1 and len(dataset) == 3:
            dataset.delete_samples(ids[2:])
            dataset.delete_frame_field("tracks")

    report = pt.render_dataset(dataset, "tracks", out, num_workers=1, progress=delete)
    assert report.outcomes[0].status == "done"
    # the second may have been read before
    assert (report.outcomes[2].kind, report.num_targets) == ("CollectionError", 3)
    assert "was deleted since the run began" in report.failures[-1].message
    assert names_in(out) == sorted(Path(o.output_path).name for o in report.outcomes if o.output_path)
    with pytest.raises(FieldError, match="no frame field 'tracks'"):
        pt.render_dataset(dataset, "tracks", out)


def test_any_error_is_a_failure_of_its_sample_and_an_outage_ends_the_run(
    make_dataset: MakeDataset, clips: list[Path], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = tracked(make_dataset, clips[:3])
    errors = iter([ZeroDivisionError("odd"), DatabaseError("away")])
    original = render_dataset_module.render

    def fail(*args: Any, **options: Any) -> Any:
        error = next(errors, None)
        if error is not None:
            raise error
        return original(*args, **options)

    monkeypatch.setattr(render_dataset_module, "render", fail)
    with pytest.raises(DatabaseError, match="away"):
        pt.render_dataset(dataset, "tracks", out, num_workers=1, media_field="trails")
    dataset.reload()
    report: Any = pt.load_report(dataset, "render_tracks")
    assert [(outcome.status, outcome.kind) for outcome in report.outcomes[:2]] == [
        ("failed", "ZeroDivisionError"),
        ("not run", None),
    ]
    # the third may have been at work when the second ended the run
    report = pt.render_dataset(dataset, "tracks", out, skip_existing=True, media_field="trails")
    assert report.failures == []
    assert all(Path(path).is_file() for path in dataset.values("trails"))
    assert len(names_in(out)) == 3


def test_a_killed_run_leaves_no_halves_and_is_continued(
    make_dataset: MakeDataset, clips: list[Path], out: Path, start: Callable[..., subprocess.Popen]
) -> None:
    dataset = tracked(make_dataset, clips[:3])
    process = start(
        dataset,
        render={"label_field": "tracks", "output_dir": str(out), "longest_side": 3200, "num_workers": 1},
    )
    deadline = time.monotonic() + 60
    while not (list(out.glob("*.mp4")) and list(out.glob(".*.part"))) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert list(out.glob(".*.part"))
    assert len(list(out.glob("*.mp4"))) < 3
    report = pt.render_dataset(dataset, "tracks", out, skip_existing=True)
    assert {outcome.status for outcome in report.outcomes} == {"skipped", "done"}
    assert len(names_in(out)) == 3
    dataset.reload()
    died: Any = pt.load_report(dataset, "render_tracks")
    assert died.interrupted
    assert [outcome.status for outcome in died.outcomes] == ["done"] * len(died.outcomes)


def test_videos_of_groups_are_rendered_by_slice_and_other_collections_refused(
    make_dataset: MakeDataset, clips: list[Path], out: Path, no_datasets_stay: None
) -> None:
    groups = fo.Dataset()
    groups.add_group_field("group", default="left")
    group = fo.Group()
    groups.add_samples(
        [fo.Sample(filepath=str(clips[k]), group=group.element(name)) for k, name in enumerate(("left", "right"))]
    )
    for sample in groups.select_group_slices(["left", "right"]):
        pt.write_tracks(sample, "tracks", random_tracks(np.random.default_rng(0), 6, 3, (64, 48)))
    with pytest.raises(CollectionError, match="slice of videos"):
        pt.render_dataset(groups, "tracks", out)
    report = pt.render_dataset(
        groups.select_group_slices(["left", "right"]), "tracks", out, media_field="trails", suffix=".mp4"
    )
    assert [outcome.status for outcome in report.outcomes] == ["done", "done"]
    assert len(names_in(out)) == 2
    groups.reload()
    assert sorted(groups.select_group_slices(["left", "right"]).values("trails")) == sorted(
        outcome.output_path for outcome in report.outcomes
    )
    dataset = tracked(make_dataset, clips[:1])
    dataset.set_values("parts", [fo.TemporalDetections(detections=[fo.TemporalDetection(label="a", support=[2, 4])])])
    with pytest.raises(CollectionError, match="clips view"):
        pt.render_dataset(dataset.to_clips("parts"), "tracks", out)


def test_an_empty_collection_makes_nothing(make_dataset: MakeDataset, clips: list[Path], out: Path) -> None:
    dataset = tracked(make_dataset, clips[:1])
    report = pt.render_dataset(dataset.match(fo.ViewField("filepath") == ""), "tracks", out)
    assert (report.outcomes, report.run_key) == ([], None)
    assert not out.exists()
