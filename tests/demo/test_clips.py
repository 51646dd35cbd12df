"""The demo's truth is true: what it claims is what the pictures show."""

from dataclasses import replace

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.demo import clips as demo_clips
from point_tracking.demo import layers as demo_layers
from point_tracking.demo.clips import make_clips
from point_tracking.demo.layers import FRAME_SIZE, NUM_FRAMES, PhotoScene, apply_affine, render
from point_tracking.demo.scenes import Motion, demo_scenes

SEED = 3
# checked in every test that draws pictures; all frames would take minutes
SOME_FRAMES = (0, 9, 23, 36, NUM_FRAMES - 1)
# layers are told apart by this step in the third channel
LAYER_STEP = 50.0


@pytest.fixture(scope="module")
def scenes() -> list[PhotoScene]:
    return demo_scenes(seed=SEED, num_frames=NUM_FRAMES, frame_size=FRAME_SIZE)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return make_clips(tmp_path_factory.mktemp("clips"), seed=SEED)


def coordinate_coded(scene: PhotoScene) -> PhotoScene:
    """The same scene, painted so that every texel tells which layer it is on and where."""
    layers = []
    for index, layer in enumerate(scene.layers):
        height, width = layer.texture.shape[:2]
        y, x = np.mgrid[:height, :width]
        code = np.dstack([x, y, np.full_like(x, (index + 1) * LAYER_STEP)]).astype(np.float32)
        layers.append(replace(layer, texture=code))
    return replace(scene, layers=tuple(layers))


