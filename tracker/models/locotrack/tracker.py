"""LocoTrack as a tracker: every point in every frame, whatever frame it is given in.

`load_tracker("locotrack-small" | "locotrack-base", checkpoint=...)` ends here.
"""

from __future__ import annotations

from typing import Any

from ..base import Capabilities
from ..published_weights.loading import load_published
from ..shared.independent_points.clip_run import RunSettings
from ..shared.independent_points.memory_plan import Costs
from ..shared.independent_points.sampling import AROUND, SIDE
from ..shared.independent_points.tracker import PointModelTracker
from ..shared.precision import place_model
from .checkpoint import load_model
from .config import TEMPERATURE, LocoTrackConfig
from .network import LocoTrack, set_matrix_dtype
from .options import LocoTrackOptions
from .published import PUBLISHED

_TRUNK_FLOPS = 18.8e9 / 256**2  # per pixel of a frame
_CELLS = 64 * 64  # of the cost volume


class LocoTrackTracker(PointModelTracker):
    """A LocoTrack model behind the `Tracker` contract.

    Args:
        model: filled with weights; copied where the options ask for another
            device or dtype than it has
        options: how to run
    """

    capabilities = Capabilities(bidirectional=True, knows_before_query=True)

    def __init__(self, model: LocoTrack, options: LocoTrackOptions | None = None) -> None:
        super().__init__(model.config.name, options or LocoTrackOptions())
        self._model = place_model(model, self._device, self._dtype, set_matrix_dtype)

    @property
    def model(self) -> LocoTrack:
        """The network as it runs, not a copy."""
        return self._model

    def _settings(self) -> RunSettings:
        return RunSettings(
            network=self._model,
            costs=costs_of(self._model.config),
            frame_size=self._options.frame_size,
            resize=self._options.resize,
            iterations=self._options.iterations,
            temperature=TEMPERATURE,
            map_dtype=self.map_dtype,
            both_ways=True,
        )


def costs_of(config: LocoTrackConfig) -> Costs:
    """What a model takes."""
    _, half, quarter, _, eighth = config.widths
    products = (SIDE + 1) ** 2 * AROUND
    windows, side = 0, SIDE
    for i, conv in enumerate(config.convs):
        side = -(-side // conv.stride)
        windows = max(windows, side**2 * conv.kernel**2 * (config.convs[i - 1].width if i else AROUND))
    encoder_flops = 3 * 2 * 2 * 1.4e6 if config.name == "locotrack-small" else 3 * 2 * 2 * 3.2e6 / 4
    layer_flops = config.layers * 2 * (4 * config.width**2 + 2 * config.width * config.hidden)
    return Costs(
        map_values=half / 4 + quarter / 16 + eighth / 64,
        encoder_values=config.widths[0] * 1.5 + 12 + half / 4,
        point_values=AROUND * (half + quarter + eighth),
        token_values=3 * config.token_dim + 2 * config.hidden + 8 * config.width,
        block_values=max(_CELLS * 7, (SIDE + 1) ** 2 * eighth + 3 * products, 3 * products + 2 * 2 * windows),
        pair_values=2 * config.heads,
        encoder_flops=_TRUNK_FLOPS,
        start_flops=1.6e6,
        refine_flops=layer_flops + encoder_flops + 2 * config.token_dim * config.width + 2.2e6,
    )


def load_locotrack_small(**options: Any) -> LocoTrackTracker:
    """The small model; options as of `LocoTrackOptions`."""
    return _load("locotrack-small", LocoTrackOptions(**options))


def load_locotrack_base(**options: Any) -> LocoTrackTracker:
    """The base model; options as of `LocoTrackOptions`."""
    return _load("locotrack-base", LocoTrackOptions(**options))


def _load(name: str, options: LocoTrackOptions) -> LocoTrackTracker:
    model = load_published(name, options, PUBLISHED[name], load_model, lambda model: model.config.name)
    return LocoTrackTracker(model, options)
