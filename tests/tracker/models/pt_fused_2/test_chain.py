"""When the chain takes lost points up again anywhere in the frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from point_tracking.tracker.models.pt_fused_2.chain import RedetectingChain, RedetectionRules
from point_tracking.tracker.models.pt_fused_2.matching import GlobalMatcher, Matches
from point_tracking.tracker.models.shared.flow_chain import FOUND_AGAIN, NEVER_LOST, ChainRules

from ..clips import shifted_clip, texture

SIZE_PX = (160, 120)
CELL_PX = 4
NAN = float("nan")


@pytest.mark.parametrize(
    ("likeness", "lead", "way_back_px", "believed"),
    [
        (0.8, 0.10, 1.0, True),
        (0.8, 0.10, 3.0, False),  # the way back ends elsewhere
        (0.6, 0.10, 1.0, False),
        (0.8, 0.01, 1.0, False),  # another place looks as alike
        (0.8, 0.20, NAN, True),
        (0.8, 0.10, NAN, False),  # more is asked for where the way back is not known
        (0.72, 0.20, NAN, False),
    ],
)
def test_what_is_believed(likeness: float, lead: float, way_back_px: float, believed: bool):
    one = Matches(np.zeros((1, 2)), *(np.array([value]) for value in (likeness, lead, way_back_px)))
    assert RedetectionRules().believes(one).tolist() == [believed]


def features_of(frame: np.ndarray) -> torch.Tensor:
    """An encoder made by hand: the colours around each cell, at unit length."""
    cells = torch.from_numpy(frame).float().permute(2, 0, 1)[None]
    around = torch.nn.functional.unfold(cells, kernel_size=9, padding=4)[0].view(-1, *frame.shape[:2])
    around = around[:, ::CELL_PX, ::CELL_PX].permute(1, 2, 0)
    around = around - around.mean(dim=-1, keepdim=True)
    return around / around.norm(dim=-1, keepdim=True).clamp(min=1e-6)


def chain_of(points: np.ndarray) -> tuple[RedetectingChain, GlobalMatcher]:
    matcher = GlobalMatcher(SIZE_PX, np.array([1 / CELL_PX, 1 / CELL_PX]), 2**24)
    chain = RedetectingChain(ChainRules(), RedetectionRules(), SIZE_PX, SIZE_PX, matcher)
    chain.add(np.zeros(len(points), np.int64), points)
    matcher.add(np.zeros(len(points), np.int64), points)
    return chain, matcher


def run(frames: np.ndarray, points: np.ndarray) -> list:
    chain, matcher = chain_of(points)
    states = []
    for t, frame in enumerate(frames):
        features = features_of(frame)
        if t == 0:
            matcher.learn(np.arange(len(points)), 0, features)
        states.append(chain.advance(t, np.ascontiguousarray(frame[..., 1]), features))
    return states


def test_nothing_is_looked_for_while_nothing_is_lost():
    points = np.array([[60, 60], [100, 40]], np.float32)
    for state, looked_for in run(shifted_clip((1, 0), 4), points):
        assert looked_for is None
        assert state.origin.tolist() == [NEVER_LOST] * 2
        assert state.kept.all()


def test_what_comes_back_far_away_is_taken_up_there():
    background, thing = texture(120, 160, seed=1), texture(40, 40, seed=9)
    here, away = background.copy(), background.copy()
    here[20:60, 16:56], away[68:108, 112:152] = thing, thing
    points = np.array([[36, 40]], np.float32)
    states = run(np.stack([here, here, background, background, away, away]), points)
    assert not states[3][0].kept[0]
    state, looked_for = states[4]
    assert looked_for is not None
    assert looked_for[0].tolist() == [0]
    assert state.kept[0]
    assert state.origin[0] == FOUND_AGAIN
    assert state.stretch[0] == 1
    np.testing.assert_allclose(state.xy[0], (132, 88), atol=1.5)


def test_where_the_camera_would_have_taken_a_point_is_known_while_a_twin_holds_it():
    """A wall that repeats pans by: what leaves on the left has its twin in the frame."""
    wall = np.tile(texture(120, 100, seed=1), (1, 5, 1))
    frames = np.stack([wall[:, 6 * t : 6 * t + 160] for t in range(10)])
    states = run(frames, np.array([[30, 60], [125, 40]], np.float32))
    taken = [t for t, (state, _) in enumerate(states) if state.kept[0] and state.origin[0] == FOUND_AGAIN]
    assert taken, "the twin is the best match of the whole frame"
    for t in taken:
        state, _ = states[t]
        np.testing.assert_allclose(state.xy[0], (130 - 6 * t, 60), atol=2)
        np.testing.assert_allclose(state.camera_xy[0], (30 - 6 * t, 60), atol=3)
    state, _ = states[-1]
    np.testing.assert_allclose(state.camera_xy[1], state.xy[1])
    assert (state.beside_camera_px < 0.5).all()


def test_what_moves_beside_the_camera_is_known_of_an_object():
    background, thing = texture(120, 160, seed=1), texture(40, 40, seed=9)
    frames = []
    for t in range(6):
        frame = background.copy()
        frame[40:80, 20 + 4 * t : 60 + 4 * t] = thing
        frames.append(frame)
    state, _ = run(np.stack(frames), np.array([[40, 60], [130, 100]], np.float32))[-1]
    assert 3 < state.beside_camera_px[0] * 160 / 256 < 5
    assert state.beside_camera_px[1] < 0.5
