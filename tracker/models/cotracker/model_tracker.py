"""A tracker that runs a model of CoTracker's form; what they share, whoever trained the weights."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import Any, TypeVar

from ...errors import OptionError
from ...types import Queries, Tracks
from ...video.frames import FrameSource
from ..base import RunHooks, Tracker
from .running.clip_run import run_clip
from .running.passes import Rules
from .running.run_context import RunContext
from .running.session import CoTrackerSession
from .weights.checkpoint import CoTracker

Self = TypeVar("Self", bound="ModelTracker")


class ModelTracker(Tracker):
    """One model, by one set of rules. Subclasses set `capabilities` and `options`.

    Args:
        name: in the registry
        context: the model, and how it runs
    """

    def __init__(self, name: str, context: RunContext) -> None:
        self.name = name
        self.context = context

    @property
    def model(self) -> CoTracker:
        """The network as it runs, not a copy."""
        return self.context.model

    def with_model(self: Self, model: CoTracker) -> Self:
        """The same tracker with other weights.

        Args:
            model: of the same sizes; used as it is, not copied
        """
        other = copy.copy(self)
        other.context = self.context.with_model(model)
        return other

    def first_reading(self, size_px: tuple[int, int], queries: Queries) -> tuple[int, tuple[int, int]] | None:
        return 0, size_px  # resized on the device

    def open_session(self, size_px: tuple[int, int], **options: Any) -> CoTrackerSession:
        """Starts tracking frames that come one chunk at a time; see `CoTrackerSession`.

        Args:
            size_px: (width, height) of the frames to come

        Raises:
            OptionError: for a model that needs the whole clip
        """
        if not self.capabilities.streaming:
            return super().open_session(size_px, **options)  # type: ignore[return-value]
        if options:
            raise OptionError(f"Unknown session options {', '.join(sorted(options))}. There are none")
        return CoTrackerSession(self.context_for(size_px).with_rules(self._session_rules()), size_px)

    @abstractmethod
    def _session_rules(self) -> Rules:
        """How the heads become visibility in a session."""

    def context_for(self, size_px: tuple[int, int]) -> RunContext:
        """How the model runs on frames of a size (width, height)."""
        return self.context

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        return run_clip(self.context_for(source.size_px), source, queries, backward, hooks)
