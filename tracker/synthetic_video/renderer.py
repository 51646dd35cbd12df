"""Procedural video with exact tracks: what trackers learn from, and what demos and tests show.

    renderer = ClipRenderer(SyntheticConfig(height=96, width=128), device="cpu", seed=1)
    clips = renderer.clips(4)          # SyntheticClips: video, xy, visible, query_t
    pairs = renderer.pairs(16)         # two frames each, up to 20 frames apart

Every clip is a scene in three dimensions (planes, ellipsoids, boxes, a jointed figure)
before a moving camera. Rays meet surfaces in closed form, so positions, visibility and
pictures come from the same formulas. All random numbers of a clip are one row of a
table drawn on the CPU: the same seed gives the same clips on CPU and GPU, however
they are batched.

Adding
- a texture: a function in `rendering/textures.py`, entered in `_KINDS` with its share
- an outline of flat layers: the same in `rendering/shapes.py`
- an effect of camera or codec: parameters at the end of `draw_look`, its arithmetic in
  `apply_effects`, both in `effects.py`, and a probability in `config.py`
- a motion: `scenes/scene_sampling.py`; a kind of surface: `rendering/surfaces.py`
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..errors import OptionError, ResumeError, ShapeError
from .clip_builder import ClipBuilder, RenderAssets, table_columns
from .config import MIN_SIDE, SyntheticConfig
from .effects import EffectTables
from .rendering.shading import TextureBank
from .rendering.shapes import build_outlines
from .rendering.textures import build_textures

__all__ = ["ClipRenderer", "SyntheticClips", "SyntheticConfig", "build_textures"]

# rays (pixels x layers) rendered at once: fits the caches of a CPU core, or keeps a GPU busy
_RAYS_AT_ONCE = {"cpu": 700_000, "cuda": 60_000_000}
_SLOWEST, _FASTEST = 0.6, 1.5  # times the usual speed


@dataclass(frozen=True, eq=False)
class SyntheticClips:
    """Clips and what is true about them.

    Args:
        video: (B, T, 3, H, W) uint8 RGB
        xy: (B, T, N, 2) float32 pixels, also where hidden or outside; of points behind
            the camera only the direction is true
        visible: (B, T, N) bool: in the frame and not hidden
        query_t: (B, N) int64, a frame in which the point is visible

    Raises:
        ShapeError: if the tensors do not fit each other
    """

    video: Tensor
    xy: Tensor
    visible: Tensor
    query_t: Tensor

    def __post_init__(self) -> None:
        if self.video.ndim != 5 or self.video.shape[2] != 3 or self.video.dtype != torch.uint8:
            raise ShapeError(
                f"Invalid video of shape {tuple(self.video.shape)} and type {self.video.dtype}. "
                "Expected uint8 (B, T, 3, H, W)"
            )
        batch, frames = self.video.shape[:2]
        points = self.query_t.shape[-1] if self.query_t.ndim else 0
        expected = {
            "xy": ((batch, frames, points, 2), torch.float32),
            "visible": ((batch, frames, points), torch.bool),
            "query_t": ((batch, points), torch.int64),
        }
        for name, (shape, dtype) in expected.items():
            value = getattr(self, name)
            if tuple(value.shape) != shape or value.dtype != dtype:
                raise ShapeError(
                    f"Invalid {name} of shape {tuple(value.shape)} and type {value.dtype}. Expected {dtype} {shape}"
                )


class ClipRenderer:
    """Draws clips.

    Args:
        config: what they look like
        device: where to compute
        seed: the same seed gives the same clips, on any device and in batches of any size
        textures: (M, 3, S, S) uint8; None: made as the configuration says

    Raises:
        TextureError: if there is no usable image in the texture folder
        ShapeError: if given textures have another shape or type
    """

    def __init__(
        self,
        config: SyntheticConfig | None = None,
        *,
        device: torch.device | str = "cpu",
        seed: int = 0,
        textures: Tensor | None = None,
    ) -> None:
        config = config or SyntheticConfig()
        self.device = torch.device(device)
        if textures is None:
            textures = build_textures(config.texture_count, config.texture_size, folder=config.texture_dir)
        side = textures.shape[-1] if textures.ndim == 4 else 0
        if textures.ndim != 4 or textures.shape[1:] != (3, side, side) or side & (side - 1) or side < MIN_SIDE:
            raise ShapeError(
                f"Invalid textures of shape {tuple(textures.shape)}. Expected (M, 3, S, S), S a power of two"
            )
        if textures.dtype != torch.uint8 or not len(textures):
            raise ShapeError(f"Invalid textures of type {textures.dtype}. Expected uint8, at least one")
        self.config = replace(config, texture_count=len(textures), texture_size=side)
        rays = _RAYS_AT_ONCE.get(self.device.type, _RAYS_AT_ONCE["cuda"])
        bank = TextureBank(textures, self.device)
        outlines = build_outlines(config.outline_count).to(self.device)
        self.assets = RenderAssets(self.device, bank, outlines, EffectTables.on(self.device), rays)
        self._generator = torch.Generator().manual_seed(seed)

    def state_dict(self) -> dict[str, Any]:
        """Where the stream of random numbers is."""
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where another renderer of the same configuration was.

        Raises:
            ResumeError: if this is not the state of a renderer
        """
        try:
            self._generator.set_state(state["generator"].cpu())
        except (KeyError, AttributeError, TypeError, RuntimeError) as error:
            raise ResumeError(f"Not the state of a clip renderer: {error}") from error

    def clips(
        self,
        batch: int,
        *,
        num_frames: int | None = None,
        height: int | None = None,
        width: int | None = None,
        num_points: int | None = None,
        motion: float | None = None,
    ) -> SyntheticClips:
        """The next clips; what is not given is as in the configuration.

        Raises:
            OptionError: if a value is outside what is supported
        """
        sizes: dict[str, Any] = {"height": height, "width": width, "num_points": num_points, "motion": motion}
        return self._make(self.plan(batch, num_frames=num_frames, **sizes))

    def pairs(
        self,
        batch: int,
        *,
        height: int | None = None,
        width: int | None = None,
        num_points: int | None = None,
        motion: float | None = None,
    ) -> SyntheticClips:
        """The next pairs of frames, up to `max_gap` frames apart; all queries are in the first.

        Raises:
            OptionError: if a value is outside what is supported
        """
        sizes: dict[str, Any] = {"height": height, "width": width, "num_points": num_points, "motion": motion}
        return self._make(self.plan(batch, pairs=True, **sizes))

    def plan(self, batch: int, *, pairs: bool = False, **changes: Any) -> ClipBuilder:
        """The next clips before they are rendered, for those who need more than pictures and tracks.

        Args:
            batch: how many
            pairs: two frames far apart instead of clips
            changes: of the configuration; None = no change

        Raises:
            OptionError: if a value is outside what is supported
        """
        if batch < 1:
            raise OptionError(f"Invalid batch ({batch}). Supported values are 1 and more")
        config = replace(self.config, **{name: value for name, value in changes.items() if value is not None})
        table = torch.rand(batch, 1 + table_columns(config), generator=self._generator)
        share, table = table[:, :1], table[:, 1:]
        if pairs:
            gap = 1 + share * (config.max_gap - 1)  # (B, 1)
            times = torch.cat([torch.zeros_like(gap), gap], 1)
        else:
            speed = _SLOWEST * (_FASTEST / _SLOWEST) ** share  # as if filmed at other frame rates
            times = torch.arange(config.num_frames, dtype=torch.float32) * speed  # (B, T)
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            return ClipBuilder(config, self.assets, table, times, pairs=pairs)

    def _make(self, builder: ClipBuilder) -> SyntheticClips:
        # positions need float32, whatever training runs in
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            return SyntheticClips(builder.video(), *builder.tracks())
