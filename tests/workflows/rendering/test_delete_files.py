"""Taking back what a run drew: its own files alone, and only as it left them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt
from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.lifecycle.kinds import TakenBack
from point_tracking.workflows.rendering.delete_files import delete_files, plan_deletion

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def dataset(make_dataset: MakeDataset, clips: list[Path]) -> fo.Dataset:
    """Three tracked clips."""
    dataset = make_dataset(*clips[:3])
    for k, sample in enumerate(dataset):
        pt.write_tracks(sample, "tracks", random_tracks(np.random.default_rng(k), 6 + k, 3, (64, 48)))
    return dataset


def render(samples: Any, out: Path, **options: Any) -> list[Path]:
    """The files of a run of small pictures or videos."""
    report = pt.render_dataset(samples, "tracks", out, longest_side=32, progress=False, **options)
    assert report.failures == []
    return [Path(outcome.output_path or "") for outcome in report.outcomes]


def test_files_go_with_their_paths_and_what_was_changed_is_kept_and_named(dataset: fo.Dataset, out: Path) -> None:
    first, second, third = render(dataset, out, media_field="trails")
    notes = out / "notes.txt"
    notes.write_text("mine")
    second.write_bytes(second.read_bytes() + b"mine")
    third.unlink()
    planned = plan_deletion(dataset, "render_tracks")
    assert planned == TakenBack("1 file (0.0 MiB) and the paths in 'trails'", (f"{second} was changed since",))
    assert delete_files(dataset, "render_tracks") == planned
    assert sorted(out.iterdir()) == sorted([second, notes])
    dataset.reload()
    assert not dataset.has_sample_field("trails")
    assert dataset.app_config.media_fields == ["filepath"]
    assert dataset.list_runs() == []
    assert not first.exists()


def test_a_file_of_the_same_size_that_was_written_since_is_not_the_run_s(dataset: fo.Dataset, out: Path) -> None:
    (path,) = render(dataset[:1], out, suffix=".png")
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
    link = out / "link.png"
    link.symlink_to(path)
    assert delete_files(dataset, "render_tracks").kept == (f"{path} was changed since",)
    assert path.is_file()


def test_what_other_runs_wrote_or_show_stays(dataset: fo.Dataset, out: Path) -> None:
    mine = render(dataset[:2], out, media_field="trails", run_key="first")
    render(dataset, out, media_field="trails", run_key="second", skip_existing=True)
    delete_files(dataset, "second")
    dataset.reload()
    assert sorted(out.iterdir()) == sorted(mine), "those it found stay, and the one it made goes"
    assert dataset.values("trails") == [*map(str, mine), None]
    render(dataset[:1], out, media_field="trails", run_key="anew", overwrite=True)
    assert delete_files(dataset, "first").kept == (f"{mine[0]} was changed since",)
    dataset.reload()
    assert dataset.values("trails") == [str(mine[0]), None, None]
    assert delete_files(dataset, "anew").kept == ()
    dataset.reload()
    assert not dataset.has_sample_field("trails")


def test_what_the_system_does_not_let_go_of_is_told_and_can_be_tried_again(
    dataset: fo.Dataset, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = render(dataset[:1], out, suffix=".png")

    def refuse(_path: str) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        told = delete_files(dataset, "render_tracks")
    assert told == TakenBack("0 files (0.0 MiB)", (f"{path} could not be deleted (Permission denied)",))
    assert dataset.list_runs() == ["render_tracks"]
    delete_files(dataset, "render_tracks")
    assert (path.exists(), dataset.list_runs()) == (False, [])


def test_a_run_at_work_and_runs_that_drew_nothing_are_refused(dataset: fo.Dataset, out: Path) -> None:
    refused: list[str] = []

    def delete_meanwhile(_progress: Any) -> None:
        if not refused:
            with pytest.raises(OptionError, match="then delete its files") as error:
                delete_files(dataset, "render_tracks")
            refused.append(str(error.value))

    report = pt.render_dataset(dataset, "tracks", out, suffix=".png", progress=delete_meanwhile)
    assert (len(refused), len(list(out.iterdir())), report.failures) == (1, 3, [])
    with pytest.raises(OptionError, match="no run 'absent' that drew trails"):
        delete_files(dataset, "absent")
