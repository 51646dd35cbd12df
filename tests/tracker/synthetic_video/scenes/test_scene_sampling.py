"""Random scenes: what clips consist of."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.scenes.articulated_figure import FIGURE_LIMBS
from point_tracking.tracker.synthetic_video.scenes.scene_sampling import CONTENTS_COLUMNS, draw_contents

from ..made_scenes import random_scene, uniform


@given(st.integers(0, 10**6), st.integers(1, 8))
def test_clips_consist_of_what_their_numbers_say(seed: int, max_layers: int):
    config = SyntheticConfig(max_layers=max_layers)
    contents = draw_contents(uniform(8, CONTENTS_COLUMNS, seed), config)
    for i, inventory in enumerate(contents.inventories):
        assert inventory.planes == 1 + contents.layers[i], "the background is a plane"
        assert inventory.boxes == contents.boxes[i] + contents.has_room[i]
        assert (inventory.ellipsoids >= FIGURE_LIMBS) == contents.has_figure[i]
        assert inventory.layers == inventory.planes + inventory.ellipsoids + inventory.boxes
        assert not (contents.has_floor[i] and contents.has_room[i])


@pytest.mark.parametrize(("name", "flag"), [("room", "has_room"), ("figure", "has_figure")])
def test_probabilities_are_kept(name: str, flag: str):
    table = uniform(2000, CONTENTS_COLUMNS)
    for chance in (0.0, 0.3, 1.0):
        found = getattr(draw_contents(table, SyntheticConfig(**{name: chance})), flag)
        assert sum(found) / len(found) == pytest.approx(chance, abs=0.04)


def test_without_motion_everything_stays_at_its_place():
    made, times = random_scene(SyntheticConfig(), motion=0.0)
    frames = made.at(times)
    for value in (frames.a, frames.b):
        torch.testing.assert_close(value, value[:, :, :1].expand_as(value), rtol=1e-3, atol=1e-3)


def test_the_camera_stays_inside_a_room():
    made, times = random_scene(SyntheticConfig(room=1.0), motion=2.0, seed=4)
    assert made.has_room.all()
    first_box = made.inventory.planes + made.inventory.ellipsoids
    eye = made.at(times).eye[:, first_box]  # where the camera is on the axes of a box of half size 1
    assert eye.abs().max() < 1


def test_there_is_a_background_or_a_room():
    made, _ = random_scene(SyntheticConfig())
    assert torch.equal(made.present[:, 0], ~made.has_room)
    assert made.present.shape == (16, made.inventory.layers)
