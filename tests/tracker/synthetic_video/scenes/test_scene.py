"""Scenes at given times: coordinates of surfaces, and parts of frames."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.scenes.scene import Inventory

from ..made_scenes import random_scene

COUNTS = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


@given(COUNTS, COUNTS)
def test_slots_of_a_smaller_inventory_are_the_first_of_their_kind(small: tuple[int, int, int], more: tuple):
    whole = Inventory(*(a + b for a, b in zip(small, more, strict=True)))
    slots = Inventory(*small).slots_within(whole)
    assert len(slots) == sum(small) == len(set(slots))
    kinds = [0] * whole.planes + [1] * whole.ellipsoids + [2] * whole.boxes
    assert [kinds[slot] for slot in slots] == [0] * small[0] + [1] * small[1] + [2] * small[2]


def test_surfaces_and_camera_coordinates_are_each_others_inverse():
    made, times = random_scene(SyntheticConfig(), seed=2)
    frames = made.at(times)
    unit = torch.eye(3).expand_as(frames.a)
    error = (frames.inverse.double() @ frames.a.double() - unit).abs().amax((-1, -2))
    assert error.max() < 1e-3
    origin = (frames.a.double() @ frames.eye.double()[..., None])[..., 0] + frames.b.double()
    assert origin.abs().max() < 0.1, "the eye is where the camera is, in pixels"
    torch.testing.assert_close(frames.light.norm(dim=-1), torch.ones(frames.light.shape[:-1]))


def test_parts_of_frames_are_those_of_the_times():
    made, times = random_scene(SyntheticConfig(), clips=4)
    whole = made.at(times)
    for part in (whole.part(2, 4), whole.at_frames(torch.tensor([[2, 3]] * 4)), made.at(times[:, 2:4])):
        for name in ("a", "b", "inverse", "eye", "focal", "phase", "light"):
            torch.testing.assert_close(getattr(part, name), getattr(whole.part(2, 4), name))
    chosen = whole.select(torch.tensor([3, 1]), torch.tensor([0, 2]))
    torch.testing.assert_close(chosen.a, whole.a[[3, 1]][:, [0, 2]])
    torch.testing.assert_close(chosen.focal, whole.focal[[3, 1]])
