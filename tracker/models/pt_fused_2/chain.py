"""The flow chain of pt-fused-2: what it loses it may take up again anywhere in the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ...coordinates import edge_aligned
from ..shared.flow_chain import FOUND_AGAIN, ChainRules, ChainState, FlowChain, FlowField, FlowSource
from ..shared.query_matching import Search, inside_raster, reference_distance
from .matching import GlobalMatcher, Matches, in_turn

_KEEPS = 0.9  # of how a point moved beside the camera, from frame to frame


@dataclass(frozen=True)
class RedetectionRules:
    """When a match anywhere in the frame is believed.

    Args:
        way_back_px: farthest end of the way back, in pixels of a 256 x 256 frame
        likeness: least likeness by the encoder
        lead: least lead over the second peak
        unchecked_likeness: least likeness where the way back is not known
        unchecked_lead: least lead there
        search_px: how far Lucas-Kanade may move a believed match, in pixels of a 256 x 256 frame
    """

    way_back_px: float = 2.0
    likeness: float = 0.7
    lead: float = 0.05
    unchecked_likeness: float = 0.75
    unchecked_lead: float = 0.15
    search_px: float = 8.0

    def believes(self, matches: Matches) -> np.ndarray:
        """(K,) bool, which matches to believe."""
        unchecked = np.isnan(matches.way_back_px)
        likeness = np.where(unchecked, self.unchecked_likeness, self.likeness)
        lead = np.where(unchecked, self.unchecked_lead, self.lead)
        closes = unchecked | (matches.way_back_px < self.way_back_px)
        return closes & (matches.likeness > likeness) & (matches.lead > lead)


@dataclass
class RedetectingState(ChainState):
    """All points in one frame.

    Its `camera_xy` goes on with the camera while a point owes its place to a match of the whole frame.

    Args:
        beside_camera_px: (N,) float32, how far points used to move beside the camera from frame to frame, in pixels of
            a 256 x 256 frame; NaN where that is not known
    """

    beside_camera_px: np.ndarray


class RedetectingChain(FlowChain):
    """A flow chain that looks for lost points in the whole frame, and then with Lucas-Kanade around the match.

    It remembers where a point would be that has moved with the camera since it was lost, also while it owes its place
    to a match, and how far the point used to move beside the camera: looks alone do not tell a point from its twin.

    Args:
        rules: of the chain
        redetection: when a match is believed
        size_px: (width, height) of the working frames
        video_px: (width, height) of the video
        matcher: knows the points
        between: as of `FlowChain`
    """

    def __init__(
        self,
        rules: ChainRules,
        redetection: RedetectionRules,
        size_px: tuple[int, int],
        video_px: tuple[int, int],
        matcher: GlobalMatcher,
        between: FlowSource | None = None,
    ) -> None:
        super().__init__(rules, size_px, between)
        self._redetection, self._video_px, self._global = redetection, video_px, matcher
        self._search = Search(
            window=15, levels=1, max_shift_px=redetection.search_px, max_error_px=1.0, better_only=False
        )
        self._with_camera_xy = np.zeros((0, 2), np.float32)
        self._beside_camera_px = np.zeros(0, np.float32)
        self._camera: np.ndarray | None = None  # of the step at work
        self._features: Tensor | None = None
        self._looked_for: tuple[np.ndarray, Matches] | None = None
        self._frame_index = 0

    def advance(
        self, frame_index: int, grey: np.ndarray, features: Tensor
    ) -> tuple[RedetectingState, tuple[np.ndarray, Matches] | None]:
        """`step` with the frame's map.

        Args:
            frame_index: which frame of the clip it is
            grey: uint8 (H, W), the working frame
            features: (h, w, C), the encoder's map of the frame

        Returns:
            the points in this frame; and those that were looked for in the whole frame, (K,) int, with their matches
        """
        self._features, self._looked_for, self._frame_index = features, None, frame_index
        state = self.step(frame_index, grey)
        self._features = None
        firm = self._kept & (self._origin != FOUND_AGAIN)
        self._with_camera_xy[firm] = self._xy[firm]
        known = {**vars(state), "camera_xy": self._with_camera_xy.copy()}
        return RedetectingState(**known, beside_camera_px=self._beside_camera_px.copy()), self._looked_for

    def add(self, query_t: np.ndarray, query_xy: np.ndarray) -> None:
        super().add(query_t, query_xy)
        count = len(query_t)
        self._with_camera_xy = np.concatenate([self._with_camera_xy, np.full((count, 2), np.nan, np.float32)])
        self._beside_camera_px = np.concatenate([self._beside_camera_px, np.full(count, np.nan, np.float32)])

    def _carry(self, points: np.ndarray, flow: FlowField) -> None:
        before, firm = self._xy[points], self._kept[points] & (self._origin[points] != FOUND_AGAIN)
        self._camera = None
        super()._carry(points, flow)
        camera = self._camera_motion(flow)
        self._with_camera_xy[points] = self._with_camera_xy[points] @ camera[:, :2].T + camera[:, 2]
        firm &= self._kept[points]
        beside = reference_distance(self._xy[points], before @ camera[:, :2].T + camera[:, 2], self._size_px)
        known = self._beside_camera_px[points]
        mixed = np.where(np.isnan(known), beside, _KEEPS * known + (1 - _KEEPS) * beside)
        self._beside_camera_px[points[firm]] = mixed[firm]

    def _camera_motion(self, flow: FlowField) -> np.ndarray:
        if self._camera is None:
            self._camera = super()._camera_motion(flow)
        return self._camera

    def _find_again(self, points: np.ndarray, grey: np.ndarray) -> None:
        if self._features is None or not len(points):
            return
        points = in_turn(points, self._frame_index)
        matches = self._global.match(points, self._features)
        self._looked_for = (points, matches)
        xy = edge_aligned(matches.xy, self._video_px, self._size_px).astype(np.float32)
        sure = self._redetection.believes(matches) & inside_raster(xy, self._size_px)
        sure[sure] = self.matcher.likeness(points[sure], grey, xy[sure]) > 0 if sure.any() else False
        points, xy = points[sure], xy[sure]
        if not len(points):
            return
        self._take_up(points, xy, np.clip(matches.likeness[sure], 0.5, 0.95), FOUND_AGAIN)
        found, _, exact = self.matcher.match(points, xy, grey, self._search)
        self._xy[points[exact]] = found[exact]
