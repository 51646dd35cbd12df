"""Which candidate is believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from point_tracking.tracker.models.pt_fused_2.candidates import FEATURES, Candidates
from point_tracking.tracker.models.pt_fused_2.estimate import Estimate, Forest
from point_tracking.tracker.models.pt_fused_2.guard import GuardRules
from point_tracking.tracker.models.pt_fused_2.selection import SelectedFrame, SelectionRules, Selector

from .made_candidates import candidates

SIZE_PX = (256, 256)  # distances are those of the reference frame
RULES = SelectionRules(
    low=0.2,
    chain_alone=0.35,
    network_alone=0.35,
    high=0.5,
    look_ahead=2,
    guard=GuardRules(edge_px=0, stretch_score=0, shortest_stretch=0),
)


def reads_first_feature() -> Estimate:
    """An estimate that is the first feature in steps of a tenth."""
    nodes = 21
    feature, threshold = np.full((1, nodes), -1, np.int16), np.zeros((1, nodes), np.float32)
    left = right = np.arange(nodes, dtype=np.int16)[None]
    left, right, value = left.copy(), right.copy(), np.zeros((1, nodes), np.float32)
    for i in range(10):  # a chain: below (i + .5) / 10 the value is i / 10
        feature[0, 2 * i], threshold[0, 2 * i] = 0, (i + 0.5) / 10
        left[0, 2 * i], right[0, 2 * i], value[0, 2 * i + 1] = 2 * i + 1, 2 * i + 2, i / 10
    value[0, 20] = 1
    forest = Forest(feature, threshold, left, right, np.zeros((1, nodes), bool), value, 0.0)
    identity = np.array([0, 1], np.float32)
    return Estimate(forest, forest, identity, identity, "")


def judged(chain: float, network: float, match: float | None = None, **changes: object) -> Candidates:
    """Chain at (100, 50), network at (150, 50), the match, if any, at (200, 50), with these estimates."""
    made = candidates(**changes)
    made.xy[0, 1] = (150, 50)
    values = [chain, network] + ([] if match is None else [match])
    features = np.zeros((len(values), len(FEATURES)), np.float32)
    features[:, 0] = values
    rows = np.array([[0, 1, -1 if match is None else 2]])
    if match is not None:
        made.xy[0, 2] = (200, 50)
    return replace(made, features=features, rows=rows)


def selected(*frames: Candidates, rules: SelectionRules = RULES) -> list[SelectedFrame]:
    selector = Selector(reads_first_feature(), SIZE_PX, rules)
    found = [one for frame in frames if (one := selector.push(frame)) is not None]
    return found + selector.finish()


def only(*frames: Candidates) -> tuple[float, bool, float]:
    one = selected(*frames)[0]
    return float(one.xy[0, 0]), bool(one.visible[0]), float(one.confidence[0])


def test_the_best_candidate_is_taken():
    assert only(judged(0.9, 0.2)) == (100, True, pytest.approx(0.9))
    assert only(judged(0.2, 0.9)) == (150, True, pytest.approx(0.9))
    assert only(judged(0.2, 0.3, 0.8)) == (200, True, pytest.approx(0.8))


def test_where_chain_and_network_agree_the_point_is_between_them():
    made = judged(0.8, 0.6)
    made.xy[0, 1] = (102, 50)
    assert only(made) == (101, True, pytest.approx(0.8))
    exact = replace(made, chain_confidence=np.array([0.99], np.float32))
    assert only(exact) == (100.5, True, pytest.approx(0.8))


def test_what_nobody_sees_must_be_surer():
    unseen = np.zeros((1, 2), bool)
    assert only(judged(0.4, 0.1)) == (100, True, pytest.approx(0.4))
    assert only(judged(0.4, 0.1, visible=unseen))[1] is False
    assert only(judged(0.6, 0.1, visible=unseen))[1] is True
    assert only(judged(0.1, 0.1))[1] is False


def test_what_only_one_sees_must_be_surer_than_what_both_see():
    made = judged(0.3, 0.3)
    made.xy[0, 1] = (102, 50)
    assert only(made)[1] is True
    assert only(replace(made, visible=np.array([[True, False]])))[1] is False
    assert only(judged(0.3, 0.1))[1] is False, "the network is elsewhere"


def test_what_was_found_again_must_be_surer_though_the_network_follows():
    made = judged(0.3, 0.3)
    made.xy[0, 1] = (102, 50)
    again = replace(made, found_again=np.array([True]))
    # a stretch that is long and holds, so that the guard has nothing to say
    held = replace(again, stretch=np.array([1]), stretch_sum=np.array([24.0]), stretch_length=np.array([8]))
    assert only(held)[1] is False
    assert selected(held, rules=replace(RULES, found_again=0.2))[0].visible[0]


def test_hidden_points_are_less_sure_than_a_half():
    rules = replace(RULES, low=1.0, chain_alone=1.0, network_alone=1.0, high=1.0)
    one = selected(judged(0.9, 0.2), rules=rules)[0]
    assert not one.visible[0]
    assert one.confidence[0] < 0.5


def test_the_query_itself_is_where_it_was_given_and_seen():
    made = judged(0.0, 0.9, since_query=np.array([0]))
    assert only(made) == (100, True, pytest.approx(1))


def test_before_the_query_nothing_is_known():
    one = selected(judged(0.9, 0.9, since_query=np.array([-1])))[0]
    assert np.isnan(one.xy).all()
    assert not one.visible.any()
    assert not one.confidence.any()


def test_outside_the_frame_nothing_is_seen():
    made = judged(0.9, 0.1)
    made.xy[0, 0] = (260, 50)
    assert only(made)[:2] == (260, False)


def test_results_come_as_late_as_the_rules_say():
    selector = Selector(reads_first_feature(), SIZE_PX, RULES)
    found = [selector.push(judged(0.9, 0.2, frame_index=t)) for t in range(1, 6)]
    assert [one is not None for one in found] == [False, False, True, True, True]
    assert len(selector.finish()) == 2
    assert selector.finish() == []


def test_points_may_be_added_on_the_way():
    two = candidates(2, frame_index=2, since_query=np.array([2, 0]))
    found = selected(candidates(1), two)
    assert [len(one.visible) for one in found] == [1, 2]
