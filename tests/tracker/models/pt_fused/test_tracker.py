"""How two trackers that check each other become one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from point_tracking import load_tracker
from point_tracking.tracker.coordinates import inside_frame
from point_tracking.tracker.errors import OptionError, WeightsError
from point_tracking.tracker.models.pt_fused.tracker import FusedOptions, fuse
from point_tracking.tracker.types import Tracks

SIZE_PX = (256, 256)  # distances are those of the reference frame
OPTIONS = FusedOptions(agreement_px=4.0, sure=0.7, alone=0.75, edge_px=8.0)


def one(x: float, visible: bool, confidence: float) -> Tracks:
    """A single point in a single frame."""
    return Tracks(np.array([[[x, 50.0]]]), np.array([[visible]]), np.array([[confidence]]))


def fused(flow: Tracks, learned: Tracks, size_px: tuple[int, int] = SIZE_PX) -> tuple[float, bool, float]:
    tracks = fuse(flow, learned, size_px, OPTIONS)
    return float(tracks.xy[0, 0, 0]), bool(tracks.visible[0, 0]), float(tracks.confidence[0, 0])


def test_where_both_agree_the_point_is_seen_between_them():
    assert fused(one(100, True, 0.8), one(103, False, 0.2)) == (101.5, True, pytest.approx(0.8))
    assert fused(one(100, True, 0.6), one(103, True, 0.9)) == (101.5, True, pytest.approx(0.9))


def test_flow_that_closes_exactly_counts_for_more():
    assert fused(one(100, True, 0.99), one(102, True, 0.9)) == (100.5, True, pytest.approx(0.99))
    assert fused(one(100, True, 0.97), one(102, True, 0.9)) == (101.0, True, pytest.approx(0.97))


def test_agreement_is_told_in_pixels_of_the_reference_frame():
    flow, learned = one(100, True, 0.8), one(106, False, 0.2)
    assert fused(flow, learned)[0] == 100, "6 px apart: flow"
    assert fused(flow, learned, (512, 512))[0] == 103, "3 px apart: both"


@pytest.mark.parametrize("confidence", [0.2, 0.69])
def test_flow_is_believed_where_the_network_is_not_sure(confidence: float):
    assert fused(one(100, True, 0.8), one(150, confidence > 0.5, confidence)) == (100, True, pytest.approx(0.8))


def test_a_sure_network_is_believed():
    assert fused(one(100, True, 0.8), one(150, True, 0.71)) == (150, True, pytest.approx(0.71))


def test_what_only_the_network_sees_must_be_seen_surely():
    assert fused(one(100, False, 0.3), one(150, True, 0.8)) == (150, True, pytest.approx(0.8))
    x, visible, confidence = fused(one(100, False, 0.3), one(150, True, 0.74))
    assert (x, visible) == (150, False)
    assert confidence < 0.5


@pytest.mark.parametrize("x", [5, 250])
def test_at_the_edge_it_must_be_seen_more_surely(x: float):
    assert fused(one(100, False, 0.3), one(x, True, 0.89))[:2] == (x, False)
    assert fused(one(100, False, 0.3), one(x, True, 0.91))[:2] == (x, True)
    assert fused(one(100, True, 0.8), one(x, True, 0.8))[:2] == (x, True), "flow still sees it"
    assert fused(one(200, False, 0.3), one(2 * x, True, 0.8), (512, 512))[:2] == (2 * x, False)


@pytest.mark.parametrize("x", [-40, 5, 250, 300])
def test_flow_may_tell_that_a_point_has_left(x: float):
    assert fused(one(x, False, 0.3), one(100, True, 0.89))[:2] == (100, False)
    assert fused(one(x, False, 0.3), one(100, True, 0.91))[:2] == (100, True)


def test_points_before_their_query_stay_unknown():
    nan = Tracks(np.full((1, 1, 2), np.nan), np.array([[False]]), np.array([[0.0]]))
    tracks = fuse(nan, nan, SIZE_PX, OPTIONS)
    assert np.isnan(tracks.xy).all()
    assert not tracks.visible.any()
    assert not tracks.confidence.any()


def some_tracks() -> st.SearchStrategy[Tracks]:
    shape = (4, 3)
    return st.builds(
        Tracks,
        hnp.arrays(np.float32, (*shape, 2), elements=st.floats(-50, 300, width=32)),
        hnp.arrays(bool, shape),
        hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)),
    )


@given(flow=some_tracks(), learned=some_tracks())
def test_a_point_is_seen_only_where_one_of_them_sees_it(flow: Tracks, learned: Tracks):
    tracks = fuse(flow, learned, SIZE_PX, OPTIONS)
    assert not (tracks.visible & ~flow.visible & ~learned.visible).any()
    assert inside_frame(tracks.xy[tracks.visible], SIZE_PX).all()
    assert (tracks.confidence[~tracks.visible] < 0.5).all()


def test_the_options_are_recorded():
    options = load_tracker("pt-fused", device="cpu", alone=0.9).options
    assert options == {
        "learned": "pt-small",
        "checkpoint": None,
        "device": "cpu",
        "memory_limit_gb": None,
        "agreement_px": 4.0,
        "sure": 0.7,
        "alone": 0.9,
        "edge_px": 8.0,
    }


@pytest.mark.parametrize(
    "wrong", [{"learned": "cotracker2"}, {"agreement_px": -1}, {"sure": 1.5}, {"alone": True}, {"edge_px": 65}]
)
def test_wrong_options_are_refused(wrong: dict):
    with pytest.raises(OptionError, match="Supported"):
        load_tracker("pt-fused", **wrong)


def test_weights_that_are_not_there_are_told():
    with pytest.raises(WeightsError, match=r"no checkpoint file"):
        load_tracker("pt-fused", checkpoint="/no/such.safetensors")
