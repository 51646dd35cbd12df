"""What every ray meets on every surface.

What is drawn and what is known about points comes from here, through the same code:
they cannot disagree.

Adding a kind of surface: write a function like those in `hits`, give it slots in
`scene.Inventory`, and enter it in `_ranges`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..scenes.scene import Frames, Inventory
from .hits import NEAREST, Part, hit_boxes, hit_ellipsoids, hit_planes
from .rays import PixelGrid, PixelList, Positions, Rays


@dataclass(frozen=True)
class Hits:
    """What rays meet on each layer, all (B, L, T, P).

    Args:
        cover: 0 beside the surface to 1 on it; 0.5 on its outline
        depth: along the camera's axis, units
        x, y, z: surface coordinates
        footprint: surface units per pixel
        shade: cosine of the light's angle, 0 to 1
    """

    cover: Tensor
    depth: Tensor
    x: Tensor
    y: Tensor
    z: Tensor
    footprint: Tensor
    shade: Tensor


@dataclass(frozen=True)
class Layers:
    """What `cast_rays` needs besides `Frames`; all of the slots in use.

    Args:
        inventory: how many of each kind
        present: (B, L) bool
        endless: (B, L) bool: a plane without outline, or a room
        half_size: (B, L, 3) of what surface coordinates range over
        outline: (B, L) int64, which one
        wave, bend: (B, L, K, 2)
    """

    inventory: Inventory
    present: Tensor
    endless: Tensor
    half_size: Tensor
    outline: Tensor
    wave: Tensor
    bend: Tensor


def _part(layers: Layers, frames: Frames, outlines: Tensor, rows: Tensor, first: int, last: int, where: Rays) -> Part:
    slots = slice(first, last)
    shape = rows[:, slots].shape[:3]

    def at_all_times(table: Tensor) -> Tensor:
        cut = table[:, slots, None]
        return cut.expand(*shape, *cut.shape[3:])

    return Part(
        where=where,
        rows=rows[:, slots],
        eye=frames.eye[:, slots],
        light=frames.light[:, slots],
        phase=frames.phase[:, slots],
        focal=frames.focal[:, None].expand(shape),
        present=at_all_times(layers.present),
        endless=at_all_times(layers.endless),
        half_size=at_all_times(layers.half_size),
        outlines=outlines,
        outline=at_all_times(layers.outline),
        wave=at_all_times(layers.wave),
        bend=at_all_times(layers.bend),
    )


def cast_rays(layers: Layers, frames: Frames, outlines: Tensor, where: PixelGrid | Positions) -> Hits:
    """Meets every surface with every ray.

    Args:
        layers: the surfaces
        frames: where they are at T times
        outlines: (count, S, S) signed distances
        where: P rays per frame

    Returns:
        hits; where nothing is covered all but the cover may be anything
    """
    focal = frames.focal[:, None, :, None]  # (B, 1, T, 1)
    per_pixel = torch.stack([1 / focal, 1 / focal, torch.ones_like(focal)], -1)  # (B, 1, T, 1, 3)
    rows = frames.inverse * per_pixel
    sparse = isinstance(where, PixelGrid) and where.only_near
    parts = []
    for first, last, everywhere, hit in _ranges(layers.inventory, sparse):
        part = _part(layers, frames, outlines, rows, first, last, where)
        if sparse and not everywhere and isinstance(where, PixelGrid):
            box = _bounding_box(layers, frames, first, last)
            part = part.at(PixelList(where, box))
        parts.append((first, last, part.where, hit(part)))
    if not sparse:
        return Hits(*(torch.cat(field, 1) for field in zip(*(values for _, _, _, values in parts), strict=True)))
    return _merged(parts, frames, where)


def _ranges(inventory: Inventory, sparse: bool) -> list[tuple[int, int, bool, Callable]]:
    """First and last slots, whether they may fill the picture, and the function for them."""
    planes = inventory.planes
    solids, end = planes + inventory.ellipsoids, inventory.layers
    rooms = int(inventory.room)
    if sparse:
        split = [
            (0, 1, True, hit_planes), (1, planes, False, hit_planes), (planes, solids, False, hit_ellipsoids),
            (solids, solids + rooms, True, hit_boxes), (solids + rooms, end, False, hit_boxes),
        ]  # fmt: skip
    else:
        split = [(0, planes, True, hit_planes), (planes, solids, True, hit_ellipsoids), (solids, end, True, hit_boxes)]
    return [item for item in split if item[0] < item[1]]


def _merged(parts: list, frames: Frames, where: PixelGrid | Positions) -> Hits:
    """Hits of parts of the slots, some for all pixels and some for few, as if all were for all pixels."""
    batch, slots, steps = frames.eye.shape[:3]
    pixels = where.x.shape[-1] * where.y.shape[-1]
    shape = (batch, slots, steps, pixels)
    fields = [torch.zeros(shape), *(torch.empty(shape) for _ in range(6))]
    numbers = torch.arange(batch * slots * steps).reshape(batch, slots, steps)
    for first, last, rays, values in parts:
        if isinstance(rays, PixelList):
            row = numbers[:, first:last].reshape(-1).index_select(0, rays.row)
            index = row.mul_(pixels).add_(rays.pixel)
            for field, value in zip(fields, values, strict=True):
                field.view(-1).index_copy_(0, index, value)
        else:
            for field, value in zip(fields, values, strict=True):
                field[:, first:last] = value
    return Hits(*fields)


def _bounding_box(layers: Layers, frames: Frames, first: int, last: int) -> Tensor:
    """What surfaces cover at most, (B, l, T, 4); everything if a corner is behind the camera."""
    slots = slice(first, last)
    bent = layers.bend[:, slots].norm(dim=-1).sum(-1, keepdim=True)  # (B, l, 1)
    reach = layers.half_size[:, slots] + bent  # (B, l, 3)
    # inverse maps to surface coordinates that for solids are in half axes
    unit = torch.arange(layers.inventory.layers, device=reach.device)[slots] >= layers.inventory.planes
    reach = torch.where(unit[:, None], 1.0, reach)
    signs = torch.tensor([-1.0, 1.0], device=reach.device)
    corners = torch.cartesian_prod(signs, signs, signs) * reach[:, :, None]  # (B, l, 8, 3)
    corners = corners * torch.where(unit[:, None, None], 1.0, corners.new_tensor([1.0, 1.0, 0.0]))
    camera = corners[:, :, None] @ frames.a[:, slots].transpose(-1, -2) + frames.b[:, slots, :, None]  # (B, l, T, 8, 3)
    focal = frames.focal[:, None, :, None]
    depth = camera[..., 2]
    xy = camera[..., :2] * (focal / depth)[..., None]
    low, high = xy.amin(-2) - 1, xy.amax(-2) + 1  # (B, l, T, 2)
    box = torch.stack([low[..., 0], high[..., 0], low[..., 1], high[..., 1]], -1)
    behind = (depth < 0.5 * NEAREST * focal).any(-1) | layers.endless[:, slots, None]
    everything = box.new_tensor([-torch.inf, torch.inf, -torch.inf, torch.inf])
    box = torch.where(behind[..., None], everything, box)
    nothing = box.new_tensor([1.0, 0.0, 1.0, 0.0])
    return torch.where(layers.present[:, slots, None, None], box, nothing)
