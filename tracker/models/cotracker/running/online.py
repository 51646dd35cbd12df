"""Videos of any length through overlapping windows.

Source: CoTracker3, arXiv:2410.11831, sec. 3.1 ("online"); CoTracker,
arXiv:2307.07635, sec. 3.3. Windows of S frames advance by S / 2; the first half
of a window starts from what the window before found there, and refines it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..network.chunks import ChunkSizes
from ..network.correlation import FeatureMaps
from ..network.cotracker2 import CoTracker2
from ..network.guidance import Guide, carry_along, follow_guide
from ..network.model import CoTracker3, QuerySupport, TrackState

WindowedModel = CoTracker3 | CoTracker2

_TEMPLATE_COLUMNS = 256  # sampled together


def window_starts(num_frames: int, window: int) -> range:
    """Where windows start so that they cover a clip; at least one, the last may be short."""
    step = window // 2
    return range(0, max(num_frames - step, 1), step)


@dataclass
class WindowedPoints:
    """Points on their way through the windows of one video (or of B alike).

    Args:
        model: CoTracker3 online, or CoTracker2
        t: (B, N) int64 query frames, from the start of the video
        xy: (B, N, 2) query positions in feature pixels

    Attributes:
        start: first frame of the next window
    """

    model: WindowedModel
    t: Tensor
    xy: Tensor
    start: int = 0

    def __post_init__(self) -> None:
        self._templates: Tensor | None = None
        self._sampled = torch.zeros_like(self.t, dtype=torch.bool)  # (B, N)
        self._overlap: TrackState | None = None  # of the points of the last window

    def add(self, t: Tensor, xy: Tensor) -> None:
        """Adds points between windows.

        Args:
            t: (B, K) int64 query frames, from the start of the next window on
            xy: (B, K, 2) feature pixels
        """
        self.t = torch.cat([self.t, t], dim=1)
        self.xy = torch.cat([self.xy, xy], dim=1)
        self._sampled = torch.cat([self._sampled, torch.zeros_like(t, dtype=torch.bool)], dim=1)

    def refine_window(
        self,
        maps: FeatureMaps,
        iterations: int | None = None,
        chunks: ChunkSizes | None = None,
        guide: Guide | None = None,
    ) -> Iterator[TrackState]:
        """Tracks all points through the next window.

        Args:
            maps: of the S frames from `start` on, or of fewer at the end of the
                video; then the last one is repeated
            iterations: how often to refine; None = as configured
            chunks: how much to do at once
            guide: where another tracker puts the points, for models that are guided

        Yields:
            the guess for (B, N, S) after every iteration; after the last one the
            points are ready for the next window
        """
        config = self.model.config
        available = maps.num_frames
        maps = maps.clip(0, config.window)
        self._sample_templates(maps, available)
        assert self._templates is not None
        queries = QuerySupport(self._templates, self.t - self.start, first_window=self.start == 0)
        state = self._initial_state()
        if config.guided:
            start, settled = state, self._settled_frames()
            state = carry_along(start, maps, settled, config)
            if guide is not None:
                state = follow_guide(state, start, guide, settled, self.t - self.start)
        for state in self.model.refine(maps, queries, state, iterations, chunks):  # noqa: B020
            yield state
        self._overlap = TrackState(
            state.xy[:, :, config.step :], state.visibility[:, :, config.step :], state.confidence[:, :, config.step :]
        )
        self.start += config.step

    def _sample_templates(self, maps: FeatureMaps, available: int) -> None:
        """Samples points whose frame has come; those of frames still to come have zeros."""
        t = self.t - self.start
        new = ~self._sampled & (t >= 0) & (t < available)  # (B, N)
        templates = self._templates
        if templates is None or templates.shape[1] < t.shape[1]:
            grown = maps.levels[0].new_zeros(*t.shape, *self.model.template_shape)
            if templates is not None:
                grown[:, : templates.shape[1]] = templates
            templates = grown
        elif torch.is_grad_enabled():
            templates = templates.clone()  # the window before needs its own for the backward pass
        # all clips of a batch sample the columns that are new in any of them
        for columns in new.any(dim=0).nonzero()[:, 0].split(_TEMPLATE_COLUMNS):
            fresh = self.model.support(maps, t[:, columns].clamp(0, available - 1), self.xy[:, columns])
            templates[:, columns] = torch.where(new[:, columns, None, None, None], fresh, templates[:, columns])
        self._sampled = self._sampled | new
        self._templates = templates

    def _settled_frames(self) -> Tensor:
        """How far the initial state is more than a guess, (B, N): the last frame of it, counted from `start`."""
        in_window = (self.t - self.start).clamp(min=0)
        if self._overlap is None:
            return in_window
        # points that the window before knew: the frames it shares with this one
        num_known, step = self._overlap.xy.shape[1], self.model.config.step
        goes_on = (self.t < self.start + step) & (torch.arange(self.t.shape[1], device=self.t.device) < num_known)
        return torch.where(goes_on, step - 1, in_window)

    def _initial_state(self) -> TrackState:
        """Where a window starts: from the one before where that knew a point, else from its query."""
        step = self.model.config.step
        fresh = TrackState.at_queries(self.xy, self.model.config.window, self.model.initial_visibility)
        if self._overlap is None:
            return fresh
        num_known = self._overlap.xy.shape[1]
        goes_on = (self.t < self.start + step)[:, :num_known, None]  # (B, K, 1)
        parts = []
        for old, new in (
            (self._overlap.xy, fresh.xy),
            (self._overlap.visibility, fresh.visibility),
            (self._overlap.confidence, fresh.confidence),
        ):
            last = old[:, :, -1:].expand(-1, -1, step, *old.shape[3:])
            continued = torch.cat([old, last], dim=2)  # (B, K, S, ..)
            mask = goes_on if old.ndim == 3 else goes_on[..., None]
            known = torch.where(mask, continued, new[:, :num_known])
            parts.append(torch.cat([known, new[:, num_known:]], dim=1))  # (B, N, S, ..)
        return TrackState(*parts)
