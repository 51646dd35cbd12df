"""Reading feature maps at positions between their cells.

Positions are those of a raster: (0, 0) is the outer corner of the first cell and
(w, h) that of the last one, so that a position on a map of another size is a
plain multiple. The middle of the first cell is (0.5, 0.5).
"""

from __future__ import annotations

import torch
from torch import Tensor

RADIUS = 3
SIDE = 2 * RADIUS + 1
AROUND = SIDE**2
_PATCH = SIDE + 1


def sample_clamped(maps: Tensor, frames: Tensor, xy: Tensor, radius: int = 0) -> Tensor:
    """Features around positions (bilinear); beyond the border its own cells go on.

    Args:
        maps: (T, h, w, C)
        frames: (P,) int64
        xy: (P, 2) float32, raster positions on the map
        radius: cells on each side

    Returns:
        (P, (2 r + 1) ** 2, C) float32, row by row
    """
    _, height, width, channels = maps.shape
    offset = torch.arange(-radius, radius + 1, device=xy.device)
    x = (xy[:, :1] - 0.5 + offset).clamp_(0, width - 1)  # (P, s)
    y = (xy[:, 1:] - 0.5 + offset).clamp_(0, height - 1)  # (P, s)
    left, top = x.floor(), y.floor()
    right, bottom = (left + 1).clamp_(max=width - 1), (top + 1).clamp_(max=height - 1)
    fx, fy = (x - left)[:, None, :, None], (y - top)[:, :, None, None]
    first = frames * height

    def read(rows: Tensor, columns: Tensor) -> Tensor:
        index = (first[:, None] + rows.long())[:, :, None] * width + columns.long()[:, None]  # (P, s, s)
        return maps.reshape(-1, channels)[index].float()  # (P, s, s, C)

    upper = torch.lerp(read(top, left), read(top, right), fx)
    lower = torch.lerp(read(bottom, left), read(bottom, right), fx)
    return torch.lerp(upper, lower, fy).flatten(1, 2)


def correlate_around(maps: Tensor, frames: Tensor, xy: Tensor, templates: Tensor) -> Tensor:
    """Products of templates with the features around positions (bilinear); beyond the border they are 0.

    All positions around a point lie equally far past whole cells. So the products are taken with whole cells, and
    interpolated: the same numbers up to rounding, and eight cells a side instead of seven times four corners.

    Args:
        maps: (T, h, w, C)
        frames: (M,) int64 rows of `maps`
        xy: (P, M, 2) float32, raster positions on the map
        templates: (P, S, C), S features per point, or (P, M, 1, C), one per point and frame

    Returns:
        (P, M, 49, S) float32, positions row by row
    """
    _, height, width, channels = maps.shape
    points, count = xy.shape[:2]
    place = xy.reshape(-1, 2) - 0.5  # (P * M, 2)
    corner = place.floor()
    fraction = (place - corner)[:, :, None, None, None]
    # far outside nothing is read: clamping first keeps whole numbers small
    whole = corner.clamp(-2 * _PATCH, max(height, width) + 2 * _PATCH).long()
    offset = torch.arange(-RADIUS, RADIUS + 2, device=xy.device)
    x, y = whole[:, :1] + offset, whole[:, 1:] + offset  # (P * M, 8)
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None]  # (P * M, 8, 8)
    rows = (frames * height).repeat(points)[:, None] + y.clamp_(0, height - 1)
    index = rows[:, :, None] * width + x.clamp_(0, width - 1)[:, None]  # (P * M, 8, 8)
    cells = maps.reshape(-1, channels).index_select(0, index.flatten())  # (P * M * 64, C)
    # one matrix per template
    templates = templates.flatten(0, 1) if templates.ndim == 4 else templates
    cells = cells.view(len(templates), -1, channels)  # (P, M * 64, C) or (P * M, 64, C)
    products = torch.bmm(cells, templates.to(cells.dtype).mT).float()
    products = products.view(points * count, _PATCH, _PATCH, -1) * inside[..., None]  # (P * M, 8, 8, S)
    rows_between = torch.lerp(products[:, :-1], products[:, 1:], fraction[:, 1])  # (P * M, 7, 8, S)
    between = torch.lerp(rows_between[:, :, :-1], rows_between[:, :, 1:], fraction[:, 0])  # (P * M, 7, 7, S)
    return between.reshape(points, count, AROUND, -1)
