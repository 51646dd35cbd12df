"""How well each cell of the anchor frame matches the neighbourhood of where it is believed to be.

Source: AllTracker, arXiv:2506.07310, sec. 3. A volume holds the products of
every anchor cell with every cell of a frame's pyramid; what is
read beyond a map's border is its border.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import LEVELS, RADIUS, level_sizes

_FAR = 2.0**20
_READ = 2 * RADIUS + 2  # cells per side, for one position fewer


def feature_pyramid(features: Tensor) -> Tensor:
    """All levels of a feature map, one below the other.

    Each level averages areas of the one above; those of an odd side overlap.

    Args:
        features: (h, w, C)

    Returns:
        (cells of all levels, C)
    """
    level = features.permute(2, 0, 1)[None]  # (1, C, h, w)
    sizes = level_sizes((level.shape[2], level.shape[3]))
    levels = []
    for size in sizes:
        if level.shape[2:] != size:
            level = F.adaptive_avg_pool2d(level, size)
        levels.append(level[0].flatten(1).T)  # (cells, C)
    return torch.cat(levels)


def correlation_volume(anchor: Tensor, pyramid: Tensor) -> Tensor:
    """Products of anchor features with those of a frame.

    Args:
        anchor: (n, C) features of cells of the anchor frame
        pyramid: (cells of all levels, C) of the other frame

    Returns:
        (n, cells of all levels), divided by the root of C
    """
    return (anchor * anchor.shape[1] ** -0.5) @ pyramid.T


class Neighbourhoods:
    """Where the neighbourhoods of positions lie in a volume, for maps of one size.

    Args:
        grid: (rows, columns) of the first level
        device: of the volumes
    """

    def __init__(self, grid: tuple[int, int], device: torch.device) -> None:
        sizes = level_sizes(grid)
        starts = [0]
        for rows, columns in sizes:
            starts.append(starts[-1] + rows * columns)
        self.num_cells = starts[-1]
        """Cells of all levels."""
        self._scales = torch.tensor(
            [[0.5**level] for level in range(LEVELS)], dtype=torch.float32, device=device
        )  # (levels, 1)
        self._starts = torch.tensor(starts[:-1], device=device)[:, None]  # (levels, 1)
        rows, columns = (torch.tensor(sides, device=device)[:, None] for sides in zip(*sizes, strict=True))
        self._columns, self._last_row, self._last_column = columns, rows - 1, columns - 1  # (levels, 1) each
        self._offsets = torch.arange(_READ, device=device) - RADIUS  # (10,)

    def look_up(self, volume: Tensor, centres: Tensor) -> Tensor:
        """Reads the neighbourhood of each position at every level, between cells bilinearly.

        Args:
            volume: (n, cells of all levels)
            centres: (n, 2) float32, x and y in cells of the first level

        Returns:
            (n, 405) in the volume's dtype, level by level; within one, x changes slower than y
        """
        index, share = self.places(centres)
        return self.blend(volume.gather(1, index), share)

    def places(self, centres: Tensor) -> tuple[Tensor, Tensor]:
        """Which cells of a volume are read for each position, and how they are blended.

        Args:
            centres: (n, 2) float32, x and y in cells of the first level

        Returns:
            (n, 500) int64 cells of all levels; (n, levels, 2) float32 from one cell to the next
        """
        at = centres[:, None] * self._scales  # (n, levels, 2)
        low = at.floor()
        share = at - low
        # far outside, all that is read is the border: whole numbers must not overflow on the way there
        low = low.clamp(-_FAR, _FAR).long()
        x = (low[..., :1] + self._offsets).clamp_min(0).minimum(self._last_column)  # (n, levels, 10)
        y = (low[..., 1:] + self._offsets).clamp_min(0).minimum(self._last_row)  # (n, levels, 10)
        row_starts = y * self._columns + self._starts
        index = x[..., :, None] + row_starts[..., None, :]  # (n, levels, 10, 10): x, then y
        return index.flatten(1), share

    @staticmethod
    def blend(cells: Tensor, share: Tensor) -> Tensor:
        """Goes between the cells that were read: (n, 500) and (n, levels, 2) to (n, 405)."""
        found = cells.unflatten(1, (LEVELS, _READ, _READ))  # (n, levels, 10, 10)
        right, down = share.to(cells.dtype)[..., None, None].unbind(dim=2)  # (n, levels, 1, 1) each
        found = torch.lerp(found[..., :-1, :], found[..., 1:, :], right)  # (n, levels, 9, 10)
        found = torch.lerp(found[..., :-1], found[..., 1:], down)  # (n, levels, 9, 9)
        return found.flatten(1)  # (n, 405)
