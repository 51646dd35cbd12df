"""CoTracker3 and CoTracker2 as trackers: the published predictors, leaner.

`load_tracker("cotracker3-offline" | "cotracker3-online" | "cotracker2", ...)`
ends here.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ...errors import CheckpointError, OptionError
from ...queries.dense import DENSE_COLUMNS
from ...types import Queries, Tracks
from ...video.frames import FrameSource
from ..base import Capabilities, RunHooks, Tracker
from ..published_weights import fetch_weights
from .network.chunks import ChunkSizes
from .network.model import CoTracker3
from .options import CoTrackerOptions
from .running.costs import encoder_flops, refine_flops
from .running.features import ClipFeatures
from .running.memory_plan import Plan, Workload, changes_of_results, make_plan, run_within_memory, smaller_plan
from .running.offline import ChainedPoints, chain_starts
from .running.online import WindowedPoints, window_starts
from .running.passes import (
    ModelFrame,
    Rules,
    StoredFeatures,
    StreamedFeatures,
    TrackArrays,
    Windowed,
    WindowFeatures,
    frames_of,
    with_support,
)
from .running.precision import choose_device, choose_dtype, matrix_products, set_matrix_dtype
from .running.session import CoTrackerSession
from .weights.checkpoint import CoTracker, flavour, load_model
from .weights.published import PUBLISHED

_GIB = 2**30


class CoTrackerTracker(Tracker):
    """A CoTracker model behind the `Tracker` contract.

    Args:
        model: filled with weights; copied where the options ask for another
            device or dtype than it has
        options: how to run
    """

    def __init__(self, model: CoTracker, options: CoTrackerOptions | None = None) -> None:
        options = options or CoTrackerOptions()
        config = model.config
        self.name = flavour(config)
        self._options = options
        self._device = choose_device(options.device)
        self._dtype = choose_dtype(options.dtype, self._device)
        self._offline = config.mode == "offline"
        if self._offline and options.windowed is not None:
            raise OptionError(f"Invalid option windowed for {self.name!r}: it is for the online models")
        # whole clips are what CoTracker2 was published for, streams what CoTracker3 online was
        self._windowed = config.version == 2 if options.windowed is None else options.windowed
        self._rules = Rules.whole_clip(config) if self._offline or self._windowed else Rules.streaming(config)
        self.capabilities = Capabilities(
            joint=True, bidirectional=self._offline, streaming=not self._offline, knows_before_query=True
        )
        self._feature_dtype = torch.bfloat16 if self._dtype == "bfloat16" else torch.float32
        self._model = _placed(model, self._device, self._dtype)

    @classmethod
    def from_model(cls, model: CoTracker, **options: Any) -> CoTrackerTracker:
        """A tracker of a model in memory, without any file.

        Args:
            model: any CoTracker model; used as it is, or a copy where `device`
                or `dtype` ask for another than it has
            options: as of `CoTrackerOptions`, without `checkpoint`
        """
        return cls(model, CoTrackerOptions(**options))

    @property
    def model(self) -> CoTracker:
        """The network as it runs, not a copy."""
        return self._model

    def with_model(self, model: CoTracker) -> CoTrackerTracker:
        """The same tracker with other weights.

        Args:
            model: of the same sizes; used as it is, not copied
        """
        other = copy.copy(self)
        other._model = model.eval().to(self._device)
        return other

    @property
    def options(self) -> dict[str, Any]:
        given = self._options
        return {
            "checkpoint": None if given.checkpoint is None else os.fspath(given.checkpoint),
            "device": str(self._device),
            "dtype": self._dtype,
            "support_grid": given.support_grid,
            "iterations": given.iterations,
            "memory_limit_gb": given.memory_limit_gb,
            **({} if self._offline else {"windowed": self._windowed}),
        }

    def first_reading(self, size_px: tuple[int, int], queries: Queries) -> tuple[int, tuple[int, int]] | None:
        return 0, size_px  # resized on the device

    def open_session(self, size_px: tuple[int, int], **options: Any) -> CoTrackerSession:
        """Starts tracking frames that come one chunk at a time; see `CoTrackerSession`.

        Args:
            size_px: (width, height) of the frames to come

        Raises:
            OptionError: for the offline model
        """
        if self._offline:
            return super().open_session(size_px, **options)  # type: ignore[return-value]
        if options:
            raise OptionError(f"Unknown session options {', '.join(sorted(options))}. There are none")
        model = self._model_for(size_px)
        config = model.config
        frame = ModelFrame(config, size_px, self._device)
        feature_bytes = torch.finfo(self._feature_dtype).bits // 8

        def chunks_for(num_points: int) -> ChunkSizes:
            work = Workload(config.window, max(num_points, 1), 0, size_px, feature_bytes=feature_bytes)
            return make_plan(config, work, self._device, self._budget).chunks

        read_frames = min(chunks_for(0).encoder_frames, config.step)
        with torch.inference_mode():
            store = ClipFeatures(model, config.window + read_frames, self._feature_dtype, rolling=True)
            none = Queries(t=np.zeros(0, dtype=np.int64), xy=np.zeros((0, 2)))
            points = WindowedPoints(model, *frame.to_model(none))
        return CoTrackerSession(
            frame,
            self._session_rules(),
            points,
            store,
            read_frames,
            self._options.support_grid,
            self._options.iterations,
            chunks_for,
            self._dtype,
        )

    @property
    def _budget(self) -> int | None:
        limit = self._options.memory_limit_gb
        return None if limit is None else int(limit * _GIB)

    def _model_for(self, size_px: tuple[int, int]) -> CoTracker:
        """The model as it runs on frames of a size (width, height)."""
        return self._model

    def _session_rules(self) -> Rules:
        return Rules.streaming(self._model.config)

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        side = self._rules.support_side(self._options.support_grid, queries.origin)
        backward = backward and len(queries) > 0 and int(queries.t.max()) > 0
        work = Workload(
            num_frames=source.num_frames,
            num_points=len(queries),
            num_support=side**2,
            frame_size=source.size_px,
            max_points_per_pass=_dense_pass(queries, source.size_px),
            backward=backward,
            feature_bytes=torch.finfo(self._feature_dtype).bits // 8,
        )

        model = self._model_for(source.size_px)

        def run(plan: Plan) -> Tracks:
            with torch.inference_mode(), matrix_products(self._dtype, self._device):
                return _ClipRun(self, model, source, queries, side, backward, hooks, plan).run()

        def smaller(failed: Plan) -> Plan | None:
            return smaller_plan(model.config, work, self._device, failed)

        plan = make_plan(model.config, work, self._device, self._budget)
        tracks, plan = run_within_memory(run, plan, smaller)
        warnings = changes_of_results(model.config, work, plan)
        return replace(tracks, info={**tracks.info, "plan": plan.to_dict(), "warnings": warnings})


class _ClipRun:
    """One run of a tracker over one clip."""

    def __init__(
        self,
        tracker: CoTrackerTracker,
        model: CoTracker,
        source: FrameSource,
        queries: Queries,
        support_side: int,
        backward: bool,
        hooks: RunHooks,
        plan: Plan,
    ) -> None:
        self._tracker = tracker
        self._model = model
        self._source = source
        self._queries = queries
        self._side = support_side
        self._backward = backward
        self._plan = plan
        self._num_frames = source.num_frames
        self._frame = ModelFrame(self._model.config, source.size_px, tracker._device)
        self._hooks = hooks
        self._work_done = 0.0
        self._frames_encoded = 0
        self._work = max(self._count_work(), 1.0)

    def run(self) -> Tracks:
        arrays = TrackArrays.empty(self._num_frames, len(self._queries))
        passes = self._passes()
        stored = self._store_clip() if self._plan.keeps_clip else None
        forward = StoredFeatures(stored.maps()) if stored else self._stream(backwards=False)
        self._run_windows(forward, passes, arrays, backwards=False)
        if self._frames_encoded < self._num_frames:  # fewer frames than were counted decode
            self._queries.check_inside(self._source.size_px, self._frames_encoded)
        if self._backward:
            passes = [columns for columns in passes if (self._queries.t[columns] > 0).any()]
            flipped = TrackArrays.empty(self._num_frames, len(self._queries))
            del forward
            features = StoredFeatures(stored.maps().flipped()) if stored else self._stream(backwards=True)
            self._run_windows(features, passes, flipped, backwards=True)
            earlier = np.arange(self._num_frames)[:, None] < self._queries.t  # (T, N)
            arrays.replace_where(earlier, flipped.reversed())
        since = None if self._backward else self._queries.t
        return self._tracker._rules.tracks(arrays, self._frame, {}, self._queries, since)

    def _passes(self) -> list[np.ndarray]:
        size = self._plan.points_per_pass
        return [np.arange(i, min(i + size, len(self._queries))) for i in range(0, len(self._queries), size)]

    def _store_clip(self) -> ClipFeatures:
        store = ClipFeatures(self._model, self._num_frames, self._tracker._feature_dtype)
        chunks = frames_of(self._source, self._plan.chunks.encoder_frames, self._num_frames, backwards=False)
        store.extend(chunks, self._on_encoded)
        return store

    def _stream(self, backwards: bool) -> StreamedFeatures:
        window = self._window
        step = max(min(self._plan.chunks.encoder_frames, window), 1)
        store = ClipFeatures(self._model, window + step, self._tracker._feature_dtype, rolling=True)
        self._frames_encoded = 0
        chunks = frames_of(self._source, step, self._num_frames, backwards)
        return StreamedFeatures(store, chunks, self._on_encoded)

    @property
    def _window(self) -> int:
        return self._plan.window_frames if self._tracker._offline else self._model.config.window

    def _points(self, columns: np.ndarray, backwards: bool) -> ChainedPoints | WindowedPoints:
        """The points of one pass, with their support."""
        chosen = Queries(t=self._queries.t[columns], xy=self._queries.xy[columns], origin=self._queries.origin)
        chosen = with_support(chosen, self._side, self._source.size_px)
        t, xy = self._frame.to_model(chosen)
        if backwards:
            t = self._num_frames - 1 - t
        if self._tracker._offline:
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
                for state in points.refine_window(maps, self._tracker._options.iterations, chunks):  # noqa: B007
                    self._on_refined(len(columns) + self._side**2)
                assert state is not None
                found = TrackArrays.from_state(state, slice(0, len(columns)), start)
                skip = points.write_from if isinstance(points, ChainedPoints) else 0
                out.put(found.frames(0, maps.num_frames), columns, skip)

    def _starts(self) -> Sequence[int]:
        if not self._tracker._offline:
            return window_starts(self._num_frames, self._window)
        return chain_starts(self._num_frames, self._window, min(self._plan.overlap, self._window - 1))

    def _count_work(self) -> float:
        """Operations of the whole run, roughly."""
        config = self._model.config
        directions = 2 if self._backward else 1
        encoded = self._num_frames * (1 if self._plan.keeps_clip else directions)
        windows = len(self._starts()) * directions
        points = sum(len(columns) + self._side**2 for columns in self._passes())
        refined = refine_flops(config, self._window, points) * self._tracker._options.iterations * windows
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


def load_cotracker3_offline(**options: Any) -> CoTrackerTracker:
    """CoTracker3 offline; options as of `CoTrackerOptions`."""
    return _load("cotracker3-offline", CoTrackerOptions(**options))


def load_cotracker3_online(**options: Any) -> CoTrackerTracker:
    """CoTracker3 online; options as of `CoTrackerOptions`."""
    return _load("cotracker3-online", CoTrackerOptions(**options))


def load_cotracker2(**options: Any) -> CoTrackerTracker:
    """CoTracker2; options as of `CoTrackerOptions`."""
    return _load("cotracker2", CoTrackerOptions(**options))


def _load(name: str, options: CoTrackerOptions) -> CoTrackerTracker:
    path = options.checkpoint
    if path is None:
        path = fetch_weights(PUBLISHED[name], tracker=name, accept_license=options.accept_license)
    model = load_model(path)
    if flavour(model.config) != name:
        raise CheckpointError(
            f"{path} holds weights of {flavour(model.config)!r}, not of {name!r}. "
            f"Load it with load_tracker({flavour(model.config)!r}, checkpoint=...)"
        )
    return CoTrackerTracker(model, options)


def _dense_pass(queries: Queries, size_px: tuple[int, int]) -> int | None:
    """Points per pass of the published dense mode; None for other queries."""
    if queries.origin != "dense":
        return None
    width, height = size_px
    step = min(max(width // DENSE_COLUMNS, 1), height)
    return max((width // step) * (height // step), 1)


def _placed(model: CoTracker, device: torch.device, dtype: str) -> CoTracker:
    """The model on a device and in a dtype; a copy where it has others, so that its owner's is left alone."""
    moves = next(model.parameters()).device != torch.empty(0, device=device).device
    casts = dtype == "bfloat16" and model.fnet.conv1.weight.dtype != torch.bfloat16
    if not moves and not casts:
        return model
    model = copy.deepcopy(model).to(device)
    if casts:
        set_matrix_dtype(model, torch.bfloat16)
    return model
