"""What trackers of one network share: other weights, other resolutions, sessions."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.cotracker.running.run_context import RunContext

POINTS = pt.point_queries([(0, 5, 5), (1, 20, 30)])


def test_other_weights_leave_the_tracker_alone(make, clip):
    tracker, frames = make("online"), clip(6)
    before = tracker.track(frames, POINTS).xy
    model = copy.deepcopy(tracker.model).train()
    with torch.no_grad():
        model.updateformer.flow_head.bias.add_(0.5)
    other = tracker.with_model(model)
    assert type(other) is type(tracker)
    assert (other.name, other.options) == (tracker.name, tracker.options)
    assert other.model is model, "not copied"
    assert not model.training
    assert np.abs(other.track(frames, POINTS).xy - before).max() > 0.1
    np.testing.assert_array_equal(tracker.track(frames, POINTS).xy, before)


def test_another_resolution_shares_the_weights(make):
    context: RunContext = make("online").context
    height, width = context.model.config.resolution
    changed = context.with_resolution((height, width * 2))
    assert changed.model.config.resolution == (height, width * 2)
    assert context.model.config.resolution == (height, width)
    assert changed.model.fnet is context.model.fnet


def test_what_a_run_is_told_is_what_the_tracker_reports(make):
    tracker = make("online", iterations=2, support_grid=3, memory_limit_gb=0.5)
    assert tracker.context.to_dict().items() <= tracker.options.items()
    assert (tracker.context.iterations, tracker.context.feature_bytes) == (2, 4)
    assert make("offline").context.whole_clip
    assert not tracker.context.whole_clip


def test_a_limit_of_memory_reaches_the_plan(make):
    from point_tracking.tracker.models.cotracker.running.memory_plan import Workload

    work = Workload(8, 10, 0, (53, 37))
    assert make(memory_limit_gb=0.25).context.plan(work).budget_bytes == 2**28
    assert make().context.plan(work).budget_bytes != 2**28


def test_sessions_read_the_heads_by_their_own_rules(make):
    tracker = make("online", windowed=True)
    assert tracker.context.rules.keep_queries
    session = tracker.open_session((53, 37))
    assert not session._context.rules.keep_queries
    with pytest.raises(OptionError, match="Unknown session options speed"):
        tracker.open_session((53, 37), speed=2)


def test_rules_can_be_changed_alone(make):
    context = make("online").context
    rules = replace(context.rules, threshold=0.1)
    assert context.with_rules(rules).rules.threshold == 0.1
    assert context.rules.threshold != 0.1
