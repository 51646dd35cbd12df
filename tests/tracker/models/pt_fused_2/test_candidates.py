"""Which candidates there are, and which rows tell about them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from point_tracking.tracker.models.pt_fused_2.candidates import (
    CHAIN,
    FEATURES,
    MATCH,
    NETWORK,
    CandidateReader,
    Candidates,
    ChainFrame,
    distance_px,
    edge_distance_px,
)
from point_tracking.tracker.models.pt_fused_2.matching import GlobalMatcher
from point_tracking.tracker.models.shared.query_matching import QueryMatcher
from point_tracking.tracker.types import Queries, Tracks

from ..clips import texture

SIZE_PX = (160, 120)
QUERIES = Queries(np.array([0, 0, 0, 1]), np.array([[40.0, 30.0], [80.0, 60.0], [100.0, 80.0], [60.0, 84.0]]))
TOGETHER, LOST, APART, LATER = range(4)
CAMERA = np.array([6, -9], np.float32)  # from where points are to where the camera would have taken them


def test_distances_are_those_of_a_square_frame():
    first, second = np.array([[0.0, 0], [np.nan, 0]]), np.array([[10.0, 0], [1, 1]])
    np.testing.assert_allclose(distance_px(first, second, (128, 512)), [20, np.nan])
    edges = edge_distance_px(np.array([[64.0, 4.0], [-2.0, 200.0]]), (128, 512))
    np.testing.assert_allclose(edges, [2, -4])


@pytest.fixture(scope="module")
def read() -> Candidates:
    """Frame 1, in which chain and network agree on one point, the chain lost another, and they disagree on a third."""
    grey = np.ascontiguousarray(texture(120, 160)[..., 1])
    features = torch.randn(30, 40, 16, generator=torch.Generator().manual_seed(0))
    features = features / features.norm(dim=-1, keepdim=True)
    matcher = GlobalMatcher(SIZE_PX, np.array([0.25, 0.25]), 2**20)
    matcher.add(QUERIES.t, QUERIES.xy)
    first = np.flatnonzero(QUERIES.t == 0)
    matcher.learn(first, 0, features)
    patches = QueryMatcher(QUERIES.t, QUERIES.xy.astype(np.float32), SIZE_PX, 0.7)
    patches.add(first, 0, grey)
    reader = CandidateReader(SIZE_PX, SIZE_PX, matcher, patches)
    reader.add(QUERIES)
    xy = QUERIES.xy.astype(np.float32)
    network = xy + np.array([[1, 0], [1, 0], [20, 0], [0, 0]], np.float32)
    kept, sure, beside = np.array([True, False, True, True]), np.full(4, 0.9, np.float32), np.full(4, 0.09, np.float32)
    chain = ChainFrame(
        1, grey, None, xy, xy + CAMERA, beside, kept, sure, np.zeros(4, np.int8), np.zeros(4, np.int32), None
    )
    return reader.read(chain, Tracks(network[None], np.ones((1, 4), bool), sure[None]), features)


def test_where_both_are_sure_of_one_place_they_share_a_row(read: Candidates):
    assert read.rows[TOGETHER, CHAIN] == read.rows[TOGETHER, NETWORK] >= 0
    assert read.rows[TOGETHER, MATCH] == -1
    assert np.isnan(read.xy[TOGETHER, MATCH]).all()


@pytest.mark.parametrize("point", [LOST, APART])
def test_elsewhere_the_whole_frame_is_searched(read: Candidates, point: int):
    assert len(set(read.rows[point].tolist())) == 3
    assert (read.rows[point] >= 0).all()
    np.testing.assert_allclose(read.xy[point, MATCH], QUERIES.xy[point], atol=2)
    names = dict(zip(FEATURES, read.features[read.rows[point, MATCH]], strict=True))
    assert names["is_match"] == 1
    assert names["match_likeness"] > 0.9
    assert names["match_way_back_px"] < 4
    assert names["beside_camera_px"] == pytest.approx(0.09)
    to_camera = CAMERA * 256 / np.array(SIZE_PX)
    assert names["to_camera_px"] == pytest.approx(np.linalg.norm(to_camera), abs=2 * 256 / 120)


def test_points_of_this_frame_have_no_candidates_yet(read: Candidates):
    assert (read.rows[LATER] == -1).all()
    assert read.since_query.tolist() == [1, 1, 1, 0]


def test_rows_are_numbered_without_gaps(read: Candidates):
    used = np.unique(read.rows[read.rows >= 0])
    assert used.tolist() == list(range(len(read.features)))
    assert read.features.shape[1] == len(FEATURES)


def test_what_the_chain_and_the_network_see_is_told(read: Candidates):
    assert read.visible[:, CHAIN].tolist() == [True, False, True, True]
    assert read.visible[:, NETWORK].all()
    assert not read.found_again.any()
    assert not read.blank[[TOGETHER, LOST, APART]].any()
    assert read.stretch.tolist() == [0, -1, 0, 0]
