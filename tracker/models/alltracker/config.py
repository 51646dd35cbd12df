"""The sizes of an AllTracker model: what a checkpoint decides, and what is fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

STRIDE = 8
"""Pixels per side of a cell of the feature map."""
PADDING_UNIT = 64
"""Sides of the padded frame are multiples of it: all pyramid levels but the last halve evenly."""
MIN_SIDE = PADDING_UNIT + 1
"""Shortest side in pixels: padded it is two units, below which the smallest level would be empty."""
LEVELS = 5
RADIUS = 4
CORRELATIONS = LEVELS * (2 * RADIUS + 1) ** 2
WIDTH = 128
"""Channels of the feature that is refined, and of its context."""
HEADS = 8
MLP_RATIO = 4
UPSAMPLED = STRIDE**2
NEIGHBOURS = 9
ITERATIONS = 4
NORM_EPS = 1e-6


@dataclass(frozen=True)
class AllTrackerConfig:
    """What distinguishes models; smaller ones than the published serve tests.

    Args:
        encoder: "convnext" (normal) or "residual" (tiny)
        stage_depths: blocks of the three stages of the ConvNeXt encoder
        block_pairs: pairs of time and space blocks in the update
        window: frames refined together, rows of the time embedding
    """

    encoder: Literal["convnext", "residual"] = "convnext"
    stage_depths: tuple[int, int, int] = (3, 3, 9)
    block_pairs: int = 3
    window: int = 16

    @property
    def name(self) -> str:
        """The name of the tracker that a model of these sizes is for."""
        return "alltracker" if self.encoder == "convnext" else "alltracker-tiny"

    @property
    def feature_dim(self) -> int:
        """Channels of a feature map, all of which are correlated."""
        return 2 * WIDTH if self.encoder == "convnext" else WIDTH

    @property
    def step(self) -> int:
        """Frames by which windows advance."""
        return self.window // 2


ALLTRACKER = AllTrackerConfig()
ALLTRACKER_TINY = AllTrackerConfig(encoder="residual")


def padded_size(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of a frame after padding to multiples of `PADDING_UNIT`."""
    height, width = (-(-side // PADDING_UNIT) * PADDING_UNIT for side in size)
    return height, width


def grid_size(size: tuple[int, int]) -> tuple[int, int]:
    """(rows, columns) of cells of a frame of (height, width)."""
    height, width = padded_size(size)
    return height // STRIDE, width // STRIDE


def level_sizes(grid: tuple[int, int]) -> list[tuple[int, int]]:
    """(rows, columns) of the levels of the correlation pyramid."""
    sizes = [grid]
    while len(sizes) < LEVELS:
        rows, columns = sizes[-1]
        sizes.append((rows // 2, columns // 2))
    return sizes
