"""The demo's truth is true: what it claims is what the pictures show."""

import av
import numpy as np
import pytest

from point_tracking.demo.clips import make_clips
from point_tracking.demo.layers import FRAME_SIZE, NUM_FRAMES, PhotoScene, render
from point_tracking.demo.scenes import demo_scenes

from .painted_scenes import LAYER_STEP, SEED, bilinear, coordinate_coded

# checked in every test that draws pictures; all frames would take minutes
SOME_FRAMES = (0, 9, 23, 36, NUM_FRAMES - 1)


@pytest.fixture(scope="module")
def scenes() -> list[PhotoScene]:
    return demo_scenes(seed=SEED, num_frames=NUM_FRAMES, frame_size=FRAME_SIZE)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return make_clips(tmp_path_factory.mktemp("clips"), seed=SEED)


def test_some_points_come_back_after_they_were_hidden(clips):
    for clip in clips:
        visible = clip.truth.visible.astype(int)
        returns = ((np.diff(visible, axis=0) == 1).any(axis=0) & (np.diff(visible, axis=0) == -1).any(axis=0)).sum()
        assert returns > 5, clip.path.name


def test_the_files_are_short_h264_that_browsers_play(clips):
    assert len(clips) == 4
    for clip in clips:
        with av.open(str(clip.path)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264"
            assert stream.codec_context.pix_fmt == "yuv420p"
            assert (stream.codec_context.width, stream.codec_context.height) == FRAME_SIZE
            assert 15 <= float(stream.average_rate) <= 20
            assert sum(1 for _ in container.decode(stream)) == NUM_FRAMES == clip.truth.num_frames
        head = clip.path.read_bytes()
        assert head.index(b"moov") < head.index(b"mdat")  # starts playing before it is loaded


def test_decoded_colours_stay_the_same_along_a_track(clips):
    rng = np.random.default_rng(0)
    for clip in clips:
        with av.open(str(clip.path)) as container:
            frames = [f.to_ndarray(format="rgb24").astype(np.float64) for f in container.decode(video=0)]
        first, _ = bilinear(frames[0], clip.queries.xy)
        other = rng.permutation(len(clip.queries))
        same, different = [], []
        for t in SOME_FRAMES[1:]:
            now, _ = bilinear(frames[t], clip.truth.xy[t].astype(np.float64))
            visible = clip.truth.visible[t]
            same.append(np.abs(now - first)[visible])
            different.append(np.abs(now - first[other])[visible])
        assert np.concatenate(same).mean() < 0.5 * np.concatenate(different).mean(), clip.path.name


def test_queries_are_where_the_tracks_begin(clips):
    for clip in clips:
        assert len(clip.queries) == clip.truth.num_points > 150
        assert (clip.queries.t == 0).all()
        np.testing.assert_allclose(clip.truth.xy[0], clip.queries.xy, atol=1e-3)
        assert clip.truth.visible[0].all()
        np.testing.assert_array_equal(clip.truth.confidence, clip.truth.visible)
        assert np.isfinite(clip.truth.xy).all()


def test_the_mask_is_the_visible_part_of_one_object(clips, scenes):
    for clip in clips:
        assert clip.mask.shape == FRAME_SIZE[::-1]
        assert clip.mask.dtype == bool
        assert 0.02 < clip.mask.mean() < 0.4
        column, row = np.rint(clip.queries.xy).astype(int).T
        assert clip.mask[row, column].sum() >= 5  # the prompt selects points
    for clip, scene in zip(clips, scenes, strict=False):  # photographs come first
        assert clip.path.stem == scene.name
        code = render(coordinate_coded(scene), 0)[..., 2] / LAYER_STEP - 1
        drawn = np.abs(code - scene.subject) < 0.5
        assert (drawn == clip.mask).mean() > 0.995


def test_generated_clips_show_their_subject_where_the_mask_is(clips):
    """Points under the mask go with the subject, not with what is behind it."""
    for clip in clips[2:]:
        column, row = np.rint(clip.queries.xy).astype(int).T
        on_subject = clip.mask[row, column]
        way = clip.truth.xy - clip.truth.xy[0]
        apart = np.linalg.norm(np.median(way[:, on_subject], axis=1) - np.median(way[:, ~on_subject], axis=1), axis=-1)
        assert apart.max() > 10, clip.path.name


def test_the_camera_and_the_objects_move_smoothly(clips):
    for clip in clips:
        step = np.linalg.norm(np.diff(clip.truth.xy, axis=0), axis=-1)
        seen = clip.truth.visible[1:] & clip.truth.visible[:-1]
        assert step[seen].mean() > 0.5
        assert step[seen].max() < 25