def bilinear(image: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The image at positions inside it, (N, C), and the four pixels around each, (N, 4, C)."""
    x0 = np.clip(np.floor(xy[:, 0]).astype(int), 0, image.shape[1] - 2)
    y0 = np.clip(np.floor(xy[:, 1]).astype(int), 0, image.shape[0] - 2)
    fx, fy = xy[:, 0] - x0, xy[:, 1] - y0
    around = np.stack([image[y0, x0], image[y0, x0 + 1], image[y0 + 1, x0], image[y0 + 1, x0 + 1]], axis=1)
    weights = np.stack([(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy], axis=1)
    return (around * weights[..., None]).sum(axis=1), around


def pure_layer(around: np.ndarray) -> np.ndarray:
    """The layer all four pixels around a position show, (N,); -1 where they show a mixture."""
    code = around[..., 2] / LAYER_STEP - 1
    index = np.rint(code[:, 0])
    return np.where((np.abs(code - index[:, None]) < 1e-5).all(axis=1), index, -1).astype(int)


@pytest.mark.parametrize("scene_index", range(2))
def test_pictures_show_the_true_surface_point_along_every_track(scenes, scene_index):
    scene = scenes[scene_index]
    coded = coordinate_coded(scene)
    xy = demo_clips.demo_queries(scene, 24).xy
    tracks = demo_clips.true_tracks(scene, xy)
    seen, around = bilinear(render(coded, 0), xy)
    layer_of, surface = pure_layer(around), seen[:, :2]
    assert (layer_of >= 0).mean() > 0.95  # queries keep clear of edges
    checked = 0
    for t in SOME_FRAMES[1:]:
        now, around = bilinear(render(coded, t), tracks.xy[t].astype(np.float64))
        use = tracks.visible[t] & (pure_layer(around) >= 0) & (layer_of >= 0)
        assert use.sum() > 0.85 * tracks.visible[t].sum()
        np.testing.assert_array_equal(pure_layer(around)[use], layer_of[use])
        texels_per_px = np.array([1 / np.sqrt(np.linalg.det(scene.layers[k].maps[t, :, :2])) for k in layer_of[use]])
        error_px = np.linalg.norm(now[use, :2] - surface[use], axis=1) / texels_per_px
        assert error_px.max() < 0.04
        checked += int(use.sum())
    assert checked > 4 * 100


@pytest.mark.parametrize("scene_index", range(2))
def test_visibility_agrees_with_what_is_drawn_in_front(scenes, scene_index):
    scene = scenes[scene_index]
    coded = coordinate_coded(scene)
    width, height = FRAME_SIZE
    xy = demo_clips.demo_queries(scene, 24).xy
    tracks = demo_clips.true_tracks(scene, xy)
    layer_of = demo_clips.topmost_layer(scene, 0, xy)
    hidden_behind_something = 0
    for t in SOME_FRAMES:
        x, y = tracks.xy[t].astype(np.float64).T
        inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        assert not tracks.visible[t][~inside].any()
        _, around = bilinear(render(coded, t), tracks.xy[t].astype(np.float64))
        shown = pure_layer(around)
        clear = inside & (shown >= 0)
        np.testing.assert_array_equal(tracks.visible[t][clear], (shown == layer_of)[clear])
        # nothing can show through from behind
        assert (shown[clear] >= layer_of[clear]).all()
        hidden_behind_something += int((clear & (shown > layer_of)).sum())
    assert hidden_behind_something > 20


def test_objects_hide_the_background_and_each_other(scenes):
    pairs = set()
    for scene in scenes:
        xy = demo_clips.demo_queries(scene, 24).xy
        layer_of = demo_clips.topmost_layer(scene, 0, xy)
        tracks = demo_clips.true_tracks(scene, xy)
        for t in range(scene.num_frames):
            top = demo_clips.topmost_layer(scene, t, tracks.xy[t])
            hidden = top > layer_of
            pairs |= {(scene.name, int(k), int(by)) for k, by in zip(layer_of[hidden], top[hidden], strict=True)}
    for scene in scenes:
        assert (scene.name, 1, 2) in pairs, f"in {scene.name} no object hides the other one"
        assert (scene.name, 0, 1) in pairs
        assert (scene.name, 0, 2) in pairs


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


def test_the_seed_decides_everything(scenes):
    again = demo_scenes(seed=SEED, num_frames=NUM_FRAMES, frame_size=FRAME_SIZE)
    other = demo_scenes(seed=SEED + 1, num_frames=NUM_FRAMES, frame_size=FRAME_SIZE)
    for first, second, third in zip(scenes, again, other, strict=True):
        for a, b, c in zip(first.layers, second.layers, third.layers, strict=True):
            np.testing.assert_array_equal(a.maps, b.maps)
            assert not np.array_equal(a.maps, c.maps)
        np.testing.assert_array_equal(render(first, 5), render(second, 5))


def test_the_camera_and_the_objects_move_smoothly(clips):
    for clip in clips:
        step = np.linalg.norm(np.diff(clip.truth.xy, axis=0), axis=-1)
        seen = clip.truth.visible[1:] & clip.truth.visible[:-1]
        assert step[seen].mean() > 0.5
        assert step[seen].max() < 25


angles = st.floats(-180, 180)
scales = st.floats(0.2, 5)
places = st.floats(-500, 500)


@given(places, places, scales, angles, st.floats(0, 1))
def test_a_motion_without_squeeze_keeps_shapes(x, y, scale, angle, progress):
    position, linear = Motion((x, x), (y, y), (scale, scale), (angle, angle)).at(progress)
    np.testing.assert_allclose(position, [x, y])
    np.testing.assert_allclose(linear.T @ linear, scale**2 * np.eye(2), atol=1e-9 * scale**2)


@given(places, places, scales, angles, st.lists(st.tuples(places, places), min_size=1, max_size=5))
def test_affine_maps_are_undone_by_their_inverse(x, y, scale, angle, points):
    position, linear = Motion((x, x), (y, y), (scale, scale), (angle, angle)).at(0)
    forward = np.column_stack([linear, position])
    inverse_linear = np.linalg.inv(linear)
    backward = np.column_stack([inverse_linear, -inverse_linear @ position])
    xy = np.array(points)
    np.testing.assert_allclose(apply_affine(backward, apply_affine(forward, xy)), xy, atol=1e-6)


@given(st.floats(-3, 8), st.floats(-3, 6))
def test_sampling_is_exact_on_a_ramp_and_zero_far_outside(x, y):
    ramp = np.add.outer(np.arange(4.0), 10 * np.arange(6.0))  # value = row + 10 * column
    value = demo_layers._sample(ramp, np.array([[x, y]]))[0]
    if 0 <= x <= 5 and 0 <= y <= 3:
        assert value == pytest.approx(y + 10 * x, abs=1e-6)
    elif not (-1 < x < 6 and -1 < y < 4):
        assert value == pytest.approx(0, abs=1e-6)
