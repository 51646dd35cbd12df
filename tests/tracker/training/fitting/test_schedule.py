"""Stages over a budget."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.training.configs import TINY
from point_tracking.tracker.training.fitting.schedule import Progress, Schedule, learning_rate


def test_learning_rate_rises_then_falls():
    stage = replace(TINY.stages[0], learning_rate=1.0, warmup=0.1, final_rate=0.2)
    assert learning_rate(stage, 0.0) < 0.01
    assert learning_rate(stage, 0.05) == pytest.approx(0.5 * learning_rate(replace(stage, warmup=0.0), 0.05))
    assert learning_rate(stage, 0.5) == pytest.approx(0.2 + 0.8 / 2)
    assert learning_rate(stage, 1.0) == pytest.approx(0.2)


def schedule(shares: list[float], steps: int | None = None, minutes: float | None = None) -> Schedule:
    return Schedule(tuple(replace(TINY.stages[0], share=share) for share in shares), minutes, steps)


@given(st.lists(st.floats(0.05, 1), min_size=1, max_size=5), st.integers(1, 200))
def test_steps_are_divided_among_all_stages_in_order(shares: list[float], steps: int):
    plan, progress = schedule(shares, steps), Progress()
    done = [0] * len(shares)
    share_before = -1.0
    while plan.stage(progress) is not None:
        share = plan.share_done(progress)
        assert 0 <= share_before <= share <= 1 or share_before == -1.0
        share_before = share
        done[progress.stage] += 1
        progress.step += 1
        progress.stage_step += 1
        plan.advance(progress)
    assert min(done) >= 1, "every stage does something, however small its share"
    assert plan.share_done(progress) == pytest.approx(1)
    expected = [steps * share / sum(shares) for share in shares]
    assert all(abs(found - wanted) <= 1 for found, wanted in zip(done, expected, strict=True))


def test_minutes_are_divided_by_shares():
    plan, progress = schedule([1, 3], minutes=2), Progress()
    progress.stage_seconds = 15.0
    assert plan.stage_share(progress) == pytest.approx(0.5)
    assert plan.share_done(progress) == pytest.approx(0.125)
    progress.stage_seconds = 30.0
    plan.advance(progress)
    assert (progress.stage, progress.stage_seconds) == (1, 0.0)
    assert plan.share_done(progress) == pytest.approx(0.25)


def test_a_long_last_step_does_not_push_the_run_beyond_its_end():
    plan, progress = schedule([1, 1], minutes=1), Progress(stage=1, stage_seconds=500.0)
    assert plan.share_done(progress) == 1
    plan.advance(progress)
    assert plan.stage(progress) is None
