"""CoTracker3 and CoTracker2 as trackers: the published predictors, leaner.

`load_tracker("cotracker3-offline" | "cotracker3-online" | "cotracker2", ...)`
ends here.
"""

from __future__ import annotations

import os
from typing import Any

from ...errors import OptionError
from ..base import Capabilities
from ..published_weights.loading import load_published
from .model_tracker import ModelTracker
from .options import CoTrackerOptions
from .running.passes import Rules
from .running.run_context import RunContext
from .weights.checkpoint import CoTracker, flavour, load_network
from .weights.published import PUBLISHED


class CoTrackerTracker(ModelTracker):
    """A CoTracker model by the rules of the published predictors.

    Args:
        model: filled with weights; copied where the options ask for another
            device or dtype than it has
        options: how to run
    """

    def __init__(self, model: CoTracker, options: CoTrackerOptions | None = None) -> None:
        options = options or CoTrackerOptions()
        config = model.config
        name = flavour(config)
        offline = config.mode == "offline"
        if offline and options.windowed is not None:
            raise OptionError(f"Invalid option windowed for {name!r}: it is for the online models")
        # whole clips are what CoTracker2 was published for, streams what CoTracker3 online was
        windowed = config.version == 2 if options.windowed is None else options.windowed
        rules = Rules.whole_clip(config) if offline or windowed else Rules.streaming(config)
        super().__init__(name, RunContext.from_options(model, rules, options))
        self.capabilities = Capabilities(
            joint=True,
            bidirectional=offline,
            streaming=not offline,
            knows_before_query=True,
            keeps_queries=rules.keep_queries,
            hides_outside=rules.in_frame_only,
        )
        self._checkpoint = options.checkpoint
        self._windowed = None if offline else windowed

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
    def options(self) -> dict[str, Any]:
        checkpoint = None if self._checkpoint is None else os.fspath(self._checkpoint)
        windowed = {} if self._windowed is None else {"windowed": self._windowed}
        return {"checkpoint": checkpoint, **self.context.to_dict(), **windowed}

    def _session_rules(self) -> Rules:
        return Rules.streaming(self.model.config)


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
    model = load_published(name, options, PUBLISHED[name], load_network, lambda model: flavour(model.config))
    return CoTrackerTracker(model, options)
