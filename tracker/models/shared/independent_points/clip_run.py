"""One clip through a network: every frame is encoded once, then points are tracked, some at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ....coordinates import edge_aligned
from ....types import Queries, Tracks
from ....video.frames import FrameSource
from ...base import RunHooks, capped_where_hidden
from ..frame_resizing import Resize, frames_to_device, resize_frames
from .frame_maps import ClipMaps, Course, Estimate, FrameMaps, Points, slices
from .memory_plan import Costs, Plan
from .model_sizes import FIRST_SIDE, Size
from .soft_peak import seen_score

_WHITE = 255
VISIBLE_FROM = 0.5
_FIRST_SIZE_PX = (FIRST_SIDE, FIRST_SIDE)


class PointNetwork(Protocol):
    """What a network of these trackers can do; positions are raster positions of a 256 x 256 frame."""

    @property
    def device(self) -> torch.device:
        """Where it is."""
        ...

    def sizes(self, frame: Size) -> list[Size]:
        """The (height, width) in which a model's frame is looked at, 256 x 256 first."""
        ...

    def encode(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Maps of (n, 3, H, W) float32 frames from -1 to 1: (n, h, w, C) each."""
        ...

    def track(self, sets: Sequence[FrameMaps], rows: Tensor, points: Points, course: Course) -> Estimate:
        """Tracks points through frames, given in this order by their rows in the maps."""
        ...


@dataclass(frozen=True)
class RunSettings:
    """How clips are run.

    Args:
        network: on its device, in evaluation mode
        costs: of the network
        frame_size: (height, width) of the model's frame
        resize: how frames get there
        iterations: refinements in each size
        temperature: of the softmax over the cost volume
        map_dtype: in which maps are kept
        both_ways: whether one pass tracks earlier frames too; else these take a pass of their own
    """

    network: PointNetwork
    costs: Costs
    frame_size: Size
    resize: Resize
    iterations: int
    temperature: float
    map_dtype: torch.dtype
    both_ways: bool

    def encode(self, frames: np.ndarray) -> list[FrameMaps]:
        """The maps of uint8 (n, H, W, 3) frames, in every size."""
        x = frames_to_device(frames, self.network.device)
        x = resize_frames(x, self.frame_size, self.resize, whole_greys=False) / (_WHITE / 2) - 1
        sets = []
        for size in self.network.sizes(self.frame_size):
            resized = x if x.shape[2:] == size else F.interpolate(x, size, mode="bilinear", align_corners=False)
            sets.append(FrameMaps(size, tuple(level.to(self.map_dtype) for level in self.network.encode(resized))))
        return sets

    def encoder_flops(self) -> float:
        """Operations of encoding a frame."""
        pixels = sum(height * width for height, width in self.network.sizes(self.frame_size))
        return pixels * self.costs.encoder_flops

    def point_flops(self) -> float:
        """Operations of tracking a point through a frame, in one direction."""
        return self.costs.start_flops + self.refinements() * self.costs.refine_flops

    def refinements(self) -> int:
        """Refinements of a point, in all sizes together."""
        return self.iterations * len(self.network.sizes(self.frame_size))


def to_first_frame(xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """(..., 2) pixels of the video as raster positions of the 256 x 256 frame."""
    return edge_aligned(xy, size_px, _FIRST_SIZE_PX) + 0.5


def to_video(xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """The inverse of `to_first_frame`."""
    return edge_aligned(xy - 0.5, _FIRST_SIZE_PX, size_px)


class TrackTable:
    """What is known of N points in T frames, filled some points at a time.

    Args:
        num_frames: T
        num_points: N
        size_px: (width, height) of the video
    """

    def __init__(self, num_frames: int, num_points: int, size_px: tuple[int, int]) -> None:
        self._size_px = size_px
        self._xy = np.full((num_frames, num_points, 2), np.nan, np.float32)
        self._occlusion = np.full((num_frames, num_points), np.inf, np.float32)
        self._expected_dist = np.full((num_frames, num_points), np.inf, np.float32)

    def write(self, rows: np.ndarray, columns: np.ndarray, estimate: Estimate, where: np.ndarray | None = None) -> None:
        """Takes what a network says.

        Args:
            rows: (t,) int, frames of the table
            columns: (p,) int, points of the table
            estimate: of these points in these frames
            where: (t, p) bool, what of it counts; None = all
        """
        at = np.ix_(rows, columns)
        new = {
            "_xy": to_video(estimate.xy.transpose(0, 1).float().cpu().numpy(), self._size_px),
            "_occlusion": estimate.occlusion.T.float().cpu().numpy(),
            "_expected_dist": estimate.expected_dist.T.float().cpu().numpy(),
        }
        for name, values in new.items():
            table = getattr(self, name)
            if where is not None:
                counts = where if values.ndim == 2 else where[..., None]
                values = np.where(counts, values, table[at])
            table[at] = values

    def tracks(self, hidden: np.ndarray) -> Tracks:
        """The table as tracks.

        Args:
            hidden: (T, N) bool, where no point is seen whatever the network says

        Returns:
            Tracks; `info` holds the logits `occlusion` and `expected_dist`
        """
        confidence = seen_score(self._occlusion, self._expected_dist)
        visible = (confidence > VISIBLE_FROM) & ~hidden
        info = {"occlusion": self._occlusion, "expected_dist": self._expected_dist}
        return Tracks(self._xy, visible, capped_where_hidden(confidence, visible | ~hidden), info)


class ClipRun:
    """One run over one clip.

    Args:
        settings: how clips are run
        source: the clip
        queries: N points in pixels of its frames
        backward: whether points are tracked towards the start of the clip too
        hooks: told of progress, and asked whether to go on
        plan: how the work is cut
    """

    def __init__(
        self,
        settings: RunSettings,
        source: FrameSource,
        queries: Queries,
        backward: bool,
        hooks: RunHooks,
        plan: Plan,
    ) -> None:
        self._settings = settings
        self._source = source
        self._queries = queries
        self._backward = backward
        self._hooks = hooks
        self._plan = plan
        self._num_frames = source.num_frames
        passes = 1 + (backward and not settings.both_ways)
        self._work_done = 0.0
        tracking = passes * len(queries) * self._num_frames * settings.point_flops()
        self._work = max(self._num_frames * settings.encoder_flops() + tracking, 1.0)

    def run(self) -> Tracks:
        """The tracks of all points."""
        queries = self._queries
        if not len(queries):
            return TrackTable(self._num_frames, 0, self._source.size_px).tracks(np.zeros((self._num_frames, 0), bool))
        clip = self._encode()
        if clip.filled < self._num_frames:  # fewer frames than were counted decode
            queries.check_inside(self._source.size_px, clip.filled)
            self._num_frames = clip.filled
        table = TrackTable(self._num_frames, len(queries), self._source.size_px)
        before = np.arange(self._num_frames)[:, None] < queries.t  # (T, N)
        self._track(clip, table, np.arange(self._num_frames), None)
        if self._backward and not self._settings.both_ways and before.any():
            self._track(clip, table, np.arange(self._num_frames)[::-1], before)
        return table.tracks(np.zeros_like(before) if self._backward else before)

    def _encode(self) -> ClipMaps:
        clip = ClipMaps(self._num_frames)
        for frames in self._source.chunks(stop=self._num_frames, chunk_frames=self._plan.encoder_frames):
            clip.append(self._settings.encode(frames))
            self._count(len(frames) * self._settings.encoder_flops())
        return clip

    def _track(self, clip: ClipMaps, table: TrackTable, order: np.ndarray, where: np.ndarray | None) -> None:
        """Tracks all points through the frames in an order; only what stands at `where` counts."""
        device = self._settings.network.device
        rows = torch.from_numpy(order.copy()).to(device)
        sets = clip.sets
        xy = torch.from_numpy(to_first_frame(self._queries.xy, self._source.size_px).astype(np.float32))
        t = torch.from_numpy(self._queries.t.copy())
        for some in slices(len(t), self._plan.points):
            points = Points(t[some].to(device), xy[some].to(device))
            estimate = self._settings.network.track(sets, rows, points, self._course(some.stop - some.start))
            columns = np.arange(some.start, some.stop)
            table.write(order, columns, estimate, None if where is None else where[order][:, some])

    def _course(self, points: int) -> Course:
        settings, tokens = self._settings, points * self._num_frames
        steps = iter([settings.costs.start_flops] + [settings.costs.refine_flops] * settings.refinements())
        return Course(
            iterations=settings.iterations,
            temperature=settings.temperature,
            block=self._plan.block,
            on_block=lambda: self._count(0),
            on_estimate=lambda _: self._count(tokens * next(steps, 0)),
        )

    def _count(self, flops: float) -> None:
        self._work_done += flops
        self._hooks.report(self._work_done / self._work)


def with_plan(tracks: Tracks, plan: Plan) -> Tracks:
    """The same tracks, which say how they were worked through."""
    return replace(tracks, info={**tracks.info, "plan": plan.to_dict()})
