"""What must not be reported visible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.models.pt_fused_2.guard import GuardRules, is_doubtful, judge_stretches

from .made_candidates import candidates

SIZE_PX = (256, 256)
RULES = GuardRules(edge_px=8.0, edge_estimate=0.5, stretch_score=2.0, stretch_estimate=0.5, shortest_stretch=0)


def doubtful(frames: list, estimate: float = 0.4, xy: tuple[float, float] = (100, 50)) -> bool:
    return bool(is_doubtful(np.array([xy]), np.array([estimate]), frames, SIZE_PX, RULES)[0])


@pytest.mark.parametrize("xy", [(7, 100), (100, 249), (300, 100)])
def test_at_the_edge_a_point_must_be_surer(xy: tuple[float, float]):
    assert doubtful([candidates()], 0.4, xy)
    assert not doubtful([candidates()], 0.6, xy)
    assert not doubtful([candidates()], 0.4)


def test_what_the_chain_alone_sees_must_go_on():
    alone = candidates(visible=np.array([[True, False]]))
    lost = candidates(frame_index=2, visible=np.array([[False, False]]))
    assert doubtful([alone, lost], estimate=0.3)
    assert not doubtful([alone, lost], estimate=0.5)
    assert not doubtful([alone, alone], estimate=0.3)
    assert not doubtful([candidates(), lost], estimate=0.3), "the network sees it too"


def test_on_blank_ground_nothing_is_seen():
    assert doubtful([candidates(blank=np.array([True]))], estimate=1.0)


@pytest.mark.parametrize("which", [0, 1])
def test_it_counts_where_chain_and_network_put_it_too(which: int):
    one = candidates()
    one.xy[0, which] = (2, 100)
    assert doubtful([one])


def stretch(frame_index: int, total: float, length: int, number: int = 3) -> object:
    made = candidates(frame_index=frame_index)
    return replace(
        made,
        found_again=np.array([True]),
        stretch=np.array([number], np.int32),
        stretch_sum=np.array([total], np.float32),
        stretch_length=np.array([length], np.int32),
    )


def test_a_stretch_that_does_not_hold_is_hidden():
    assert doubtful([stretch(1, 1.5, 1)])
    assert not doubtful([stretch(1, 2.5, 1)])
    assert not doubtful([stretch(1, 1.5, 1)], estimate=0.6)


def test_later_frames_of_the_stretch_count():
    assert not doubtful([stretch(1, 1.5, 1), stretch(2, 4.3, 2)])
    assert doubtful([stretch(1, 2.5, 1), stretch(2, 3.0, 2)])


def test_another_stretch_does_not_count():
    assert doubtful([stretch(1, 1.5, 1), stretch(2, 3.0, 1, number=4)])
    assert doubtful([stretch(1, 1.5, 1), candidates(frame_index=2), stretch(3, 9.0, 3)])


def test_a_stretch_that_ends_at_once_is_taken_for_a_mistake():
    rules = replace(RULES, shortest_stretch=3)

    def is_hidden(*frames: object) -> bool:
        return bool(is_doubtful(np.array([[100, 50]]), np.array([0.4]), frames, SIZE_PX, rules)[0])

    lost = candidates(frame_index=3)
    assert is_hidden(stretch(1, 2.9, 1), stretch(2, 5.8, 2), lost)
    assert is_hidden(stretch(2, 5.8, 2), lost)
    assert not is_hidden(stretch(1, 2.9, 1), stretch(2, 5.8, 2)), "how long it lasts is not known yet"
    assert not is_hidden(stretch(2, 8.7, 3), lost)


def test_points_that_came_later_do_not_count():
    score, length = judge_stretches([candidates(1), candidates(3, frame_index=2)])
    assert score.shape == length.shape == (1,)


@given(estimate=st.floats(0, 1), x=st.floats(-50, 300), total=st.floats(0, 30, width=32), length=st.integers(1, 10))
def test_only_unsure_points_are_doubted(estimate: float, x: float, total: float, length: int):
    if doubtful([stretch(1, total, length)], estimate, (x, 100)):
        assert estimate < 0.5
