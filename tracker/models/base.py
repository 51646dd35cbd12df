"""The contract between the engine and a point tracker.

A tracker owns everything that is its model's affair: resizing and its pixel
convention, support points, chunks, windows, time reversal, and how its heads
combine into `visible` and `confidence`. It is given frames and queries in
pixels of those frames and hands back `Tracks` in the same pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..errors import Cancelled, OptionError
from ..types import Queries, Tracks
from ..video.frames import FrameSource, as_frame_source

ProgressCallback = Callable[[float], None]
"""Called with the share of the work that is done, from 0 to 1, never decreasing."""

CancelCheck = Callable[[], bool]
"""Asked between chunks of work; True ends the run with `Cancelled`."""


_HIDDEN_CONFIDENCE = 0.49


def capped_where_hidden(confidence: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Confidences such that a point that cannot be seen is never as sure as one that can.

    Args:
        confidence: (...) float in [0, 1]
        visible: (...) bool

    Returns:
        (...) float, below one half where hidden
    """
    return np.where(visible, confidence, np.minimum(confidence, _HIDDEN_CONFIDENCE))


@dataclass(frozen=True)
class Capabilities:
    """What a tracker can do, so that callers need no knowledge of the model.

    Args:
        joint: points influence each other's tracks
        bidirectional: one pass tracks before the query frame too
        streaming: `open_session` works: frames can be pushed as they come
        knows_before_query: without `backward`, positions before the query
            frame are the model's own output instead of NaN
        max_frames: longest clip it takes, or None
        keeps_queries: each point is visible and at its query in its query frame; else what
            the model says there stands, and `engine` puts the query there
        hides_outside: no point is visible outside the frame; else what the model says
            stands, and `engine` hides it
        pass_per_query_frame: it goes through the clip once for each frame that holds queries,
            else once for all
    """

    joint: bool = False
    bidirectional: bool = False
    streaming: bool = False
    knows_before_query: bool = False
    max_frames: int | None = None
    keeps_queries: bool = False
    hides_outside: bool = False
    pass_per_query_frame: bool = False

    def num_passes(self, queries: Queries) -> int:
        """How often a tracker goes through a clip for some queries."""
        return max(len(np.unique(queries.t)), 1) if self.pass_per_query_frame else 1


@dataclass
class RunHooks:
    """How a caller follows and stops a run.

    Args:
        progress: called with the share done, from 0 to 1
        cancelled: asked between chunks of work
    """

    progress: ProgressCallback | None = None
    cancelled: CancelCheck | None = None
    _last: float = field(default=0.0, init=False, repr=False)

    def report(self, share: float) -> None:
        """Passes progress on and ends the run where that was asked for.

        Args:
            share: work done so far, from 0 to 1

        Raises:
            Cancelled: if the caller asked for the end
        """
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("The run was cancelled")
        share = min(max(share, self._last), 1.0)
        if self.progress is not None and (share > self._last or share == 0.0):
            self.progress(share)
        self._last = share


@runtime_checkable
class StreamingSession(Protocol):
    """Tracking frames as they come, for trackers with `Capabilities.streaming`."""

    def add(self, queries: Queries) -> None:
        """Adds points; their `t` counts frames from the start of the session."""
        ...

    def push(self, frames: np.ndarray) -> Tracks:
        """Takes the next uint8 (T, H, W, 3) frames and returns the tracks of what is settled."""
        ...

    def close(self) -> None:
        """Frees what the session holds."""
        ...


def check_option_names(
    tracker: str, names: Iterable[str], options_type: type[Any], *, besides: Iterable[str] = ()
) -> None:
    """Refuses names of options that a tracker does not take.

    Args:
        tracker: its name
        names: names of the options that were given
        options_type: dataclass of what it takes
        besides: what else may be given in the same place, for the message

    Raises:
        OptionError: listing what is supported
    """
    known = [spec.name for spec in fields(options_type)]
    unknown = sorted(set(names) - set(known))
    if unknown:
        message = (
            f"Invalid option for the tracker {tracker!r} ({unknown[0]!r}). Supported values are {', '.join(known)}"
        )
        others = ", ".join(besides)
        raise OptionError(f"{message}; besides these, {others}" if others else message)


class Tracker(ABC):
    """One point tracker, loaded and ready.

    Subclasses set `name` (its name in the registry), `capabilities`, and
    implement `_track`. `options` are what the tracker was loaded with, as
    stored in the run record. `warnings`, about the weights it was loaded from,
    are part of the `info` of all its tracks.
    """

    name: str
    capabilities: Capabilities = Capabilities()
    warnings: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """The options this tracker runs with, JSON-serialisable."""
        return {}

    def track(
        self,
        frames: np.ndarray | FrameSource,
        queries: Queries,
        backward: bool = False,
        *,
        progress: ProgressCallback | None = None,
        cancelled: CancelCheck | None = None,
    ) -> Tracks:
        """Tracks points through a whole clip.

        Args:
            frames: uint8 (T, H, W, 3) RGB, or a FrameSource
            queries: N points, in pixels of these frames
            backward: also track from each query frame towards the start
            progress: called with the share done, from 0 to 1
            cancelled: asked between chunks; True ends the run

        Returns:
            Tracks of T frames and N points, in pixels of these frames; called as the queries are

        Raises:
            QueryError: if a query lies outside the frame or past the end
            ShapeError: if the frames are not uint8 (T, H, W, 3)
            VideoError: if the video does not decode
            Cancelled: if the run was cancelled
            OutOfMemoryError: if it does not fit into memory, however it is cut
        """
        source = as_frame_source(frames)
        # a nominal count can be too high but an exact one is only needed where a query is close to it
        queries.check_inside(source.size_px)
        if len(queries) and int(queries.t.max()) > 0:
            queries.check_inside(source.size_px, source.num_frames)
        hooks = RunHooks(progress, cancelled)
        hooks.report(0.0)
        tracks = self._track(source, queries, backward, hooks)
        hooks.report(1.0)
        if self.warnings:
            info = {**tracks.info, "warnings": [*self.warnings, *tracks.info.get("warnings", ())]}
            tracks = replace(tracks, info=info)
        if queries.labels is None and queries.objects is None:
            return tracks
        return replace(tracks, labels=queries.labels, objects=queries.objects)

    @abstractmethod
    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        """Does the work of `track` on checked input; calls `hooks.report` between chunks."""

    def first_reading(self, size_px: tuple[int, int], queries: Queries) -> tuple[int, tuple[int, int]] | None:
        """How this tracker starts to read a clip, so that decoding can begin before it does.

        Args:
            size_px: (width, height) of the displayed frame
            queries: N points, in pixels of the clip's frames

        Returns:
            the first frame index and the (width, height) it asks for; None where that is not known before
        """
        return None

    def open_session(self, size_px: tuple[int, int], **options: Any) -> StreamingSession:
        """Starts tracking frames that come one chunk at a time.

        Args:
            size_px: (width, height) of the frames to come

        Raises:
            OptionError: if this tracker cannot stream
        """
        raise OptionError(
            f"The tracker {self.name!r} has no streaming session. Trackers that have one say so in "
            "their capabilities (streaming=True)"
        )
