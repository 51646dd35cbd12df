"""Losses against values computed by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.models.cotracker.network.model import TrackState
from point_tracking.tracker.training.steps.losses import (
    LossWeights,
    WindowTruth,
    contrastive_loss,
    masked_mean,
    track_loss,
)

STRIDE = 4


def state(xy_px: list[list[float]], visibility: float = 0.0, confidence: float = 0.0) -> TrackState:
    """One point, given pixels of its frames."""
    xy = torch.tensor(xy_px)[None, None] / STRIDE  # (1, 1, S, 2)
    logits = torch.zeros(1, 1, len(xy_px))
    return TrackState(xy, logits + visibility, logits + confidence)


def truth(xy_px: list[list[float]], visible: list[bool], counted: list[bool] | None = None) -> WindowTruth:
    known = torch.tensor([True] * len(visible) if counted is None else counted)[None, None]
    return WindowTruth(torch.tensor(xy_px)[None, None], torch.tensor(visible)[None, None], known, known)


def test_huber_where_visible_and_l1_where_hidden():
    # visible: errors (3, 0) -> 0.5 * 9 = 4.5 and 0 -> mean 2.25; (10, 0) -> 6 * (10 - 3) = 42 -> mean 21
    # hidden: errors (8, -4) -> mean |.| = 6
    loss = track_loss(
        [state([[3.0, 0.0], [10.0, 0.0], [8.0, -4.0]])], truth([[0.0, 0.0]] * 3, [True, True, False]), STRIDE
    )
    assert loss.visible.item() == pytest.approx((2.25 + 21) / 2)
    assert loss.hidden.item() == pytest.approx(6.0)


def test_later_iterations_weigh_more():
    # the first guess is off by 3 px in x (2.25), weight 0.5; the second is right; divided by two iterations
    states = [state([[3.0, 0.0]]), state([[0.0, 0.0]])]
    loss = track_loss(states, truth([[0.0, 0.0]], [True]), STRIDE, gamma=0.5)
    assert loss.visible.item() == pytest.approx(0.5 * 2.25 / 2)


def test_heads():
    # visibility: logit 1 against True and False; confidence: only where visible, near (5 px) -> True
    found = state([[5.0, 0.0], [90.0, 0.0]], visibility=1.0, confidence=2.0)
    loss = track_loss([found], truth([[0.0, 0.0]] * 2, [True, False]), STRIDE)
    softplus = lambda x: math.log1p(math.exp(x))  # noqa: E731
    assert loss.visibility.item() == pytest.approx((softplus(-1) + softplus(1)) / 2, rel=1e-5)
    assert loss.confidence.item() == pytest.approx(softplus(-2), rel=1e-5)


def test_confidence_asks_for_less_than_twelve_pixels():
    for error, target in ((11.9, 1), (12.1, 0)):
        loss = track_loss([state([[error, 0.0]], confidence=3.0)], truth([[0.0, 0.0]], [True]), STRIDE)
        expected = math.log1p(math.exp(-3)) if target else math.log1p(math.exp(3))
        assert loss.confidence.item() == pytest.approx(expected, rel=1e-4)


def test_frames_that_do_not_count_change_nothing():
    kept = track_loss([state([[3.0, 0.0]])], truth([[0.0, 0.0]], [True]), STRIDE)
    more = track_loss([state([[3.0, 0.0], [99.0, 7.0]])], truth([[0.0, 0.0]] * 2, [True, True], [True, False]), STRIDE)
    for name in ("visible", "hidden", "visibility", "confidence"):
        assert getattr(kept, name).item() == pytest.approx(getattr(more, name).item())


def test_of_points_far_outside_only_visibility_is_asked():
    near, far = truth([[0.0, 0.0]], [False]), truth([[0.0, 0.0]], [False])
    far = replace(far, placed=torch.zeros_like(far.placed))
    found = [state([[9.0, 0.0]], visibility=1.0)]
    asked, spared = track_loss(found, near, STRIDE), track_loss(found, far, STRIDE)
    assert (asked.hidden.item(), spared.hidden.item()) == (4.5, 0.0)
    assert spared.visibility.item() == asked.visibility.item() > 1


def test_total_adds_up_as_weighted():
    loss = track_loss([state([[3.0, 0.0], [8.0, -4.0]])], truth([[0.0, 0.0]] * 2, [True, False]), STRIDE)
    heads = loss.visibility + loss.confidence
    expected = 0.05 * 2.25 + 0.01 * 6 + heads.item()
    assert loss.total(LossWeights()).item() == pytest.approx(expected, rel=1e-5)
    assert loss.total(LossWeights(heads=0)).item() == pytest.approx(0.05 * 2.25 + 0.01 * 6, rel=1e-5)


def test_a_mean_over_nothing_is_zero_with_zero_gradient():
    values = torch.ones(3, requires_grad=True)
    mean = masked_mean(values, torch.zeros(3, dtype=torch.bool))
    mean.backward()
    assert mean.item() == 0
    assert values.grad is not None
    assert values.grad.abs().sum() == 0


def test_contrastive_loss_of_orthogonal_features():
    # 2 x 2 cells, all orthogonal; the query is cell (1, 0); at that cell: -log(e^(1/t) / (e^(1/t) + 3))
    features = torch.eye(4).reshape(1, 1, 2, 2, 4)
    query = features[0, 0, 0, 1].reshape(1, 1, 4)
    where = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    loss = contrastive_loss(query, features, where, torch.ones(1, 1, 1, dtype=torch.bool), temperature=0.5)
    # positions are kept 1.001 inside the last cell: its share of the target is 0.999
    right, wrong = -math.log(math.e**2 / (math.e**2 + 3)), -math.log(1 / (math.e**2 + 3))
    assert loss.item() == pytest.approx(0.999 * right + 0.001 * wrong, rel=1e-4)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_contrastive_target_is_shared_bilinearly(x: float, y: float):
    generator = torch.Generator().manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(1, 1, 3, 3, 8, generator=generator), dim=-1)
    query = torch.nn.functional.normalize(torch.randn(1, 1, 8, generator=generator), dim=-1)
    mask = torch.ones(1, 1, 1, dtype=torch.bool)
    loss = contrastive_loss(query, features, torch.tensor([x, y]).reshape(1, 1, 1, 2), mask)
    log_share = (features[0, 0] @ query[0, 0] / 0.07).flatten().log_softmax(0).reshape(3, 3)  # (y, x)
    shares = torch.tensor([[(1 - x) * (1 - y), x * (1 - y)], [(1 - x) * y, x * y]])
    assert loss.item() == pytest.approx(-(shares * log_share[:2, :2]).sum().item(), rel=1e-3)
