"""The demo's datasets in a real database, with a tracker whose error is known."""

from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest

from point_tracking import Tracks, read_tracks
from point_tracking.demo import build
from point_tracking.demo.clips import demo_queries, subject_mask
from point_tracking.demo.layers import FRAME_SIZE, DemoClip, render, true_tracks, write_video
from point_tracking.demo.scenes import demo_scenes
from point_tracking.tracker.models.base import Tracker

FRAMES = 6
NAME = "point-tracking-demo-test"


class AlwaysThere(Tracker):
    """Says that every point stays where it was asked for."""

    name = "always-there"

    def _track(self, source, queries, backward, hooks):
        shape = (source.num_frames, len(queries))
        return Tracks(
            xy=np.broadcast_to(queries.xy, (*shape, 2)), visible=np.ones(shape, bool), confidence=np.ones(shape)
        )


@pytest.fixture
def always_there(monkeypatch):
    monkeypatch.setattr(build, "TRACKER", AlwaysThere())


@pytest.fixture(autouse=True)
def no_leftovers():
    yield
    if fo.dataset_exists(NAME):
        fo.delete_dataset(NAME)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> list[DemoClip]:
    """Two clips, six frames each."""
    folder = tmp_path_factory.mktemp("clips")
    made = []
    for scene in demo_scenes(seed=0, num_frames=FRAMES, frame_size=FRAME_SIZE)[:2]:
        path = folder / f"{scene.name}.mp4"
        write_video(path, (render(scene, t) for t in range(FRAMES)))
        queries = demo_queries(scene, 5)
        made.append(DemoClip(path, queries, true_tracks(scene, queries.xy), subject_mask(scene)))
    return made


def test_prediction_and_truth_share_their_indices(clips, always_there):
    dataset, report, comparisons = build.track_clips(NAME, clips)
    assert dataset.persistent
    assert report.failures == []
    assert report.num_samples == len(clips) == len(dataset) == len(comparisons)
    for sample, clip, comparison in zip(dataset, clips, comparisons, strict=True):
        predicted = read_tracks(sample, build.PREDICTION_FIELD)
        truth = read_tracks(sample, build.TRUTH_FIELD)
        assert predicted.num_points == truth.num_points == len(clip.queries)
        np.testing.assert_array_equal(truth.visible, clip.truth.visible)
        np.testing.assert_allclose(truth.xy[truth.visible], clip.truth.xy[truth.visible], atol=1e-3)
        np.testing.assert_allclose(predicted.xy[0], truth.xy[0], atol=1e-3)
        moved = np.linalg.norm(clip.truth.xy - clip.truth.xy[0], axis=-1)[clip.truth.visible]
        assert comparison.name == clip.path.stem
        assert comparison.mean_error_px == pytest.approx(moved.mean(), rel=1e-3)
        assert comparison.found == 1
        assert comparison.false == pytest.approx(1 - clip.truth.visible.mean())
        np.testing.assert_array_equal(sample[build.MASK_FIELD].mask != 0, clip.mask)


def test_points_are_coloured_by_track(clips, always_there):
    build.track_clips(NAME, clips[:1])
    assert fo.load_dataset(NAME).app_config.color_scheme.color_by == "instance"


def test_a_rerun_replaces_the_demos_own_data_set_and_no_other(clips, always_there):
    bystander = fo.Dataset()
    bystander.add_sample(fo.Sample(filepath="untouched.mp4"))
    first, _, _ = build.track_clips(NAME, clips[:1])
    first_id = first.first().id
    second, report, _ = build.track_clips(NAME, clips[:1])
    assert len(second) == 1
    assert second.first().id != first_id
    assert report.failures == []
    assert len(bystander) == 1
    bystander.delete()


def test_a_data_set_of_the_same_name_that_is_not_the_demos_is_refused(clips):
    mine = fo.Dataset(NAME)
    mine.add_sample(fo.Sample(filepath="mine.mp4"))
    with pytest.raises(build.DemoError, match="left alone"):
        build.track_clips(NAME, clips)
    assert len(fo.load_dataset(NAME)) == 1


def test_a_bad_video_is_a_failure_and_the_rest_is_tracked(tmp_path: Path, always_there):
    media.video(tmp_path / "good.mp4", num_frames=5)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "noise.avi").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "notes.txt").write_text("no video")
    (tmp_path / "folder.mp4").mkdir()
    videos = build.find_videos(tmp_path)
    assert [path.name for path in videos] == ["empty.mp4", "good.mp4", "noise.avi"]
    dataset, report = build.track_videos(NAME, videos, grid_size=3)
    assert len(dataset) == 3
    assert {Path(failure.filepath).name for failure in report.failures} == {"empty.mp4", "noise.avi"}
    assert report.num_samples == 1
    assert report.num_points == 9


def test_a_folder_without_videos_is_an_error(tmp_path: Path):
    with pytest.raises(build.DemoError, match="not a folder"):
        build.find_videos(tmp_path / "missing")
    with pytest.raises(build.DemoError, match="no video"):
        build.find_videos(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"png")
    (tmp_path / "below").mkdir()
    media.video(tmp_path / "below" / "clip.mp4", num_frames=2)
    with pytest.raises(build.DemoError, match=r"no video.*1 other"):
        build.find_videos(tmp_path)


def test_nothing_in_common_has_no_error_to_tell():
    visible = np.array([[True, False]])
    xy = np.zeros((1, 2, 2))
    comparison = build.compare("x", Tracks(xy, visible, visible), Tracks(xy, ~visible, ~visible))
    assert np.isnan(comparison.mean_error_px)
    assert comparison.found == 0
    assert comparison.false == 1
