"""Where a point may be in a frame, and what is known about each of these places.

Three candidates per point and frame: where the flow chain puts it, where the
network does, and the best match of the whole frame. The third is looked for only
where the first two are not both sure of the same place, or where the chain owes
its place to such a match. What is known are `FEATURES`; none looks at later frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from ...coordinates import edge_aligned
from ...types import Queries, Tracks
from ..shared.flow_chain import FOUND_AGAIN, FlowField
from ..shared.query_matching import REFERENCE_SIDE_PX, QueryMatcher, is_flat, reference_distance
from .matching import GlobalMatcher, Matches, in_turn

CHAIN, NETWORK, MATCH = 0, 1, 2
NUM_CANDIDATES = 3

FEATURES = (
    "is_chain", "is_network", "is_match",
    "chain_kept", "chain_confidence", "network_visible", "network_confidence",
    "to_chain_px", "to_network_px", "to_match_px", "match_likeness", "match_lead", "match_way_back_px",
    "likeness", "likeness_before", "likeness_lately", "grey_likeness", "textured",
    "edge_px", "camera_edge_px", "to_camera_px", "beside_camera_px", "age", "speed_px", "step_px", "step_way_back_px",
    "kept_lately", "network_lately", "near_chain_lately", "near_network_lately", "near_match_lately",
    "frame_likeness", "frame_kept", "origin",
    "stretch_likeness", "stretch_network", "stretch_near_match", "stretch_length", "stretch_score",
)  # fmt: skip

AGREEMENT_PX = 4.0
"""Up to this distance, in pixels of a 256 x 256 frame, chain and network mean the same place."""

_NEAR_PX = 5.0
_SURE_WAY_BACK_PX, _SURE_LIKENESS = 4.0, 0.6  # of a match that others are compared with
_FARTHEST_PX = 64.0
_KEEPS = 0.8  # of what was known lately, from frame to frame


@dataclass(frozen=True, eq=False)
class ChainFrame:
    """What the chain says about N points in one frame.

    Args:
        frame_index: from the start of the session
        grey: uint8 (h, w), the working frame
        flow: into it from the frame before; None in the first
        xy: (N, 2) float32 pixels of the video, NaN before the query frame
        camera_xy: (N, 2) float32 likewise, where points would be that have moved with the camera since they were lost
        beside_camera_px: (N,) float32, how far they moved beside it from frame to frame before; NaN where not known
        kept: (N,) bool, and inside the frame
        confidence: (N,) float32
        origin: (N,) int8
        stretch: (N,) int32
        looked_for: points that were looked for in the whole frame, (K,) int, with their matches; or None
    """

    frame_index: int
    grey: np.ndarray
    flow: FlowField | None
    xy: np.ndarray
    camera_xy: np.ndarray
    beside_camera_px: np.ndarray
    kept: np.ndarray
    confidence: np.ndarray
    origin: np.ndarray
    stretch: np.ndarray
    looked_for: tuple[np.ndarray, Matches] | None


@dataclass(frozen=True, eq=False)
class Candidates:
    """The candidates of N points in one frame.

    Args:
        frame_index: from the start of the session
        xy: (N, 3, 2) float32 pixels of the video; NaN where there is no such candidate
        features: (R, F) float32, NaN where something is not known
        rows: (N, 3) int, which row tells about a candidate; -1 = none. Where chain and network mean the same place
            surely, they share one
        visible: (N, 2) bool, whether chain and network see the point
        chain_confidence: (N,) float32
        since_query: (N,) int, frames since the query; 0 in its own, negative before
        leaps_px: (N, 3, 3) float32, how far each candidate (last axis) is from where the flow takes each of the
            frame before, in pixels of a 256 x 256 frame; NaN where that is not known
        found_again: (N,) bool, the chain owes its place to a match of the whole frame
        blank: (N,) bool, points with a texture of their own whose places are all flat
        stretch: (N,) int32, counts the times the chain took the point up again; -1 where it has lost it
        stretch_sum: (N,) float32, sum over the stretch so far of what `stretch_score` is the mean of
        stretch_length: (N,) int32 frames
    """

    frame_index: int
    xy: np.ndarray
    features: np.ndarray
    rows: np.ndarray
    visible: np.ndarray
    chain_confidence: np.ndarray
    since_query: np.ndarray
    leaps_px: np.ndarray
    found_again: np.ndarray
    blank: np.ndarray
    stretch: np.ndarray
    stretch_sum: np.ndarray
    stretch_length: np.ndarray


def distance_px(first: np.ndarray, second: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """(...) distances of (..., 2) pixels of the video, in pixels of a 256 x 256 frame; NaN where one is unknown."""
    return np.linalg.norm((first - second) * (REFERENCE_SIDE_PX / np.array(size_px, np.float32)), axis=-1)


def edge_distance_px(xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """(...) distances from the frame's nearest edge, negative outside, in pixels of a 256 x 256 frame."""
    size = np.array(size_px, np.float32)
    return (np.minimum(xy, size - 1 - xy) * (REFERENCE_SIDE_PX / size)).min(-1)


