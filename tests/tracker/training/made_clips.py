"""A batch source without a renderer: textured pictures that move by known steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from point_tracking.tracker.training.configs import TrainingStage
from point_tracking.tracker.training.data.batches import TrainingBatch

_PICTURE = 128  # side of the picture a clip is cut from


def moving_batch(stage: TrainingStage, generator: torch.Generator) -> TrainingBatch:
    """Windows that move over noise pictures by a whole step per frame; every point stays visible or leaves."""
    height, width = stage.size
    frames = 2 if stage.kind == "pairs" else stage.frames
    noise = torch.rand(stage.batch, 3, _PICTURE // 2, _PICTURE // 2, generator=generator)
    pictures = F.interpolate(noise, (_PICTURE, _PICTURE), mode="bilinear", align_corners=False)
    pictures = (255 * pictures).to(torch.uint8)  # (B, 3, S, S)
    steps = torch.randint(-2, 3, (stage.batch, 2), generator=generator)
    corner = torch.tensor([_PICTURE - width, _PICTURE - height]) // 2
    video = torch.stack(
        [
            torch.stack(
                [
                    picture[:, y : y + height, x : x + width]
                    for x, y in ((corner - t * step).tolist() for t in range(frames))
                ]
            )
            for picture, step in zip(pictures, steps, strict=True)
        ]
    )  # (B, T, 3, H, W)
    size = torch.tensor([width, height])
    start = 4 + torch.rand(stage.batch, 1, stage.points, 2, generator=generator) * (size - 8)
    xy = start + torch.arange(frames)[:, None, None] * steps[:, None, None]  # (B, T, N, 2)
    visible = ((xy >= 0) & (xy <= size - 1)).all(dim=-1)
    return TrainingBatch(video, xy, visible, torch.zeros(stage.batch, stage.points, dtype=torch.int64))


class MadeSource:
    """`moving_batch` again and again.

    Args:
        seed: of the clips
        spoil: changes each batch's positions, given (B, T, N, 2) and the batch's number
        same: always the first batch
    """

    def __init__(self, seed: int = 0, spoil: Callable[[Tensor, int], Tensor] | None = None, same: bool = False) -> None:
        self._seed = seed
        self._generator = torch.Generator().manual_seed(seed)
        self._spoil = spoil
        self._same = same
        self.count = 0

    def next(self, stage: TrainingStage, progress: float) -> TrainingBatch:
        if self._same:
            self._generator.manual_seed(self._seed)
        batch = moving_batch(stage, self._generator)
        self.count += 1
        if self._spoil is None:
            return batch
        return TrainingBatch(batch.video, self._spoil(batch.xy, self.count), batch.visible, batch.query_t)

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self._generator.get_state(), "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._generator.set_state(state["generator"])
        self.count = state["count"]
