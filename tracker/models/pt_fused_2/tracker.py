"""pt-fused-2: classical optical flow and a learned tracker that check each other, and find lost points anywhere.

They fail differently: flow slips at occlusions and fast motion, the network is
less exact and unsure on what it never saw. The network's encoder finds points
again anywhere in a frame: the flow chain takes up there what it has lost
(`chain`, `matching`), and the network's windows start from where the chain puts
points (`stream`). What both say, and the best match of the whole frame
(`candidates`), is judged by a small learned `estimate`, and the best `path`
through it is taken (`selection`), except where a `guard` doubts it. A clip is a
`session` that is fed with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from ...coordinates import track_index_of
from ...errors import OptionError
from ...types import Queries, Tracks
from ...video.frames import FrameSource
from ..base import Capabilities, RunHooks, Tracker
from .estimate import Estimate, shipped_estimate
from .options import Fused2Options
from .session import FusedSession

_GAP_FRAMES = 3  # hidden for so long, a track was lost
_NAMED = 100  # tracks that a report names at most
_REVERSED_CHUNK_FRAMES = 32  # read together backwards: each piece is decoded from the key frame before it


class Fused2Tracker(Tracker):
    """Optical flow and a learned tracker side by side, and a learned choice between them.

    Args:
        options: the fields of `Fused2Options`

    Raises:
        OptionError: if a value is outside what is supported
        CheckpointError: if the weights do not fit
        EstimateError: if the package is damaged
    """

    name = "pt-fused-2"
    capabilities = Capabilities(joint=True, streaming=True, keeps_queries=True, hides_outside=True)

    def __init__(self, **options: Any) -> None:
        from ..pt_small.tracker import load_pt_small

        self._options = given = Fused2Options(**options)
        self._estimate: Estimate = shipped_estimate()
        self._network = load_pt_small(
            checkpoint=given.checkpoint, device=given.device, memory_limit_gb=given.memory_limit_gb
        )

    @property
    def options(self) -> dict[str, Any]:
        return {**asdict(self._options), "device": self._network.options["device"]}

    def first_reading(self, size_px: tuple[int, int], queries: Queries) -> tuple[int, tuple[int, int]] | None:
        return int(queries.t.min(initial=0)), size_px

    def open_session(self, size_px: tuple[int, int], **options: Any) -> FusedSession:
        """Starts tracking frames that come one chunk at a time; see `FusedSession`.

        Args:
            size_px: (width, height) of the frames to come
            options: `num_points`, how many are expected, where that is known

        Raises:
            OptionError: for other options
        """
        unknown = sorted(set(options) - {"num_points"})
        if unknown:
            raise OptionError(f"Unknown session option {unknown[0]!r}. Supported is num_points")
        return FusedSession(self._network, self._estimate, size_px, **options)

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        if not len(queries):
            shape = (source.num_frames, 0)
            return Tracks(np.empty((*shape, 2)), np.empty(shape, bool), np.empty(shape))
        first, last = int(queries.t.min()), int(queries.t.max())
        backward = backward and last > 0
        run = _Run(self, source, hooks, source.num_frames_hint - first + (last + 1 if backward else 0))
        onward = Queries(queries.t - first, queries.xy, queries.origin)
        chunks = source.chunks(start=first, chunk_frames=run.frames_together)
        after = run.through(chunks, onward)
        queries.check_inside(source.size_px, first + after.num_frames)
        tracks = _joined(_unknown(first, len(queries)), after)
        if backward:
            earlier = np.flatnonzero(queries.t > 0)
            reverse = Queries(last - queries.t[earlier], queries.xy[earlier], queries.origin)
            pieces = source.reversed_chunks(stop=last + 1, chunk_frames=_REVERSED_CHUNK_FRAMES)
            before = run.through((_parts(pieces, run.frames_together)), reverse)
            tracks = _with_earlier(tracks, before, queries.t, earlier)
        plan = {**run.info["plan"], **lost_and_found(tracks.visible, queries.t)}
        return Tracks(tracks.xy, tracks.visible, tracks.confidence, {**run.info, "plan": plan})


def lost_and_found(visible: np.ndarray, query_t: np.ndarray) -> dict[str, Any]:
    """Which tracks were lost and found again, for the report of a sample.

    Args:
        visible: (T, N) bool
        query_t: (N,) int frame index of each query

    Returns:
        how many were found again after at least `_GAP_FRAMES` hidden frames, and how many are hidden that long at the
        end; with the indices of the first of them, as the tracks carry them
    """
    after = np.arange(len(visible))[:, None] > query_t  # (T, N)
    hidden, run_of_hidden = after & ~visible, np.zeros(visible.shape[1], np.int64)
    found_again = np.zeros(visible.shape[1], bool)
    for t in range(len(visible)):
        found_again |= after[t] & visible[t] & (run_of_hidden >= _GAP_FRAMES)
        run_of_hidden = np.where(hidden[t], run_of_hidden + 1, 0)
    told: dict[str, Any] = {}
    for name, which in (("found_again", found_again), ("lost", run_of_hidden >= _GAP_FRAMES)):
        told[f"tracks_{name}"] = int(np.count_nonzero(which))
        told[f"indices_{name}"] = [int(track_index_of(column)) for column in np.flatnonzero(which)[:_NAMED]]
    return told


class _Run:
    """A clip's way through one or two sessions."""

    def __init__(self, tracker: Fused2Tracker, source: FrameSource, hooks: RunHooks, total: int) -> None:
        self._tracker, self._size_px, self._hooks = tracker, source.size_px, hooks
        self._total, self._done = max(total, 1), 0
        self.frames_together = tracker._network.model.config.step
        self.info: dict[str, Any] = {}

    def through(self, chunks: Iterable[np.ndarray], queries: Queries) -> Tracks:
        """Tracks of all frames in the order they come."""
        tracker = self._tracker
        session = FusedSession(tracker._network, tracker._estimate, self._size_px, len(queries), cancelled=self._report)
        session.add(queries)
        found = []
        for chunk in chunks:
            found.append(session.push(chunk))
            self._done += len(chunk)
            self._report()
        found.append(session.finish())
        self.info = {"plan": session.plan, "warnings": session.warnings}
        session.close()
        return Tracks(
            np.concatenate([one.xy for one in found]),
            np.concatenate([one.visible for one in found]),
            np.concatenate([one.confidence for one in found]),
        )

    def _report(self) -> None:
        self._hooks.report(self._done / self._total)


