"""TAPIR and BootsTAPIR as trackers: every point in every frame, whatever frame it is given in.

`load_tracker("tapir" | "bootstapir" | "bootstapir-online", checkpoint=...)` ends
here. The online form sees earlier frames only: what lies before a point's frame
is found in a second pass, from the end of the clip to its start.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ...errors import OptionError
from ...types import Queries, Tracks
from ...video.frames import FrameSource
from ..base import Capabilities, RunHooks
from ..published_weights.loading import load_published
from ..shared.independent_points.clip_run import RunSettings
from ..shared.independent_points.memory_plan import Costs, Plan
from ..shared.independent_points.tracker import PointModelTracker
from ..shared.precision import place_model
from .checkpoint import load_model
from .config import EXPANSION, TapirConfig
from .mixer import KERNEL
from .network import Tapir, set_matrix_dtype
from .options import TapirOptions
from .published import PUBLISHED
from .session import TapirSession
from .streaming import StreamedRun

TRAINED_TEMPERATURE = {"tapir": 20.0, "bootstapir": 10.0, "bootstapir-online": 10.0}
_TRUNK_FLOPS = 18.8e9 / 256**2  # per pixel of a frame
_SESSION_POINTS = 1 << 17  # more than are refined together anywhere
_CELLS = 32 * 32  # of the cost volume


class TapirTracker(PointModelTracker):
    """A model of the TAPIR family behind the `Tracker` contract.

    Args:
        model: filled with weights; copied where the options ask for another
            device or dtype than it has
        options: how to run
    """

    def __init__(self, model: Tapir, options: TapirOptions | None = None) -> None:
        options = options or TapirOptions()
        super().__init__(model.config.name, options)
        causal = model.config.causal
        self.capabilities = Capabilities(bidirectional=not causal, streaming=causal, knows_before_query=True)
        given = options.softmax_temperature
        self._temperature = TRAINED_TEMPERATURE[self.name] if given is None else given
        self._model = place_model(model, self._device, self._dtype, set_matrix_dtype)

    @property
    def options(self) -> dict[str, Any]:
        return {**super().options, "softmax_temperature": self._temperature}

    @property
    def model(self) -> Tapir:
        """The network as it runs, not a copy."""
        return self._model

    def open_session(self, size_px: tuple[int, int], **options: Any) -> TapirSession:
        """Starts tracking frames that come one or some at a time.

        Args:
            size_px: (width, height) of the frames to come

        Raises:
            OptionError: if the model needs whole clips, or an option was given
        """
        if not self.capabilities.streaming:
            raise OptionError(f"The tracker {self.name!r} needs whole clips. Streams are for 'bootstapir-online'")
        if options:
            raise OptionError(
                f"Invalid option for a session ({next(iter(options))!r}). It takes none but the frame size"
            )
        settings = self._settings()
        plan = self._plan(settings, self._workload(settings, 1, _SESSION_POINTS, size_px))
        return TapirSession(self._model, settings, size_px, self._dtype, plan.points, plan.block)

    def _run(
        self,
        settings: RunSettings,
        source: FrameSource,
        queries: Queries,
        backward: bool,
        hooks: RunHooks,
        plan: Plan,
    ) -> Tracks:
        if plan.keeps_clip or not len(queries):
            return super()._run(settings, source, queries, backward, hooks, plan)
        return StreamedRun(self._model, settings, source, queries, backward, hooks, plan).run()

    def _settings(self) -> RunSettings:
        return RunSettings(
            network=self._model,
            costs=costs_of(self._model.config),
            frame_size=self._options.frame_size,
            resize=self._options.resize,
            iterations=self._options.iterations,
            temperature=self._temperature,
            map_dtype=self.map_dtype,
            both_ways=not self._model.config.causal,
        )


def costs_of(config: TapirConfig) -> Costs:
    """What a model takes."""
    width, hidden = config.mixer_width, EXPANSION * config.mixer_width
    extra_flops = config.extra_convs * 2 * 2 * 9 * config.low_dim * config.extra_width / 64
    mixer_flops = config.mixer_blocks * 2 * 2 * width * hidden + 2 * width * (config.mixer_in + config.feature_dim)
    return Costs(
        map_values=config.high_dim / 16 + config.low_dim / 64 + (config.low_dim / 256 if config.pooled else 0),
        encoder_values=max(config.widths[0] * 1.5, config.extra_width / 64 * 3) + 12,
        point_values=2 * config.feature_dim,
        token_values=2 * config.mixer_in + 2 * config.feature_dim + 2 * hidden + 6 * width,
        block_values=max(_CELLS * 36, 64 * config.low_dim * 1.5),
        pair_values=0,
        encoder_flops=_TRUNK_FLOPS + extra_flops,
        start_flops=3.5e6,
        refine_flops=mixer_flops,
        state_values=config.mixer_blocks * (KERNEL - 1) * (width + hidden) if config.causal else None,
    )


def load_tapir(**options: Any) -> TapirTracker:
    """TAPIR; options as of `TapirOptions`."""
    return _load("tapir", TapirOptions(**options))


def load_bootstapir(**options: Any) -> TapirTracker:
    """BootsTAPIR; options as of `TapirOptions`."""
    return _load("bootstapir", TapirOptions(**options))


def load_bootstapir_online(**options: Any) -> TapirTracker:
    """Online BootsTAPIR; options as of `TapirOptions`."""
    return _load("bootstapir-online", TapirOptions(**options))


def _load(name: str, options: TapirOptions) -> TapirTracker:
    read = partial(load_model, causal=name == "bootstapir-online")
    model = load_published(name, options, PUBLISHED[name], read, lambda model: model.config.name)
    return TapirTracker(model, options)
