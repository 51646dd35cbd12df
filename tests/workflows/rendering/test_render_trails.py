"""The tracks of a sample as a file to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt
from point_tracking.tracker.errors import (
    CollectionError,
    FieldError,
    OptionError,
    OutputError,
    OutputExistsError,
    PointTrackingError,
)

MakeDataset = Callable[..., fo.Dataset]
NAMES: dict[str, Any] = {"labels": ["goat", "goat", "kid"], "objects": [1, 1, 2]}


def frames_of(path: str) -> np.ndarray:
    return np.concatenate(list(pt.VideoFrames(path).chunks()))


def still(*points: tuple[float, float]) -> pt.Tracks:
    xy = np.broadcast_to(np.array(points, dtype=float), (12, len(points), 2))
    return pt.Tracks(xy=xy, visible=np.ones(xy.shape[:2], bool), confidence=np.ones(xy.shape[:2]))


def changed(path: str, source: Path) -> np.ndarray:
    """(H, W) bool, where frame 5 was drawn on."""
    made, before = frames_of(path)[5].astype(int), frames_of(str(source))[5]
    return np.abs(made[: before.shape[0], : before.shape[1]] - before).max(axis=2) > 60


@pytest.mark.parametrize("layout", ["points", "frame", "objects"])
def test_tracks_of_every_layout_are_drawn_where_they_are(
    make_dataset: MakeDataset, clip: Path, tmp_path: Path, layout: str
) -> None:
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", replace(still((30, 90), (80, 100), (130, 80)), **NAMES), layout=layout)
    before = sample.to_dict(include_frames=True)
    rendered = pt.render_trails(sample, "tracks", tmp_path / "out.mp4")
    assert (rendered.size_px, rendered.num_frames) == (media.SIZE, 12)
    drawn = changed(rendered.path, clip)
    assert all(drawn[y - 1 : y + 2, x - 1 : x + 2].any() for x, y in ((30, 90), (80, 100), (130, 80)))
    assert drawn.sum() < 3 * 60
    assert sample.to_dict(include_frames=True) == before


def test_hidden_points_are_shown_when_asked_for_and_what_is_not_drawn_is_said(
    make_dataset: MakeDataset, clip: Path, tmp_path: Path
) -> None:
    sample = make_dataset(clip).first()
    tracks = still((30, 90), (80, 100))
    visible = np.array(tracks.visible)
    visible[:, 1] = False
    pt.write_tracks(sample, "tracks", replace(tracks, visible=visible), keep_hidden=True)
    for show_hidden in (True, False):
        path = tmp_path / f"{show_hidden}.png"
        made = pt.render_trails(sample, "tracks", path, show_hidden=show_hidden, frame_index=5).path
        import cv2

        picture = cv2.imread(made)
        assert picture is not None
        before = frames_of(str(clip))[5][..., ::-1]
        around = np.abs(picture.astype(int) - before).max(axis=2)[94:107, 74:87] > 40
        assert around.any() == show_hidden
        assert not around[6, 6]
    pt.write_tracks(sample, "hidden", replace(tracks, visible=np.zeros_like(visible)), keep_hidden=True)
    told = [pt.render_trails(sample, "hidden", tmp_path / f"all_{k}.png", show_hidden=k) for k in (True, False)]
    warning = "no point of 'hidden' is visible in any frame, and hidden points were left out"
    assert [one.warnings for one in told] == [(), (warning,)]
    for frame in sample.frames.values():  # in pixels of another video, as other programs may leave them
        frame["foreign"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(3.0, 4.0)], index=1)])
    sample.save()
    warning = (
        "12 of 12 visible points of 'foreign' lie outside the 160 x 120 frame, so these tracks are of another video"
    )
    assert pt.render_trails(sample, "foreign", tmp_path / "foreign.png").warnings == (warning,)


def test_two_fields_lie_side_by_side(make_dataset: MakeDataset, clip: Path, tmp_path: Path) -> None:
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", still((30, 90)))
    keypoint = fo.Keypoint(points=[(0.5, 0.75)], index=1)
    sample.frames[3]["ground_truth"] = fo.Keypoints(keypoints=[keypoint])
    sample.save()
    rendered = pt.render_trails(sample, "tracks", tmp_path / "out.mp4", compare_field="frames.ground_truth")
    assert rendered.size_px == (2 * media.SIZE[0], media.SIZE[1])


def test_labels_colour_points_where_there_are_some(make_dataset: MakeDataset, clip: Path, tmp_path: Path) -> None:
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "named", replace(still((30, 90), (80, 100), (130, 80)), **NAMES))
    pt.write_tracks(sample, "plain", still((30, 90)))
    assert pt.render_trails(sample, "named", tmp_path / "named.png", color_by="label").num_frames == 1
    with pytest.raises(FieldError, match="carry no labels"):
        pt.render_trails(sample, "plain", tmp_path / "plain.png", color_by="label")
    assert [path.name for path in tmp_path.glob("*.png")] == ["named.png"]


@pytest.mark.parametrize(
    ("name", "field", "options", "error", "message"),
    [
        ("out.mp4", "nothing", {}, FieldError, "no frame field 'nothing'"),
        ("out.mp4", "empty", {}, FieldError, "'empty' holds no tracks in this sample"),
        ("out.mp4", "tracks", {"compare_field": "tracks"}, OptionError, "Name another field"),
        ("out.mp4", "tracks", {"compare_field": "nothing"}, FieldError, "no frame field 'nothing'"),
        ("out.avi", "tracks", {}, OptionError, r"\.mp4, \.png"),
        ("no/out.mp4", "tracks", {}, OutputError, "no folder"),
        ("taken.mp4", "tracks", {}, OutputExistsError, "overwrite=True"),
        ("out.mp4", "tracks", {"tail": -1}, OptionError, "0 to 1000"),
        ("out.mp4", "tracks", {"color_by": "mood"}, OptionError, "track, label, object, speed"),
        ("out.mp4", "tracks", {"frame_index": 0}, OptionError, "file shows all frames"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    make_dataset: MakeDataset,
    clip: Path,
    out: Path,
    name: str,
    field: str,
    options: dict[str, Any],
    error: type[PointTrackingError],
    message: str,
) -> None:
    out.mkdir()
    (out / "taken.mp4").write_text("mine")
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", still((30, 90)))
    hidden = pt.Tracks(xy=np.zeros((12, 5, 2)), visible=np.zeros((12, 5), bool), confidence=np.zeros((12, 5)))
    pt.write_tracks(sample, "empty", hidden)
    with pytest.raises(error, match=message):
        pt.render_trails(sample, field, out / name, **options)
    assert [path.name for path in out.iterdir()] == ["taken.mp4"]


def test_clips_and_loose_samples_are_refused(make_dataset: MakeDataset, clip: Path, tmp_path: Path) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    pt.write_tracks(sample, "tracks", random_tracks(np.random.default_rng(0), 12, 3, media.SIZE))
    sample["parts"] = fo.TemporalDetections(detections=[fo.TemporalDetection(label="a", support=[2, 5])])
    sample.save()
    with pytest.raises(CollectionError, match="a clip"):
        pt.render_trails(dataset.to_clips("parts").first(), "tracks", tmp_path / "out.mp4")
    with pytest.raises(CollectionError, match="sample of a dataset"):
        pt.render_trails(fo.Sample(filepath=str(clip)), "tracks", tmp_path / "out.mp4")
