"""Points of a running video: what the online model remembers of them, and how a frame takes them on.

Source: RoboTAP, arXiv:2308.15975. Nothing but this state and what points look
like in their own frames is needed of earlier frames, so memory does not grow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...types import Queries, Tracks
from ...video.frames import FrameSource
from ..base import RunHooks
from ..shared.independent_points.clip_run import RunSettings, TrackTable, to_first_frame
from ..shared.independent_points.frame_maps import Course, Estimate, FrameMaps, Points, slices
from ..shared.independent_points.memory_plan import Plan
from ..shared.memory import run_within_memory
from .mixer import BlockState
from .network import Tapir, Templates


class StreamedPoints:
    """Points on their way through frames that come one after the other.

    Args:
        model: a causal one
        course: how points are tracked
        num_sizes: sizes in which frames are looked at
        together: points that are refined together at most; fewer where memory runs out
    """

    def __init__(self, model: Tapir, course: Course, num_sizes: int, together: int) -> None:
        self._model = model
        self._course = course
        self._num_sizes = num_sizes
        self._together = together
        self._templates: list[Templates] = []
        self._state: list[BlockState] = []  # by size, iteration and block of the mixer

    def __len__(self) -> int:
        return len(self._templates[0].low) if self._templates else 0

    def add(self, templates: Sequence[Templates]) -> None:
        """Adds points, of which nothing is remembered yet.

        Args:
            templates: what they look like in their frames, by size
        """
        config = self._model.config
        count = self._num_sizes * self._course.iterations * config.mixer_blocks
        points = len(templates[0].low)
        self._extend(
            list(templates),
            [BlockState.zeros(points, config.mixer_width, self._model.device) for _ in range(count)],
        )

    def empty(self) -> StreamedPoints:
        """No points, which are tracked in the same way."""
        return StreamedPoints(self._model, self._course, self._num_sizes, self._together)

    def join(self, others: StreamedPoints) -> None:
        """Takes over points that have gone through the same frame."""
        self._extend(others._templates, others._state)

    def _extend(self, templates: list[Templates], state: list[BlockState]) -> None:
        if not self._templates:
            self._templates, self._state = templates, state
            return
        self._templates = [
            Templates(torch.cat([a.high, b.high]), torch.cat([a.low, b.low]))
            for a, b in zip(self._templates, templates, strict=True)
        ]
        self._state = [a.joined(b) for a, b in zip(self._state, state, strict=True)]

    def advance(self, sets: Sequence[FrameMaps]) -> Estimate:
        """Takes the points on through the next frames.

        Args:
            sets: maps of these n frames, by size

        Returns:
            (P, n) positions and logits

        Raises:
            OutOfMemoryError: if even one point does not fit into memory
        """
        rows = torch.arange(len(sets[0].levels[0]), device=self._model.device)
        parts, done = [], 0
        while done < len(self):

            def refine(together: int, done: int = done) -> Estimate:
                return self._refine(sets, rows, slice(done, min(done + together, len(self))))

            asked = min(self._together, len(self) - done)
            found, taken = run_within_memory(refine, asked, _half_of)
            if taken < asked:
                self._together = taken
            parts.append(found)
            done += len(found.xy)
        return Estimate(
            *(torch.cat([getattr(p, name) for p in parts]) for name in ("xy", "occlusion", "expected_dist"))
        )

    def _refine(self, sets: Sequence[FrameMaps], rows: Tensor, some: slice) -> Estimate:
        """Takes some points on; where this fails, nothing has changed."""
        templates = [Templates(t.high[some], t.low[some]) for t in self._templates]
        new = [state.copy_of(some) for state in self._state]
        blocks, iterations = self._model.config.mixer_blocks, self._course.iterations
        steps = [new[i : i + blocks] for i in range(0, len(new), blocks)]
        by_size = [steps[i : i + iterations] for i in range(0, len(steps), iterations)]
        start = self._model.start(sets[0], rows, templates[0], self._course)
        found = self._model.refine(sets, rows, templates, start, self._course, by_size)
        for state, renewed in zip(self._state, new, strict=True):
            state.put(some, renewed)
        return found


def _half_of(points: int) -> int | None:
    return points // 2 if points > 1 else None


class StreamedRun:
    """One run over a clip whose maps do not fit into memory: points go through it frame by frame.

    Frames are encoded once for each group of points and each direction, and those in which points are given once more.

    Args:
        model: a causal one
        settings: how clips are run
        source: the clip
        queries: N points in pixels of its frames, at least one
        backward: whether points are tracked towards the start of the clip too
        hooks: told of progress, and asked whether to go on
        plan: how the work is cut
    """

    def __init__(
        self,
        model: Tapir,
        settings: RunSettings,
        source: FrameSource,
        queries: Queries,
        backward: bool,
        hooks: RunHooks,
        plan: Plan,
    ) -> None:
        self._model = model
        self._settings = settings
        self._source = source
        self._queries = queries
        self._backward = backward and int(queries.t.max()) > 0
        self._hooks = hooks
        self._plan = plan
        self._num_frames = source.num_frames
        self._course = Course(settings.iterations, settings.temperature, plan.block, on_block=self._report)
        self._groups = list(slices(len(queries), plan.points))
        # the frames that are gone through, each once more in the second direction; by the share of points in them
        self._steps = self._num_frames * len(self._groups) * (1 + self._backward)
        self._done = 0

    def run(self) -> Tracks:
        """The tracks of all points."""
        queries, size_px = self._queries, self._source.size_px
        templates = self._read_templates()
        table = TrackTable(self._num_frames, len(queries), size_px)
        before = np.arange(self._num_frames)[:, None] < queries.t  # (T, N)
        for backwards in (False, True)[: 1 + self._backward]:
            for some in self._groups:
                points = StreamedPoints(self._model, self._course, len(templates), self._plan.points)
                points.add([Templates(t.high[some], t.low[some]) for t in templates])
                columns, first = np.arange(some.start, some.stop), 0
                for frames in self._chunks(backwards):
                    found = points.advance(self._settings.encode(frames))
                    rows = first + np.arange(len(frames))
                    rows = self._num_frames - 1 - rows if backwards else rows
                    table.write(rows, columns, found, before[rows][:, some] if backwards else None)
                    first += len(frames)
                    self._done += len(frames)
                    self._report()
        return table.tracks(np.zeros_like(before) if self._backward else before)

    def _read_templates(self) -> list[Templates]:
        """What points look like in their frames, by size."""
        xy = torch.from_numpy(to_first_frame(self._queries.xy, self._source.size_px).astype(np.float32))
        found: list[Templates] = []
        for frame in np.unique(self._queries.t):
            self._report()
            columns = torch.from_numpy(np.flatnonzero(self._queries.t == frame)).to(self._model.device)
            here = xy.to(self._model.device)[columns]
            sets = self._settings.encode(self._source.read([frame]))
            points = Points(torch.zeros(len(columns), dtype=torch.int64, device=here.device), here)
            new = self._model.read_templates(sets, points)
            if not found:
                found = [Templates(*(x.new_empty(len(xy), x.shape[1]) for x in (t.high, t.low))) for t in new]
            for all_points, some in zip(found, new, strict=True):
                all_points.high[columns], all_points.low[columns] = some.high, some.low
        return found

    def _chunks(self, backwards: bool):
        size = self._plan.encoder_frames
        if not backwards:
            yield from self._source.chunks(stop=self._num_frames, chunk_frames=size)
            return
        # a file is read backwards in larger pieces: each is decoded from the key frame before it
        for piece in self._source.reversed_chunks(stop=self._num_frames):
            for start in range(0, len(piece), size):
                yield piece[start : start + size]

    def _report(self) -> None:
        self._hooks.report(self._done / max(self._steps, 1))
