"""Where training clips come from: one protocol, so that any source of video with tracks can be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from ...errors import ShapeError

if TYPE_CHECKING:
    from ..configs import TrainingStage

_FARTHEST_PX = 1e6  # beyond this nothing is a position


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """Clips with tracks, true ones or those of a teacher.

    Args:
        video: (B, T, 3, H, W) uint8 RGB
        xy: (B, T, N, 2) float32 pixels of these frames
        visible: (B, T, N) bool
        query_t: (B, N) int64, the frame each point is given in
        known: (B, T, N) bool, False where a position is not known: left out of the
            track loss. None = known everywhere
        train_visibility: False leaves visibility and confidence out of the loss,
            as for tracks of a teacher

    Raises:
        ShapeError: if the tensors do not fit each other
    """

    video: Tensor
    xy: Tensor
    visible: Tensor
    query_t: Tensor
    known: Tensor | None = None
    train_visibility: bool = True

    def __post_init__(self) -> None:
        if self.video.ndim != 5 or self.video.shape[2] != 3 or self.video.dtype != torch.uint8:
            raise ShapeError(
                f"Invalid video of shape {tuple(self.video.shape)} and type {self.video.dtype}. "
                "Expected uint8 (B, T, 3, H, W)"
            )
        batch, frames = self.video.shape[:2]
        points = self.query_t.shape[-1]
        expected = {
            "xy": (batch, frames, points, 2),
            "visible": (batch, frames, points),
            "query_t": (batch, points),
            "known": (batch, frames, points),
        }
        for name, shape in expected.items():
            value = getattr(self, name)
            if value is not None and tuple(value.shape) != shape:
                raise ShapeError(f"Invalid {name} of shape {tuple(value.shape)}. Expected {shape}")

    @property
    def num_frames(self) -> int:
        return self.video.shape[1]

    @property
    def query_xy(self) -> Tensor:
        """(B, N, 2) pixels: where each point is in its query frame."""
        index = self.query_t[:, None, :, None].expand(-1, 1, -1, 2)  # (B, 1, N, 2)
        return self.xy.gather(1, index)[:, 0]

    def repaired(self) -> tuple[TrainingBatch, bool]:
        """A batch that can be computed with, and whether it was one before: positions that are no numbers become 0."""
        sound = self.xy.abs() < _FARTHEST_PX  # False for NaN
        if bool(sound.all()):
            return self, True
        return replace(self, xy=torch.where(sound, self.xy, torch.zeros_like(self.xy))), False

    def to(self, device: torch.device) -> TrainingBatch:
        """The same batch on a device."""
        return replace(
            self,
            video=self.video.to(device, non_blocking=True),
            xy=self.xy.to(device, non_blocking=True),
            visible=self.visible.to(device, non_blocking=True),
            query_t=self.query_t.to(device, non_blocking=True),
            known=None if self.known is None else self.known.to(device, non_blocking=True),
        )


class BatchSource(Protocol):
    """What the trainer draws batches from.

    A source resumes exactly: after `load_state_dict` it goes on with the batches
    that would have come next. To train on other video, implement this protocol.
    """

    def next(self, stage: TrainingStage, progress: float) -> TrainingBatch:
        """The next batch.

        Args:
            stage: sizes asked for; "pairs" stages need two frames per clip, the
                query in the first
            progress: share of the stage that is done
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Where the source is: tensors, numbers, strings, and containers of these."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        ...


class SyntheticSource:
    """Procedural clips with exact truth, rendered as they are needed.

    Args:
        options: of `SyntheticConfig`
        device: where to render
        seed: the same seed draws the same clips
    """

    def __init__(self, options: dict[str, Any], *, device: torch.device, seed: int) -> None:
        from ...synthetic_video.config import SyntheticConfig
        from ...synthetic_video.renderer import ClipRenderer

        self._renderer = ClipRenderer(SyntheticConfig(**options), device=device, seed=seed)

    def next(self, stage: TrainingStage, progress: float) -> TrainingBatch:
        height, width = stage.size
        start, end = stage.motion
        motion = start + (end - start) * min(2 * progress, 1.0)
        sizes = {"height": height, "width": width, "num_points": stage.points, "motion": motion}
        if stage.kind == "pairs":
            clips = self._renderer.pairs(stage.batch, **sizes)
        else:
            clips = self._renderer.clips(stage.batch, num_frames=stage.frames, **sizes)
        return TrainingBatch(clips.video, clips.xy, clips.visible, clips.query_t)

    def state_dict(self) -> dict[str, Any]:
        return {"renderer": self._renderer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._renderer.load_state_dict(state["renderer"])
