"""Whole clips through the offline model, and longer ones through a chain of windows.

Source: CoTracker3, arXiv:2410.11831, sec. 3.1: the offline model sees all
frames at once and tracks in both directions of time. The chain is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..network.chunks import ChunkSizes
from ..network.correlation import FeatureMaps, SampledTemplates
from ..network.model import CoTracker3, QuerySupport, TrackState

_VISIBLE_LOGIT = 0.0  # seen rather than not: enough to hand a position over


def refine_clip(
    model: CoTracker3,
    maps: FeatureMaps,
    t: Tensor,
    xy: Tensor,
    iterations: int | None = None,
    chunks: ChunkSizes | None = None,
) -> Iterator[TrackState]:
    """Tracks points through all frames of a clip.

    Args:
        model: offline
        maps: of B clips with T frames
        t: (B, N) int64 query frames
        xy: (B, N, 2) query positions in feature pixels
        iterations: how often to refine; None = as configured
        chunks: how much to do at once

    Yields:
        the guess for (B, N, T) after every iteration
    """
    templates = model.support(maps, t, xy)
    state = TrackState.at_queries(xy, maps.num_frames, model.initial_visibility)
    yield from model.refine(maps, QuerySupport(templates, t), state, iterations, chunks)


def chain_starts(num_frames: int, window: int, overlap: int) -> list[int]:
    """Where windows start so that they cover a clip, the last one at its end.

    Args:
        num_frames: frames of the clip
        window: frames of a window
        overlap: frames that successive windows share at least, fewer than a window has

    Returns:
        rising first frames, as evenly spaced as whole frames allow
    """
    last = max(num_frames - window, 0)
    gaps = -(-last // (window - overlap))
    return [i * last // gaps for i in range(gaps)] + [last]


@dataclass
class ChainedPoints:
    """Points of one clip on their way through overlapping windows of the offline model.

    The template of a point always comes from its query frame, never from a
    later guess, so errors do not add up at the seams. What is handed over is
    where to start looking: in the overlap the positions found there, afterwards
    the last one at which the point was SEEN. A point lost at a seam is searched
    for from there in every later window, and so can be found again.

    Args:
        model: CoTracker3 offline
        t: (1, N) int64 query frames, from the start of the clip
        xy: (1, N, 2) query positions in feature pixels
        window: frames of a window
        starts: first frames of all windows, as of `chain_starts`
        store_templates: False: in a single window, they are sampled when they
            are needed, which takes less memory and more time

    Attributes:
        start: first frame of the next window
    """

    model: CoTracker3
    t: Tensor
    xy: Tensor
    window: int
    starts: Sequence[int]
    store_templates: bool = True

    def __post_init__(self) -> None:
        self._done = 0  # windows
        self._templates: Tensor | None = None
        self._sampled = torch.zeros_like(self.t, dtype=torch.bool)  # (1, N)
        self._last_seen = self.xy.clone()  # (1, N, 2)
        self._overlap_xy: Tensor | None = None  # (1, N, overlap, 2)

    @property
    def start(self) -> int:
        return self.starts[self._done]

    @property
    def write_from(self) -> int:
        """First frame of the window just done that replaces earlier results.

        The seam lies in the middle of the overlap, where both windows have
        frames on either side.
        """
        if self._done == 1:
            return 0
        before, now = self.starts[self._done - 2 : self._done]
        return (before + self.window - now) // 2

    def refine_window(
        self, maps: FeatureMaps, iterations: int | None = None, chunks: ChunkSizes | None = None
    ) -> Iterator[TrackState]:
        """Tracks through the next window all points whose frame has come.

        Args:
            maps: of the frames from `start` on, `window` of them or fewer at the end
            iterations: how often to refine; None = as configured
            chunks: how much to do at once

        Yields:
            the guess for (1, N, frames) after every iteration; points whose
            frame has not come stay at their queries, hidden
        """
        num_frames = maps.num_frames
        active = (self.t[0] < self.start + num_frames).nonzero()[:, 0]
        queries = QuerySupport(self._templates_of(maps, active), self.t[:, active] - self.start)
        hidden = torch.finfo(self.xy.dtype).min
        state = resting = TrackState.at_queries(self.xy, num_frames, hidden)
        first = TrackState.at_queries(self.xy[:, active], num_frames)
        first = TrackState(self._initial_xy(num_frames)[:, active], first.visibility, first.confidence)
        for found in self.model.refine(maps, queries, first, iterations, chunks):
            state = TrackState(
                resting.xy.index_copy(1, active, found.xy),
                resting.visibility.index_copy(1, active, found.visibility),
                resting.confidence.index_copy(1, active, found.confidence),
            )
            yield state
        if self._done + 1 < len(self.starts):
            self._hand_over(state, self.starts[self._done + 1] - self.start)
        self._done += 1

    def _templates_of(self, maps: FeatureMaps, active: Tensor) -> Tensor | SampledTemplates:
        """The templates of the active points, sampled from this window where their frames have just come."""
        t = self.t - self.start
        if len(self.starts) == 1 and not self.store_templates:
            return SampledTemplates(maps, t, self.xy, self.model.config.radius)
        new = (~self._sampled & (t < maps.num_frames))[0].nonzero()[:, 0]
        if len(new) == t.shape[1]:
            self._templates = self.model.support(maps, t, self.xy)
        elif self._templates is None:
            self._templates = maps.levels[0].new_zeros(*t.shape, *self.model.template_shape)
        if 0 < len(new) < t.shape[1]:
            self._templates[:, new] = self.model.support(maps, t[:, new], self.xy[:, new])
        self._sampled[:, new] = True
        # templates are the largest thing here: they are copied only where some points wait
        return self._templates if len(active) == self.t.shape[1] else self._templates[:, active]

    def _initial_xy(self, num_frames: int) -> Tensor:
        """Where to start looking, (1, N, frames, 2)."""
        xy = self._last_seen[:, :, None].expand(-1, -1, num_frames, -1).clone()
        if self._overlap_xy is not None:
            xy[:, :, : self._overlap_xy.shape[2]] = self._overlap_xy
        return xy

    def _hand_over(self, state: TrackState, step: int) -> None:
        """Keeps the positions of the overlap, each hidden one replaced by the last that was seen.

        Args:
            state: what the window has found
            step: by how many frames the next window starts later
        """
        seen = state.visibility > _VISIBLE_LOGIT  # (1, N, frames)
        frame = torch.arange(seen.shape[2], device=seen.device)
        last = torch.where(seen, frame, -1).cummax(dim=2).values  # (1, N, frames), -1 where not seen yet
        xy = state.xy.gather(2, last.clamp(min=0)[..., None].expand(-1, -1, -1, 2))  # (1, N, frames, 2)
        xy = torch.where(last[..., None] < 0, self._last_seen[:, :, None], xy)
        self._last_seen = xy[:, :, -1]
        self._overlap_xy = xy[:, :, step:]