@dataclass(eq=False)
class _Memory:
    """What is carried from frame to frame for N points."""

    xy: np.ndarray = field(default_factory=lambda: np.zeros((0, NUM_CANDIDATES, 2), np.float32))
    likeness: np.ndarray = field(default_factory=lambda: np.zeros((0, NUM_CANDIDATES), np.float32))
    likeness_lately: np.ndarray = field(default_factory=lambda: np.zeros((0, NUM_CANDIDATES), np.float32))
    near_lately: np.ndarray = field(default_factory=lambda: np.zeros((0, NUM_CANDIDATES, NUM_CANDIDATES), np.float32))
    kept_lately: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    network_lately: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    stretch: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    stretch_sums: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    stretch_length: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))

    def grow(self, count: int) -> None:
        for name, values in vars(self).items():
            fill = -1 if name == "stretch" else np.nan if values.dtype.kind == "f" and name != "stretch_sums" else 0
            more = np.full((count, *values.shape[1:]), fill, values.dtype)
            setattr(self, name, np.concatenate([values, more]))


def _mixed(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """What was known lately with what is known now; either may be NaN."""
    mean = _KEEPS * before + (1 - _KEEPS) * now
    return np.where(np.isnan(now), before, np.where(np.isnan(before), now, mean))


class CandidateReader:
    """Reads the candidates of one frame after the other.

    Args:
        size_px: (width, height) of the video
        working_px: (width, height) of the frames that flow is computed in
        matcher: finds points in whole frames
        patches: knows what surrounds points in grey frames
    """

    def __init__(
        self,
        size_px: tuple[int, int],
        working_px: tuple[int, int],
        matcher: GlobalMatcher,
        patches: QueryMatcher,
    ) -> None:
        self._size_px, self._working_px = size_px, working_px
        self._matcher, self._patches = matcher, patches
        self._query_t = np.zeros(0, np.int64)
        self._memory = _Memory()

    def add(self, queries: Queries) -> None:
        """Adds points of frames that are still to come."""
        self._query_t = np.concatenate([self._query_t, queries.t])
        self._memory.grow(len(queries))

    def read(self, chain: ChainFrame, network: Tracks, features: Tensor) -> Candidates:
        """The candidates of the next frame.

        Args:
            chain: what the chain says
            network: of one frame
            features: (h, w, C), the encoder's map of the frame

        Returns:
            candidates of all points that were added
        """
        started = self._query_t < chain.frame_index
        xy = np.stack([chain.xy, network.xy[0], np.full_like(chain.xy, np.nan)], axis=1)  # (N, 3, 2)
        apart = distance_px(xy[:, CHAIN], xy[:, NETWORK], self._size_px)
        found_again = chain.kept & (chain.origin == FOUND_AGAIN)
        with np.errstate(invalid="ignore"):
            agreed = chain.kept & network.visible[0] & (apart <= AGREEMENT_PX)
        contested = started & (~agreed | found_again)
        match = self._match(chain, contested, features)
        xy[:, MATCH] = match[:, :2]
        present = np.zeros((len(xy), NUM_CANDIDATES), bool)
        present[:, CHAIN] = started
        present[contested, NETWORK] = True
        present[:, MATCH] = contested
        leaps, steps = self._leaps(chain, xy)
        shared = started & ~contested
        likeness, grey_likeness = self._likeness(chain, xy, present, features)
        likeness[shared, NETWORK] = likeness[shared, CHAIN]
        known = self._known(chain, network, xy, match, likeness, started)
        columns = {**known, **steps, "grey_likeness": grey_likeness}
        wide = np.stack([np.broadcast_to(_per_candidate(columns[name]), present.shape) for name in FEATURES], axis=-1)
        rows = np.full(present.shape, -1, np.int64)
        rows[present] = np.arange(np.count_nonzero(present))
        rows[shared, NETWORK] = rows[shared, CHAIN]
        memory = self._memory
        return Candidates(
            chain.frame_index,
            xy,
            wide[present].astype(np.float32),
            rows,
            np.stack([chain.kept, network.visible[0]], axis=1),
            chain.confidence,
            chain.frame_index - self._query_t,
            leaps,
            found_again,
            self._blank(chain, xy, present),
            np.where(chain.kept, chain.stretch, -1).astype(np.int32),
            memory.stretch_sums.sum(axis=1),
            memory.stretch_length.copy(),
        )

    def _match(self, chain: ChainFrame, contested: np.ndarray, features: Tensor) -> np.ndarray:
        """(N, 5) best matches of contested points: x, y, likeness, lead, way back; NaN for the others."""
        match = np.full((len(contested), 5), np.nan, np.float32)
        missing = contested.copy()
        parts = []
        if chain.looked_for is not None:
            missing[chain.looked_for[0]] = False
            parts.append(chain.looked_for)
        points = in_turn(np.flatnonzero(missing), chain.frame_index)
        if len(points):
            parts.append((points, self._matcher.match(points, features)))
        for some, found in parts:
            match[some] = np.column_stack([found.xy, found.likeness, found.lead, found.way_back_px])
        match[~contested] = np.nan
        return match

    def _leaps(self, chain: ChainFrame, xy: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """How far candidates are from where flow takes those of the frame before, and what that says of each."""
        count = len(xy)
        if chain.flow is None:
            unknown = np.full((count, NUM_CANDIDATES), np.nan, np.float32)
            nothing: dict[str, np.ndarray] = {"step_px": unknown, "step_way_back_px": unknown, "speed_px": unknown}
            return np.full((count, NUM_CANDIDATES, NUM_CANDIDATES), np.nan, np.float32), nothing
        before = edge_aligned(self._memory.xy, self._size_px, self._working_px).astype(np.float32).reshape(-1, 2)
        known = np.isfinite(before[:, 0])
        moved, back = np.full_like(before, np.nan), np.full(len(before), np.nan, np.float32)
        if known.any():
            moved[known], back[known] = chain.flow.follow(before[known])
        speed = reference_distance(moved, before, self._working_px).reshape(count, -1)  # (N, 3)
        moved = edge_aligned(moved, self._working_px, self._size_px).astype(np.float32)
        moved = moved.reshape(count, NUM_CANDIDATES, 2)  # (N, 3, 2)
        leaps = distance_px(moved[:, :, None], xy[:, None], self._size_px).astype(np.float32)
        steps = {
            "step_px": np.minimum(np.diagonal(leaps, axis1=1, axis2=2), _FARTHEST_PX),
            "step_way_back_px": np.minimum(back.reshape(count, -1), _FARTHEST_PX),  # (N, 3)
            "speed_px": np.minimum(speed, _FARTHEST_PX),
        }
        return leaps, steps

    def _likeness(
        self, chain: ChainFrame, xy: np.ndarray, present: np.ndarray, features: Tensor
    ) -> tuple[np.ndarray, np.ndarray]:
        """(N, 3) each: how much the candidates look like the point to the encoder, and in grey."""
        by_encoder = np.full(present.shape, np.nan, np.float32)
        in_grey = by_encoder.copy()
        points, which = np.nonzero(present)
        if len(points):
            places = xy[points, which]
            by_encoder[points, which] = self._matcher.likeness(points, places, features)
            working = edge_aligned(places, self._size_px, self._working_px).astype(np.float32)
            in_grey[points, which] = self._patches.likeness(points, chain.grey, working)
        return by_encoder, in_grey

    def _blank(self, chain: ChainFrame, xy: np.ndarray, present: np.ndarray) -> np.ndarray:
        """(N,) bool, whether nothing can be seen at any place of a point that could be told from its surroundings."""
        flat = np.ones(present.shape, bool)
        points, which = np.nonzero(present)
        if len(points):
            working = edge_aligned(xy[points, which], self._size_px, self._working_px).astype(np.float32)
            flat[points, which] = is_flat(chain.grey, working)
        return flat.all(axis=1) & present.any(axis=1) & self._patches.textured

    def _known(
        self,
        chain: ChainFrame,
        network: Tracks,
        xy: np.ndarray,
        match: np.ndarray,
        likeness: np.ndarray,
        started: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """All features but those of steps and grey patches; what is carried on is brought up to date."""
        memory, confidence = self._memory, network.confidence[0]
        apart = distance_px(xy[:, :, None], xy[:, None], self._size_px)  # (N, 3, 3)
        with np.errstate(invalid="ignore"):
            near = np.where(np.isnan(apart), np.nan, apart < _NEAR_PX)
            sure = (match[:, 4] < _SURE_WAY_BACK_PX) & (match[:, 2] > _SURE_LIKENESS)
            near[~sure, :, MATCH] = np.nan
            near_match = np.nan_to_num(apart[:, CHAIN, MATCH], nan=np.inf) < _NEAR_PX
        before = memory.likeness
        memory.near_lately = np.where(started[:, None, None], _mixed(memory.near_lately, near), np.nan)
        memory.likeness_lately = np.where(started[:, None], _mixed(memory.likeness_lately, likeness), np.nan)
        memory.kept_lately = np.where(started, _mixed(memory.kept_lately, chain.kept), np.nan)
        memory.network_lately = np.where(started, _mixed(memory.network_lately, confidence), np.nan)
        memory.likeness, memory.xy = likeness, xy
        stretch = self._stretch(chain, likeness[:, CHAIN], confidence, near_match)
        age = np.log1p(np.maximum(chain.frame_index - self._query_t, 0))
        return {
            "is_chain": np.array([[1.0, 0, 0]]),
            "is_network": np.array([[0, 1.0, 0]]),
            "is_match": np.array([[0, 0, 1.0]]),
            "chain_kept": chain.kept,
            "chain_confidence": chain.confidence,
            "network_visible": network.visible[0],
            "network_confidence": confidence,
            "to_chain_px": np.minimum(apart[:, :, CHAIN], _FARTHEST_PX),
            "to_network_px": np.minimum(apart[:, :, NETWORK], _FARTHEST_PX),
            "to_match_px": np.minimum(apart[:, :, MATCH], _FARTHEST_PX),
            "match_likeness": match[:, 2],
            "match_lead": match[:, 3],
            "match_way_back_px": np.minimum(match[:, 4], _FARTHEST_PX),
            "likeness": likeness,
            "likeness_before": before,
            "likeness_lately": memory.likeness_lately,
            "textured": self._patches.textured,
            "edge_px": np.clip(edge_distance_px(xy, self._size_px), -_FARTHEST_PX / 2, _FARTHEST_PX),
            "camera_edge_px": np.clip(edge_distance_px(chain.camera_xy, self._size_px), -_FARTHEST_PX, _FARTHEST_PX),
            "to_camera_px": np.minimum(distance_px(xy, chain.camera_xy[:, None], self._size_px), _FARTHEST_PX),
            "beside_camera_px": np.minimum(chain.beside_camera_px, _FARTHEST_PX),
            "age": age,
            # over all points: whether the scene is still there at all
            "frame_likeness": np.full(len(xy), np.median(likeness[started, CHAIN]) if started.any() else np.nan),
            "frame_kept": np.full(len(xy), chain.kept[started].mean() if started.any() else np.nan),
            "kept_lately": memory.kept_lately,
            "network_lately": memory.network_lately,
            "near_chain_lately": memory.near_lately[:, :, CHAIN],
            "near_network_lately": memory.near_lately[:, :, NETWORK],
            "near_match_lately": memory.near_lately[:, :, MATCH],
            **stretch,
        }

    def _stretch(
        self, chain: ChainFrame, likeness: np.ndarray, confidence: np.ndarray, near_match: np.ndarray
    ) -> dict[str, np.ndarray]:
        """How well the stretch since the chain took a point up again holds on average so far."""
        memory, again = self._memory, chain.kept & (chain.origin > 0)
        number = np.where(again, chain.stretch, -1)
        fresh = number != memory.stretch
        memory.stretch = number.astype(np.int32)
        memory.stretch_sums[fresh], memory.stretch_length[fresh] = 0, 0
        now = np.nan_to_num(np.column_stack([likeness, confidence, near_match]).astype(np.float32))
        memory.stretch_sums[again] += now[again]
        memory.stretch_length[again] += 1
        mean = memory.stretch_sums / np.maximum(memory.stretch_length, 1)[:, None]
        mean[~again] = 1
        return {
            "origin": np.where(again, chain.origin, 0),
            "stretch_likeness": mean[:, 0],
            "stretch_network": mean[:, 1],
            "stretch_near_match": mean[:, 2],
            "stretch_length": np.where(again, np.minimum(memory.stretch_length, 99), 99),
            "stretch_score": mean.sum(axis=1),
        }


def _per_candidate(values: np.ndarray) -> np.ndarray:
    """Values of candidates, (N, 3) or (1, 3), as they are; those of points, (N,), as a column."""
    return values if values.ndim == 2 else values[:, None]
