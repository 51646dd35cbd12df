"""AllTracker as a tracker: frames in the model's size, passes in both directions, positions in the video.

`load_tracker("alltracker" | "alltracker-tiny", checkpoint=...)` ends here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...coordinates import edge_aligned
from ...types import Queries, Tracks
from ...video.frames import FrameSource
from ..base import Capabilities, RunHooks, Tracker
from ..published_weights.loading import load_published
from ..shared.frame_resizing import frames_to_device, resize_frames
from ..shared.memory import require_memory, run_within_memory
from ..shared.precision import choose_device, choose_dtype, matrix_products, place_model
from .checkpoint import load_model
from .config import MIN_SIDE, PADDING_UNIT, grid_size
from .memory_plan import Plan, Workload, least_bytes, make_plan, smaller_plan
from .network import AllTracker, set_matrix_dtype
from .options import AllTrackerOptions
from .published import PUBLISHED
from .windows import (
    AnchoredPoints,
    Course,
    EncodedFeatures,
    Features,
    Found,
    Places,
    ReversedFeatures,
    track_passes,
    window_lengths,
)

_GIB = 2**30
VISIBLE_FROM = 0.6
"""A point is visible where visibility x confidence reaches it, as in the published evaluation."""
LAST_UP_TO = 128
"""Frames of the longest clip whose published figures are those of the last window that saw a frame."""
_SMALLEST_SIDE = 2 * PADDING_UNIT
# operations of a cell, for progress: encoding a frame, and refining a frame once
_ENCODE_FLOPS = {"convnext": 27e6, "residual": 10.7e6}
_REFINE_FLOPS = 6.45e6


class AllTrackerTracker(Tracker):
    """An AllTracker model behind the `Tracker` contract.

    Args:
        model: filled with weights; copied where the options ask for another
            device or dtype than it has
        options: how to run
    """

    capabilities = Capabilities(pass_per_query_frame=True)

    def __init__(self, model: AllTracker, options: AllTrackerOptions | None = None) -> None:
        options = options or AllTrackerOptions()
        self.name = model.config.name
        self._options = options
        self._device = choose_device(options.device)
        self._dtype = choose_dtype(options.dtype, self._device)
        self._feature_dtype = torch.bfloat16 if self._dtype == "bfloat16" else torch.float32
        self._model = place_model(model, self._device, self._dtype, set_matrix_dtype)

    @property
    def options(self) -> dict[str, Any]:
        return {**self._options.to_dict(), "device": str(self._device), "dtype": self._dtype}

    @property
    def model(self) -> AllTracker:
        """The network as it runs, not a copy."""
        return self._model

    def first_reading(self, size_px: tuple[int, int], queries: Queries) -> tuple[int, tuple[int, int]] | None:
        if not len(queries) or int(queries.t.min()) > 0:
            return None  # earlier frames are read for some runs only
        return 0, size_px  # resized on the device

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        num_frames = source.num_frames
        backward = backward and len(queries) > 0 and int(queries.t.max()) > 0
        size = self._model_size(source.size_px)
        width, height = source.size_px
        passes = len(np.unique(queries.t))
        rows, columns = grid_size(size)
        work = Workload(
            num_frames=num_frames,
            frame_size=(height, width),
            model_size=size,
            passes=max(passes, 1),
            num_points=len(queries),
            query_cells=min(4 * len(queries), rows * columns),
            backward=backward,
            feature_bytes=torch.finfo(self._feature_dtype).bits // 8,
        )
        config = self._model.config
        limit = self._options.memory_limit_gb
        budget = None if limit is None else int(limit * _GIB)

        def run(plan: Plan) -> Tracks:
            with torch.inference_mode(), matrix_products(self._dtype, self._device):
                return _ClipRun(self, source, queries, size, backward, hooks, plan).run()

        def smaller(failed: Plan) -> Plan | None:
            return smaller_plan(config, work, self._device, failed)

        plan = make_plan(config, work, self._device, budget)
        require_memory(least_bytes(config, work, self._device), plan.budget_bytes, limit)
        tracks, plan = run_within_memory(run, plan, smaller)
        return replace(tracks, info={**tracks.info, "plan": plan.to_dict(), "passes": passes * (1 + backward)})

    def _model_size(self, size_px: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the model's frame for frames of (width, height)."""
        if self._options.frame_size is not None:
            return self._options.frame_size
        width, height = (side if side >= MIN_SIDE else _SMALLEST_SIDE for side in size_px)
        return height, width


