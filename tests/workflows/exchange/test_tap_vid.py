"""TAP-Vid's files and clips with truth as datasets, and back."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import (
    CollectionError,
    FieldError,
    OptionError,
    OutputExistsError,
    TruthError,
)
from point_tracking.tracker.formats.tap_vid import encode_jpeg, raster_to_pixels, read_tap_vid

pytestmark = pytest.mark.usefixtures("no_datasets_stay")
WIDTH, HEIGHT = media.SIZE
NUM_FRAMES = 7


def tap_vid_clip(seed: int = 0, *, jpeg: bool = False, size: tuple[int, int] = media.SIZE) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    frames = np.stack([media.picture(10 * seed + t, size) for t in range(NUM_FRAMES)])
    points = rng.uniform(0.02, 0.98, (4, NUM_FRAMES, 2)).astype(np.float32)
    occluded = rng.random((4, NUM_FRAMES)) < 0.4
    occluded[1, :3] = True
    occluded[1, 3] = False
    occluded[3] = True  # never visible
    video = [encode_jpeg(frame) for frame in frames] if jpeg else frames
    return {"video": video, "points": points, "occluded": occluded}


def saved(folder: Path, held: Any) -> Path:
    path = folder / "tapvid.pkl"
    path.write_bytes(pickle.dumps(held))
    return path


@pytest.mark.parametrize("jpeg", [False, True])
def test_a_tap_vid_file_becomes_a_data_set(tmp_path: Path, jpeg: bool) -> None:
    held = {name: tap_vid_clip(k, jpeg=jpeg) for k, name in enumerate(("goat", "a/b: c"))}
    dataset = pt.load_tapvid(saved(tmp_path, held), "davis", output_dir=tmp_path / "videos", fps=12)
    assert (dataset.name, dataset.media_type, len(dataset)) == ("davis", "video", 2)
    assert dataset.values("clip") == ["goat", "a/b: c"]
    assert sorted(p.name for p in (tmp_path / "videos").iterdir()) == ["a_b_c.mp4", "goat.mp4"]
    assert dataset.values("metadata.frame_rate") == [12, 12]
    sample = dataset.first()
    frames = np.concatenate(list(pt.VideoFrames(sample.filepath).chunks()))
    assert media.indices_in(frames) == list(range(NUM_FRAMES))
    tracks = pt.read_tracks(sample, "ground_truth")
    np.testing.assert_array_equal(tracks.visible, ~held["goat"]["occluded"].T)
    expected = np.moveaxis(raster_to_pixels(held["goat"]["points"], media.SIZE), 1, 0)
    np.testing.assert_allclose(tracks.xy, expected, atol=1e-3)
    # each visible point once, in the order of the points
    first = (~held["goat"]["occluded"]).argmax(axis=1)
    assert [q[0] for q in sample["queries"]] == first[:3].tolist()
    np.testing.assert_allclose(sample["queries"][1][1:], expected[first[1], 1])


def test_lists_are_numbered(tmp_path: Path) -> None:
    dataset = pt.load_tapvid(saved(tmp_path, [tap_vid_clip(0), tap_vid_clip(1)]), output_dir=tmp_path)
    assert dataset.values("clip") == ["tapvid_0000", "tapvid_0001"]
    assert len({Path(path).name for path in dataset.values("filepath")}) == 2


def test_points_in_the_outer_half_of_border_pixels_stay_visible(tmp_path: Path) -> None:
    clip = tap_vid_clip()
    clip["points"][0, :3] = [[0, 0], [1, 1], [0.5, 1.0]]
    clip["occluded"][0] = False
    clip["points"][2, 0], clip["occluded"][2, 0] = [1.2, 0.5], False
    tracks = pt.read_tracks(pt.load_tapvid(saved(tmp_path, [clip]), output_dir=tmp_path).first(), "ground_truth")
    assert tracks.visible[:, 0].all()
    np.testing.assert_allclose(
        tracks.xy[:3, 0], [[0, 0], [WIDTH - 1, HEIGHT - 1], [WIDTH / 2 - 0.5, HEIGHT - 1]], atol=1e-3
    )
    # what lies further out is no visible point
    assert not tracks.visible[0, 2]
    assert tracks.xy[0, 2, 0] == pytest.approx(1.2 * WIDTH - 0.5)


def test_no_query_lies_outside_the_frame_or_nowhere(tmp_path: Path) -> None:
    clip = tap_vid_clip()
    clip["occluded"][:3] = False
    clip["points"][0, 0] = np.nan
    clip["points"][1, :2] = [1.2, 0.5]
    clip["points"][2] = -0.2
    sample = pt.load_tapvid(saved(tmp_path, [clip]), output_dir=tmp_path).first()
    assert [q[0] for q in sample["queries"]] == [1, 2]
    tracks = pt.read_tracks(sample, "ground_truth")
    assert tracks.visible.argmax(axis=0)[:2].tolist() == [1, 2]
    assert not tracks.visible[:, 2].any()


def test_odd_sizes_keep_their_raster(tmp_path: Path) -> None:
    clip = tap_vid_clip(size=(161, 121))
    dataset = pt.load_tapvid(saved(tmp_path, [clip]), output_dir=tmp_path)
    expected = np.moveaxis(raster_to_pixels(clip["points"], (160, 120)), 1, 0)
    np.testing.assert_allclose(pt.read_tracks(dataset.first(), "ground_truth").xy, expected, atol=1e-3)


@pytest.mark.parametrize("video", ["raw", "jpeg"])
def test_there_and_back(tmp_path: Path, video: str) -> None:
    held = {"one": tap_vid_clip(0), "two": tap_vid_clip(1)}
    dataset = pt.load_tapvid(saved(tmp_path, held), output_dir=tmp_path)
    target = tmp_path / "again.pkl"
    pt.write_tapvid(dataset, target, video=video)
    for clip in read_tap_vid(target):
        np.testing.assert_allclose(clip.points, held[clip.name]["points"], atol=1e-5)
        np.testing.assert_array_equal(clip.occluded, held[clip.name]["occluded"])
        frames = list(clip.frames())
        assert all(
            media.looks_like(frame, before) for frame, before in zip(frames, held[clip.name]["video"], strict=True)
        )
    again = pt.load_tapvid(target, output_dir=tmp_path / "again")
    assert again.values("clip") == ["one", "two"]
    pt.write_tapvid(dataset.limit(1), target, as_list=True)
    assert [clip.name for clip in read_tap_vid(target)] == ["again_0000"]


def test_a_view_chooses_the_tracks_that_are_written(tmp_path: Path) -> None:
    dataset = pt.load_tapvid(saved(tmp_path, {"one": tap_vid_clip()}), output_dir=tmp_path)
    view = dataset.filter_labels("frames.ground_truth", fo.ViewField("index") == 1)
    pt.write_tapvid(view, tmp_path / "first.pkl")
    (clip,) = read_tap_vid(tmp_path / "first.pkl")
    assert clip.points.shape == (1, NUM_FRAMES, 2)


def test_tracked_from_its_queries_and_judged_by_itself(tmp_path: Path) -> None:
    """The truth as prediction: perfect, whichever way the points were asked for."""
    dataset = pt.load_tapvid(saved(tmp_path, {"a": tap_vid_clip()}), output_dir=tmp_path)
    sample = dataset.first()
    pt.write_tracks(sample, "tracks", pt.read_tracks(sample, "ground_truth"), keep_hidden=True)
    figures = pt.evaluate_dataset(dataset, "tracks", "ground_truth").outcomes[0].figures
    assert (figures["delta_avg"], figures["aj"], figures["oa"]) == (1.0, 1.0, 1.0)
    queries = pt.truth_queries(dataset)
    assert list(queries) == [sample.id]
    np.testing.assert_allclose(queries[sample.id], sample["queries"], atol=1e-3)
    for number, points in enumerate(("queries", "ground_truth", queries)):
        report = pt.track_dataset(dataset, f"t{number}", points=points, tracker="optical-flow", keep_hidden=True)
        assert (report.failures, report.num_points) == ([], 3)
        judged = pt.evaluate_dataset(dataset, f"t{number}", "ground_truth")
        assert judged.failures == []
        assert judged.outcomes[0].num_points == 3


def test_a_file_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    good, bad = tap_vid_clip(0, jpeg=True), tap_vid_clip(1, jpeg=True)
    bad["video"][3] = b"no picture"
    folder = tmp_path / "videos"
    with pytest.raises(TruthError, match="frame 3 of 'bad'"):
        pt.load_tapvid(saved(tmp_path, {"good": good, "bad": bad}), "half", output_dir=folder)
    assert not fo.dataset_exists("half")
    assert not list(folder.iterdir())


def test_nothing_of_the_users_is_replaced(tmp_path: Path) -> None:
    path = saved(tmp_path, {"goat": tap_vid_clip()})
    mine = tmp_path / "goat.mp4"
    mine.write_text("mine")
    with pytest.raises(OutputExistsError, match=r"goat\.mp4 exists"):
        pt.load_tapvid(path, "first", output_dir=tmp_path)
    assert mine.read_text() == "mine"
    fo.Dataset("taken")
    with pytest.raises(OptionError, match="'taken' already"):
        pt.load_tapvid(path, "taken", output_dir=tmp_path / "other")
    with pytest.raises(FieldError):
        pt.load_tapvid(path, gt_field="frames.x", output_dir=tmp_path / "other")


def test_writing_names_what_is_missing(tmp_path: Path) -> None:
    dataset = pt.load_tapvid(saved(tmp_path, [tap_vid_clip()]), output_dir=tmp_path)
    target = tmp_path / "out.pkl"
    with pytest.raises(FieldError, match="'absent'"):
        pt.write_tapvid(dataset, target, "absent")
    with pytest.raises(OptionError, match="jpeg, raw"):
        pt.write_tapvid(dataset, target, video="png")
    with pytest.raises(CollectionError, match="no samples"):
        pt.write_tapvid(dataset.match(fo.ViewField("clip") == "x"), target)
    with pytest.raises(pt.PointTrackingError, match="cannot be written"):
        pt.write_tapvid(dataset, tmp_path / "no such folder" / "out.pkl")
    assert not target.exists()
