"""One clip through a model: windows, passes of points, directions of time, within memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ....queries.dense import DENSE_COLUMNS
from ....types import Queries, Tracks
from ....video.frames import FrameSource
from ...base import RunHooks
from ...shared.memory import require_memory, run_within_memory
from ...shared.precision import matrix_products
from ..network.model import CoTracker3
from .costs import encoder_flops, refine_flops
from .features import ClipFeatures
from .memory_plan import Plan, Workload, changes_of_results, least_bytes, smaller_plan
from .offline import ChainedPoints, chain_starts
from .online import WindowedPoints, window_starts
from .passes import (
    StoredFeatures,
    StreamedFeatures,
    TrackArrays,
    Windowed,
    WindowFeatures,
    frames_of,
    with_support,
)
from .run_context import RunContext


def run_clip(context: RunContext, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
    """Tracks points through a clip, in smaller blocks of work where memory runs out.

    Args:
        context: the model, and how it runs
        source: T frames
        queries: N points in pixels of these frames
        backward: also from each query frame towards the start
        hooks: told of progress, asked whether to go on

    Returns:
        Tracks of T frames and N points; `info` has "plan" and "warnings" about what it changed

    Raises:
        QueryError: if fewer frames decode than were counted, and a query lies behind them
        Cancelled: if the run was cancelled
        OutOfMemoryError: if no plan fits into memory; where that can be told, before the run begins
    """
    config = context.model.config
    side = context.rules.support_side(context.support_grid, queries.origin)
    backward = backward and len(queries) > 0 and int(queries.t.max()) > 0
    work = Workload(
        num_frames=source.num_frames,
        num_points=len(queries),
        num_support=side**2,
        frame_size=source.size_px,
        max_points_per_pass=_dense_pass(queries, source.size_px),
        backward=backward,
        feature_bytes=context.feature_bytes,
    )

    def run(plan: Plan) -> Tracks:
        with torch.inference_mode(), matrix_products(context.dtype, context.device):
            return ClipRun(context, source, queries, side, backward, hooks, plan).run()

    def smaller(failed: Plan) -> Plan | None:
        return smaller_plan(config, work, context.device, failed)

    plan = context.plan(work)
    require_memory(least_bytes(config, work, context.device), plan.budget_bytes, context.memory_limit_gb)
    tracks, plan = run_within_memory(run, plan, smaller)
    warnings = changes_of_results(config, work, plan)
    return replace(tracks, info={**tracks.info, "plan": plan.to_dict(), "warnings": warnings})


class ClipRun:
    """One run of a model over one clip, by one plan.

    Args:
        context: the model, and how it runs
        source: T frames
        queries: N points in pixels of these frames
        support_side: points per side of the grid that supports them
        backward: also from each query frame towards the start
        hooks: told of progress, asked whether to go on
        plan: how the clip is cut
    """

    def __init__(
        self,
        context: RunContext,
        source: FrameSource,
        queries: Queries,
        support_side: int,
        backward: bool,
        hooks: RunHooks,
        plan: Plan,
    ) -> None:
        self._context = context
        self._model = context.model
        self._source = source
        self._queries = queries
        self._side = support_side
        self._backward = backward
        self._plan = plan
        self._num_frames = source.num_frames
        self._frame = context.frame(source.size_px)
        self._hooks = hooks
        self._work_done = 0.0
        self._frames_encoded = 0
        self._work = max(self._count_work(), 1.0)

    def run(self) -> Tracks:
        arrays = TrackArrays.empty(self._num_frames, len(self._queries))
        passes = self._passes()
        stored = self._store_clip() if self._plan.keeps_clip else None
        if stored:
            self._check_decoded()
        forward = StoredFeatures(stored.maps()) if stored else self._stream(backwards=False)
        self._run_windows(forward, passes, arrays, backwards=False)
        self._check_decoded()
        if self._backward:
            passes = [columns for columns in passes if (self._queries.t[columns] > 0).any()]
            flipped = TrackArrays.empty(self._num_frames, len(self._queries))
            del forward
            features = StoredFeatures(stored.maps().flipped()) if stored else self._stream(backwards=True)
            self._run_windows(features, passes, flipped, backwards=True)
            earlier = np.arange(self._num_frames)[:, None] < self._queries.t  # (T, N)
            arrays.replace_where(earlier, flipped.reversed())
        since = None if self._backward else self._queries.t
        return self._context.rules.tracks(arrays, self._frame, {}, self._queries, since)

    def _check_decoded(self) -> None:
        """Refuses queries in frames that were counted and do not decode."""
        if self._frames_encoded < self._num_frames:
            self._queries.check_inside(self._source.size_px, self._frames_encoded)

    def _passes(self) -> list[np.ndarray]:
        size = self._plan.points_per_pass
        return [np.arange(i, min(i + size, len(self._queries))) for i in range(0, len(self._queries), size)]

    def _store_clip(self) -> ClipFeatures:
        store = ClipFeatures(self._model, self._num_frames, self._context.feature_dtype)
        chunks = frames_of(self._source, self._plan.chunks.encoder_frames, self._num_frames, backwards=False)
        store.extend(chunks, self._on_encoded)
        return store

    def _stream(self, backwards: bool) -> StreamedFeatures:
        window = self._window
        step = max(min(self._plan.chunks.encoder_frames, window), 1)
        store = ClipFeatures(self._model, window + step, self._context.feature_dtype, rolling=True)
        self._frames_encoded = 0
        chunks = frames_of(self._source, step, self._num_frames, backwards)
        return StreamedFeatures(store, chunks, self._on_encoded)

    @property
    def _window(self) -> int:
        return self._plan.window_frames if self._context.whole_clip else self._model.config.window

    def _points(self, columns: np.ndarray, backwards: bool) -> ChainedPoints | WindowedPoints:
        """The points of one pass, with their support."""
        chosen = Queries(t=self._queries.t[columns], xy=self._queries.xy[columns], origin=self._queries.origin)
        chosen = with_support(chosen, self._side, self._source.size_px)
        t, xy = self._frame.to_model(chosen)
        if backwards:
            t = self._num_frames - 1 - t
        if self._context.whole_clip:
            assert isinstance(self._model, CoTracker3)
            return ChainedPoints(self._model, t, xy, self._window, self._starts(), self._plan.stores_templates)
        return WindowedPoints(self._model, t, xy)

    def _run_windows(
        self, features: WindowFeatures, passes: list[np.ndarray], out: TrackArrays, backwards: bool
    ) -> None:
        """Takes all passes through the clip, window by window."""
        chunks = replace(self._plan.chunks, on_block=self._check_cancelled)
        groups: list[tuple[np.ndarray, Windowed]] = [(columns, self._points(columns, backwards)) for columns in passes]
        for start in self._starts():
            maps = features.window(start, self._window)
            for columns, points in groups:
                state = None
                for state in points.refine_window(maps, self._context.iterations, chunks):  # noqa: B007
                    self._on_refined(len(columns) + self._side**2)
                assert state is not None
                found = TrackArrays.from_state(state, slice(0, len(columns)), start)
                skip = points.write_from if isinstance(points, ChainedPoints) else 0
                out.put(found.frames(0, maps.num_frames), columns, skip)

    def _starts(self) -> Sequence[int]:
        if not self._context.whole_clip:
            return window_starts(self._num_frames, self._window)
        return chain_starts(self._num_frames, self._window, min(self._plan.overlap, self._window - 1))

    def _count_work(self) -> float:
        """Operations of the whole run, roughly."""
        config = self._model.config
        directions = 2 if self._backward else 1
        encoded = self._num_frames * (1 if self._plan.keeps_clip else directions)
        windows = len(self._starts()) * directions
        points = sum(len(columns) + self._side**2 for columns in self._passes())
        refined = refine_flops(config, self._window, points) * self._context.iterations * windows
        return encoded * encoder_flops(config) + refined

    def _check_cancelled(self) -> None:
        self._hooks.report(self._work_done / self._work)

    def _on_encoded(self, num_frames: int) -> None:
        self._work_done += (num_frames - self._frames_encoded) * encoder_flops(self._model.config)
        self._frames_encoded = num_frames
        self._hooks.report(self._work_done / self._work)

    def _on_refined(self, num_points: int) -> None:
        self._work_done += refine_flops(self._model.config, self._window, num_points)
        self._hooks.report(self._work_done / self._work)


def _dense_pass(queries: Queries, size_px: tuple[int, int]) -> int | None:
    """Points per pass of the published dense mode; None for other queries."""
    if queries.origin != "dense":
        return None
    width, height = size_px
    step = min(max(width // DENSE_COLUMNS, 1), height)
    return max((width // step) * (height // step), 1)
