"""The candidates of a video as its frames come: chain and network side by side.

The chain goes frame by frame, with the encoder's map of the frame at hand. Every
few frames the network refines a window that starts from where the chain puts
points; then the candidates of the frames that are final are read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ...coordinates import edge_aligned, inside_frame
from ...types import Queries, Tracks
from ...video.frames import resize
from ..optical_flow import OpticalFlowOptions, working_size
from ..pt_small.guided import GuidedNetwork, GuideFrame
from ..shared.flow_chain import ChainRules
from .candidates import CandidateReader, Candidates, ChainFrame
from .chain import RedetectingChain, RedetectionRules
from .matching import GlobalMatcher

if TYPE_CHECKING:
    from ..pt_small.tracker import ShippedTracker

MAP_BUDGET_BYTES = 256 * 2**20
"""For maps of query frames; without its map, the way back of a match is not known."""


@dataclass(frozen=True)
class StreamRules:
    """How candidates come about.

    Args:
        resolution: longest allowed short side of the frames that flow is computed in
        chain: how the chain carries points
        redetection: when it takes them up again anywhere in the frame
    """

    resolution: int = OpticalFlowOptions.resolution
    chain: ChainRules = field(default_factory=lambda: ChainRules(way_back="half"))
    redetection: RedetectionRules = field(default_factory=RedetectionRules)


class CandidateStream:
    """One direction of one video.

    Args:
        network: the learned tracker
        size_px: (width, height) of the frames
        num_points: that are expected
        rules: how candidates come about
        cancelled: called between blocks of work; may raise
    """

    def __init__(
        self,
        network: ShippedTracker,
        size_px: tuple[int, int],
        num_points: int,
        rules: StreamRules | None = None,
        cancelled: Callable[[], None] = lambda: None,
    ) -> None:
        rules = rules or StreamRules()
        self._size_px, self._working_px = size_px, working_size(size_px, rules.resolution)
        self._network = GuidedNetwork(network, size_px, num_points, cancelled)
        self._matcher = GlobalMatcher(size_px, self._network.to_cells, MAP_BUDGET_BYTES)
        self._chain = RedetectingChain(rules.chain, rules.redetection, self._working_px, size_px, self._matcher)
        self._reader = CandidateReader(size_px, self._working_px, self._matcher, self._chain.matcher)
        self._queries = Queries(np.zeros(0, np.int64), np.zeros((0, 2)))
        self._ahead: deque[ChainFrame] = deque()  # frames of the chain from the start of the next window on
        self._pending: Tracks | None = None  # of frames of the last window that the next would have refined

    @property
    def num_frames(self) -> int:
        """Frames taken so far."""
        return self._network.num_frames

    @property
    def network(self) -> GuidedNetwork:
        """For its plan and warnings."""
        return self._network

    @property
    def step(self) -> int:
        """Frames that are best pushed together."""
        return self._network.step

    def add(self, queries: Queries) -> None:
        """Adds points of frames that are still to come."""
        self._queries = Queries(
            np.concatenate([self._queries.t, queries.t]), np.concatenate([self._queries.xy, queries.xy])
        )
        working = edge_aligned(queries.xy, self._size_px, self._working_px)
        self._chain.add(queries.t, working.astype(np.float32))
        self._matcher.add(queries.t, queries.xy)
        self._reader.add(queries)
        self._network.add(queries)
        self._ahead = deque(_padded(one, len(queries)) for one in self._ahead)
        if self._pending is not None:
            self._pending = _padded_tracks(self._pending, len(queries))

    def push(self, frames: np.ndarray) -> list[Candidates]:
        """Takes the next frames, uint8 (n, H, W, 3).

        Returns:
            the candidates of the frames that are final now
        """
        found: list[Candidates] = []
        with self._network.few_threads():
            for start in range(0, len(frames), self.step):
                self._advance(frames[start : start + self.step])  # the store of maps has room for so many and a window
                while self.num_frames >= self._network.start + self._network.window:
                    found += self._settle(self._network.step)
        return found

    def finish(self) -> list[Candidates]:
        """Refines the last, short window.

        Returns:
            the candidates of all frames that were not final yet
        """
        rest = self.num_frames - self._network.start
        overlap = self._network.step if self._network.start else 0
        if rest <= 0:
            return []
        with self._network.few_threads():
            if rest <= overlap and self._pending is not None:
                return self._read(self._pending)
            return self._settle(rest)

    def _advance(self, frames: np.ndarray) -> None:
        """Encodes frames and moves the chain on."""
        first = self.num_frames
        self._network.encode(frames)
        for index, frame in enumerate(frames, start=first):
            grey = cv2.cvtColor(resize(np.ascontiguousarray(frame), self._working_px), cv2.COLOR_RGB2GRAY)
            features = self._network.map_of(index)
            new = np.flatnonzero(self._queries.t == index)
            if len(new):
                self._matcher.learn(new, index, features)
            state, looked_for = self._chain.advance(index, grey, features)
            if state.flow is not None:
                self._network.put_flow(index, state.flow.there, state.flow.back, self._working_px)
            xy, camera_xy = (
                edge_aligned(part, self._working_px, self._size_px).astype(np.float32)
                for part in (state.xy, state.camera_xy)
            )
            xy[new] = camera_xy[new] = self._queries.xy[new]
            kept = state.kept & inside_frame(xy, self._size_px)
            kept[new] = True
            assert state.beside_camera_px is not None
            told = (
                xy,
                camera_xy,
                state.beside_camera_px,
                kept,
                state.confidence,
                state.origin,
                state.stretch,
                looked_for,
            )
            self._ahead.append(ChainFrame(index, grey, state.flow, *told))

    def _settle(self, count: int) -> list[Candidates]:
        """Refines the next window; its first `count` frames are final."""
        window = list(self._ahead)[: self._network.window]
        tracks = self._network.settle([GuideFrame(one.xy, one.kept) for one in window], len(window))
        self._pending = _frames(tracks, count, len(window))
        return self._read(_frames(tracks, 0, count))

    def _read(self, tracks: Tracks) -> list[Candidates]:
        found = []
        for i in range(tracks.num_frames):
            chain = self._ahead.popleft()
            features = self._network.map_of(chain.frame_index)
            found.append(self._reader.read(chain, _frames(tracks, i, i + 1), features))
        return found


def _frames(tracks: Tracks, start: int, stop: int) -> Tracks:
    return Tracks(tracks.xy[start:stop], tracks.visible[start:stop], tracks.confidence[start:stop])


def _padded_tracks(tracks: Tracks, count: int) -> Tracks:
    return Tracks(
        np.pad(tracks.xy, ((0, 0), (0, count), (0, 0)), constant_values=np.nan),
        np.pad(tracks.visible, ((0, 0), (0, count))),
        np.pad(tracks.confidence, ((0, 0), (0, count))),
    )


def _padded(chain: ChainFrame, count: int) -> ChainFrame:
    """A frame of the chain from before some points were added, which are in later frames."""
    unknown = np.full((count, 2), np.nan, np.float32)
    return replace(
        chain,
        xy=np.concatenate([chain.xy, unknown]),
        camera_xy=np.concatenate([chain.camera_xy, unknown]),
        beside_camera_px=np.concatenate([chain.beside_camera_px, unknown[:, 0]]),
        kept=np.pad(chain.kept, (0, count)),
        confidence=np.pad(chain.confidence, (0, count)),
        origin=np.pad(chain.origin, (0, count)),
        stretch=np.pad(chain.stretch, (0, count)),
    )