class _ClipRun:
    """One run of a tracker over one clip."""

    def __init__(
        self,
        tracker: AllTrackerTracker,
        source: FrameSource,
        queries: Queries,
        size: tuple[int, int],
        backward: bool,
        hooks: RunHooks,
        plan: Plan,
    ) -> None:
        self._tracker = tracker
        self._model = tracker._model
        self._source = source
        self._queries = queries
        self._size = size
        self._size_px = (size[1], size[0])
        self._backward = backward
        self._hooks = hooks
        self._plan = plan
        self._num_frames = source.num_frames
        self._first = 0 if backward or not len(queries) else int(queries.t.min())
        self._xy_model = edge_aligned(queries.xy, source.size_px, self._size_px)  # (N, 2)
        self._work_done = 0.0
        self._work = max(self._count_work(), 1.0)
        keep = tracker._options.keep
        self._course = Course(
            iterations=tracker._options.iterations,
            keeps_last=keep == "last" or (keep == "auto" and self._num_frames <= LAST_UP_TO),
            blocks=replace(plan.blocks, on_block=self._report),
            on_window_iteration=self._on_window_iteration,
        )
        shape = (self._num_frames, len(queries))
        self._xy = np.full((*shape, 2), np.nan, np.float32)
        self._visibility = np.zeros(shape, np.float32)
        self._certainty = np.zeros(shape, np.float32)

    def run(self) -> Tracks:
        # where a part of the clip has but two frames, or one, the model says nothing about the first
        columns = np.arange(len(self._queries))
        self._xy[self._queries.t, columns] = self._queries.xy
        self._visibility[self._queries.t, columns] = self._certainty[self._queries.t, columns] = 1
        decoded = self._num_frames
        kept = None
        for group in self._groups(self._queries.t):
            features = self._encoded(self._first_of(group, backwards=False), backwards=False)
            self._track_group(features, group, backwards=False)
            decoded = features.num_frames
            kept = features if self._plan.keeps_clip else None
            del features  # or its frames would stay beside those of the next
        if decoded < self._num_frames:  # fewer frames than were counted decode
            self._queries.check_inside(self._source.size_px, decoded)
            self._num_frames = decoded
        if self._backward:
            for group in self._groups(self._queries.t[self._queries.t > 0]):
                first = self._first_of(group, backwards=True)
                features = ReversedFeatures(kept) if kept else self._encoded(first, backwards=True)
                self._track_group(features, group, backwards=True)
                del features
        return self._tracks()

    def _groups(self, query_frames: np.ndarray) -> Iterator[list[int]]:
        """Query frames whose passes go through the clip together."""
        frames = np.unique(query_frames).tolist()
        size = len(frames) if self._plan.keeps_clip else self._plan.passes_together
        for start in range(0, len(frames), max(size, 1)):
            yield frames[start : start + size]

    def _first_of(self, group: list[int], backwards: bool) -> int:
        """The first frame, of its direction, that is needed for the passes of some query frames."""
        if backwards:
            return self._num_frames - 1 - group[-1]
        return self._first if self._plan.keeps_clip else group[0]

    def _encoded(self, first: int, backwards: bool) -> EncodedFeatures:
        """Features of the clip from a frame, of its direction, on."""
        chunk_frames = self._plan.blocks.encoder_frames
        if backwards:
            # a file is read backwards in larger pieces: each is decoded from the key frame before it
            pieces = self._source.reversed_chunks(stop=self._num_frames - first)
            chunks = (piece[i : i + chunk_frames] for piece in pieces for i in range(0, len(piece), chunk_frames))
        else:
            chunks = self._source.chunks(start=first, stop=self._num_frames, chunk_frames=chunk_frames)
        return EncodedFeatures(self._encode, chunks, first, self._plan.keeps_clip)

    def _encode(self, frames: np.ndarray) -> Tensor:
        x = frames_to_device(frames, self._tracker._device)
        x = resize_frames(x, self._size, self._tracker._options.resize)
        maps = self._model.encode(x).to(self._tracker._feature_dtype)  # (n, h, w, C)
        self._work_done += len(frames) * self._frame_work(_ENCODE_FLOPS[self._model.config.encoder])
        self._report()
        return maps

    def _track_group(self, features: Features, query_frames: list[int], backwards: bool) -> None:
        passes = []
        for frame in query_frames:
            columns = np.flatnonzero(self._queries.t == frame)
            places = Places.of(self._xy_model[columns], self._size, self._tracker._device)
            frame = self._num_frames - 1 - frame if backwards else frame
            passes.append(AnchoredPoints(columns, frame, places))

        def write(points: AnchoredPoints, found: Found) -> None:
            skip = max(points.frame + 1 - found.first_frame, 0) if backwards else 0
            rows = found.first_frame + np.arange(skip, len(found.motion))
            rows = self._num_frames - 1 - rows if backwards else rows
            at = np.ix_(rows, points.columns)
            xy = self._xy_model[points.columns] + found.motion[skip:]
            self._xy[at] = edge_aligned(xy, self._size_px, self._source.size_px)
            self._visibility[at], self._certainty[at] = found.visibility[skip:], found.certainty[skip:]

        track_passes(self._model, features, passes, self._course, self._plan.keeps_clip, write)

    def _tracks(self) -> Tracks:
        rows = slice(0, self._num_frames)
        confidence = self._visibility[rows] * self._certainty[rows]
        info = {"visibility": self._visibility[rows], "certainty": self._certainty[rows]}
        return Tracks(self._xy[rows], confidence >= VISIBLE_FROM, confidence, info)

    def _count_work(self) -> float:
        """Operations of the whole run, roughly."""
        if not len(self._queries):
            return 0
        encoded, refined = 0, 0
        for backwards in (False, True)[: 1 + self._backward]:
            groups = list(self._groups(self._queries.t[self._queries.t > 0] if backwards else self._queries.t))
            if not (backwards and self._plan.keeps_clip):
                encoded += sum(self._num_frames - self._first_of(group, backwards) for group in groups)
            for frame in (frame for group in groups for frame in group):
                length = frame + 1 if backwards else self._num_frames - frame
                refined += sum(window_lengths(max(length, 1), self._model.config))
        work = encoded * self._frame_work(_ENCODE_FLOPS[self._model.config.encoder])
        return work + refined * self._tracker._options.iterations * self._frame_work(_REFINE_FLOPS)

    def _frame_work(self, flops_per_cell: float) -> float:
        rows, columns = grid_size(self._size)
        return rows * columns * flops_per_cell

    def _on_window_iteration(self, num_frames: int) -> None:
        self._work_done += num_frames * self._frame_work(_REFINE_FLOPS)
        self._report()

    def _report(self) -> None:
        self._hooks.report(self._work_done / self._work)


def load_alltracker(**options: Any) -> AllTrackerTracker:
    """The normal model; options as of `AllTrackerOptions`."""
    return _load("alltracker", AllTrackerOptions(**options))


def load_alltracker_tiny(**options: Any) -> AllTrackerTracker:
    """The tiny model; options as of `AllTrackerOptions`."""
    return _load("alltracker-tiny", AllTrackerOptions(**options))


def _load(name: str, options: AllTrackerOptions) -> AllTrackerTracker:
    model = load_published(name, options, PUBLISHED[name], load_model, lambda model: model.config.name)
    return AllTrackerTracker(model, options)
