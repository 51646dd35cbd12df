"""Camera rays: all pixels of a frame, given positions, or the pixels near surfaces.

A ray is (x, y, 1) with x and y in pixels from the middle of the frame. Rows of maps
are applied to rays without writing the rays out, so that a pixel costs one addition.
"""

from __future__ import annotations

import torch
from torch import Tensor


class PixelGrid:
    """All pixels of a frame; results are (B, L, T, H * W).

    Args:
        height, width: pixels of a frame
        device: to compute on
        only_near: look only at pixels near a surface, whose number then must be known
            to the host: pays on a CPU, stalls a GPU. None: as the device has it
    """

    def __init__(self, height: int, width: int, device: torch.device, only_near: bool | None = None) -> None:
        self.only_near = device.type == "cpu" if only_near is None else only_near
        self.x = torch.arange(width, device=device, dtype=torch.float32) - (width - 1) / 2
        self.y = torch.arange(height, device=device, dtype=torch.float32) - (height - 1) / 2

    def value(self, table: Tensor) -> Tensor:
        """A number per layer and frame (B, L, T) at every ray."""
        return table[..., None]

    def linear(self, row: Tensor) -> Tensor:
        """row . (x, y, 1) at every ray, for rows (B, L, T, 3)."""
        return self._linear(row, self.x, self.y)

    def quadratic(self, form: Tensor, origin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(x, y, 1) form (x, y, 1) and half its slopes, x and y counted from an origin.

        Args:
            form: (B, L, T, 3, 3) symmetric
            origin: (B, L, T, 2)
        """
        x, y = self.x - origin[..., :1], self.y - origin[..., 1:]  # (B, L, T, W), (B, L, T, H)
        half = [self._linear(form[..., i, :], x, y).unflatten(-1, (len(self.y), len(self.x))) for i in range(3)]
        total = half[2].addcmul_(half[0], x[..., None, :]).addcmul_(half[1], y[..., None])
        return total.flatten(-2), half[0].flatten(-2), half[1].flatten(-2)

    @staticmethod
    def _linear(row: Tensor, x: Tensor, y: Tensor) -> Tensor:
        across = row[..., 0, None] * x + row[..., 2, None]  # (B, L, T, W)
        down = row[..., 1, None] * y  # (B, L, T, H)
        return (across[..., None, :] + down[..., None]).flatten(-2)  # (B, L, T, H * W)


class Positions:
    """Given positions of each frame; results are (B, L, T, N).

    Args:
        xy: (B, T, N, 2) pixels from the middle of the frame
    """

    def __init__(self, xy: Tensor) -> None:
        self.x, self.y = xy[:, None].unbind(-1)  # (B, 1, T, N) each

    def value(self, table: Tensor) -> Tensor:
        return table[..., None]

    def linear(self, row: Tensor) -> Tensor:
        return row[..., 0, None] * self.x + row[..., 1, None] * self.y + row[..., 2, None]

    def quadratic(self, form: Tensor, origin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y = self.x - origin[..., :1], self.y - origin[..., 1:]
        half = [form[..., i, 0, None] * x + form[..., i, 1, None] * y + form[..., i, 2, None] for i in range(3)]
        return half[0] * x + half[1] * y + half[2], half[0], half[1]


class PixelList:
    """The pixels near surfaces; results are (R,).

    Args:
        grid: all pixels
        box: (B, L, T, 4) least x, most x, least y, most y, pixels from the middle of the frame
    """

    def __init__(self, grid: PixelGrid, box: Tensor) -> None:
        across = (grid.x >= box[..., 0:1]) & (grid.x <= box[..., 1:2])  # (B, L, T, W)
        down = (grid.y >= box[..., 2:3]) & (grid.y <= box[..., 3:4])  # (B, L, T, H)
        near = (across[..., None, :] & down[..., None]).flatten(0, 2)  # (B * L * T, H, W)
        self.row, y, x = (index.contiguous() for index in near.nonzero().unbind(1))
        self.pixel = y * len(grid.x) + x
        self.x, self.y = grid.x.index_select(0, x), grid.y.index_select(0, y)

    def value(self, table: Tensor) -> Tensor:
        return table.reshape(-1).index_select(0, self.row)

    def linear(self, row: Tensor) -> Tensor:
        first, second, third = (self.value(value) for value in row.unbind(-1))
        return third.addcmul_(first, self.x).addcmul_(second, self.y)

    def quadratic(self, form: Tensor, origin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y = self.x - self.value(origin[..., 0]), self.y - self.value(origin[..., 1])
        half = []
        for i in range(3):
            first, second, third = (self.value(value) for value in form[..., i, :].unbind(-1))
            half.append(third.addcmul_(first, x).addcmul_(second, y))
        return half[2].addcmul_(half[0], x).addcmul_(half[1], y), half[0], half[1]


Rays = PixelGrid | Positions | PixelList
