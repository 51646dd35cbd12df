"""Spans for the time line."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from known_cameras import described, drifting_tracks

from point_tracking.tracker.motion.events import Event, fast_events, merged


def test_a_thing_that_goes_out_of_the_frame_is_told():
    found = described(drifting_tracks((0.0, 0.0), object_by=(4.0, 0.0))).events
    leaving = [event for event in found if event.label == "something leaves"]
    assert len(leaving) == 1
    assert 10 <= leaving[0].first <= leaving[0].last <= 35


def test_a_pan_makes_nothing_leave():
    assert "something leaves" not in {event.label for event in described(drifting_tracks((4.0, 0.0))).events}


def test_a_fast_stretch_is_told_and_a_single_step_is_not():
    speed = np.zeros(30)
    speed[3], speed[10:20] = 2.0, 2.0
    found = fast_events(speed, np.arange(31), np.full(30, 1 / 25))
    assert found == [Event("fast motion", 10, 20)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(0, 9)), max_size=12))
def test_merged_events_cover_the_same_frames_and_do_not_overlap(given_events):
    events = [Event(label, first, first + length) for label, first, length in given_events]
    result = merged(events)

    def frames(label, spans):
        return {t for e in spans if e.label == label for t in range(e.first, e.last + 1)}

    for label in "ab":
        assert frames(label, result) == frames(label, events)
        mine = [e for e in result if e.label == label]
        assert all(one.last < two.first for one, two in itertools.pairwise(mine))