def _parts(pieces: Iterable[np.ndarray], size: int) -> Iterable[np.ndarray]:
    for piece in pieces:
        for start in range(0, len(piece), size):
            yield np.ascontiguousarray(piece[start : start + size])


def _unknown(num_frames: int, num_points: int) -> Tracks:
    shape = (num_frames, num_points)
    return Tracks(np.full((*shape, 2), np.nan, np.float32), np.zeros(shape, bool), np.zeros(shape, np.float32))


def _joined(first: Tracks, second: Tracks) -> Tracks:
    return Tracks(
        np.concatenate([first.xy, second.xy]),
        np.concatenate([first.visible, second.visible]),
        np.concatenate([first.confidence, second.confidence]),
    )


def _with_earlier(tracks: Tracks, reversed_tracks: Tracks, query_t: np.ndarray, points: np.ndarray) -> Tracks:
    """Fills in what a reversed run found of some points before their queries."""
    arrays = [np.array(part) for part in (tracks.xy, tracks.visible, tracks.confidence)]
    earlier = np.arange(reversed_tracks.num_frames)[:, None] < query_t[points]  # (last + 1, K)
    rows, columns = np.nonzero(earlier)
    found = (reversed_tracks.xy, reversed_tracks.visible, reversed_tracks.confidence)
    for known, more in zip(arrays, found, strict=True):
        known[rows, points[columns]] = more[::-1][rows, columns]
    xy, visible, confidence = arrays
    return Tracks(xy, visible, confidence)
