"""Candidates of every frame, once and in order, however the frames come."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from point_tracking.tracker.models.pt_fused_2.candidates import CHAIN, NETWORK, Candidates
from point_tracking.tracker.models.pt_fused_2.stream import CandidateStream
from point_tracking.tracker.models.pt_small.tracker import ShippedTracker, load_pt_small
from point_tracking.tracker.types import Queries

from ..clips import shifted_clip

SIZE_PX = (160, 120)
QUERIES = Queries(np.array([0, 0, 6]), np.array([[40.0, 30.0], [80.5, 60.25], [60.0, 85.0]]))


@pytest.fixture(scope="module")
def network() -> ShippedTracker:
    return load_pt_small(device="cpu")


def read(network: ShippedTracker, frames: np.ndarray, lengths: Iterable[int]) -> list[Candidates]:
    stream = CandidateStream(network, SIZE_PX, len(QUERIES))
    stream.add(QUERIES)
    found, start = [], 0
    for length in lengths:
        found += stream.push(frames[start : start + length])
        start += length
    return found + stream.finish()


@pytest.mark.parametrize("lengths", [[19], [1] * 19, [5, 3, 11]])
def test_every_frame_comes_once_and_chain_and_network_follow(network: ShippedTracker, lengths: list[int]):
    found = read(network, shifted_clip((1, 0), 19), lengths)
    assert [one.frame_index for one in found] == list(range(19))
    for one in found:
        given = QUERIES.t <= one.frame_index
        truth = QUERIES.xy + np.maximum(one.frame_index - QUERIES.t, 0)[:, None] * np.array([1, 0])
        np.testing.assert_allclose(one.xy[given, CHAIN], truth[given], atol=1)
        np.testing.assert_allclose(one.xy[given, NETWORK], truth[given], atol=2)
        assert one.visible[given].all()
        assert not one.visible[~given].any()


@pytest.mark.parametrize("num_frames", [1, 3, 8, 9, 12])
def test_the_last_window_may_be_short(network: ShippedTracker, num_frames: int):
    found = read(network, shifted_clip((1, 0), num_frames), [num_frames])
    assert [one.frame_index for one in found] == list(range(num_frames))


def test_points_added_on_the_way_are_unknown_before(network: ShippedTracker):
    frames = shifted_clip((1, 0), 16)
    stream = CandidateStream(network, SIZE_PX, 2)
    stream.add(Queries(np.array([0]), QUERIES.xy[:1]))
    found = stream.push(frames[:9])
    stream.add(Queries(np.array([10]), QUERIES.xy[1:2]))
    found += stream.push(frames[9:]) + stream.finish()
    assert [len(one.xy) for one in found] == sorted(len(one.xy) for one in found)
    assert len(found) == 16
    assert found[-1].visible[1].all()
    np.testing.assert_allclose(found[-1].xy[1, CHAIN], QUERIES.xy[1] + (5, 0), atol=1)


def test_what_ends_a_run_is_called_between_blocks(network: ShippedTracker):
    class Ended(Exception):
        pass

    def end() -> None:
        raise Ended

    stream = CandidateStream(network, SIZE_PX, 3, cancelled=end)
    stream.add(QUERIES)
    with pytest.raises(Ended):
        stream.push(shifted_clip((1, 0), 9))
