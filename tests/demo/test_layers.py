"""Flat layers: what is drawn is where the tracks say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.demo import clips as demo_clips
from point_tracking.demo import layers as demo_layers
from point_tracking.demo.layers import FRAME_SIZE, NUM_FRAMES, PhotoScene, apply_affine, render
from point_tracking.demo.scenes import Motion, demo_scenes

from .painted_scenes import SEED, bilinear, coordinate_coded, pure_layer

SOME_FRAMES = (0, 9, 23, 36, NUM_FRAMES - 1)


@pytest.fixture(scope="module")
def scenes() -> list[PhotoScene]:
    return demo_scenes(seed=SEED, num_frames=NUM_FRAMES, frame_size=FRAME_SIZE)


angles = st.floats(-180, 180)


scales = st.floats(0.2, 5)


places = st.floats(-500, 500)


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
