"""The colour of a place on a surface: texture, material and light."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..scenes.scene import Inventory, Material
from .hits import box_face

_COARSEST = 8  # side of the smallest level, texels
_FINER = 0.25  # levels are chosen this much finer than a texel per pixel: sharp, hardly any shimmer
_FACE_STEP = 0.37  # faces of a box begin at different places of the texture, in its sides


class TextureBank:
    """Textures on a device, with coarser levels against aliasing, repeated endlessly.

    Args:
        textures: (M, 3, S, S) uint8, S a power of two
        device: to hold them on
    """

    def __init__(self, textures: Tensor, device: torch.device) -> None:
        self.count, self.size = textures.shape[0], textures.shape[-1]
        self.levels = max(1, int(math.log2(self.size)) - int(math.log2(_COARSEST)) + 1)
        packed = []
        self.means = torch.empty(self.count, 3, device=device)
        for start in range(0, self.count, 64):
            level = textures[start : start + 64].to(device).float()
            self.means[start : start + 64] = level.mean((2, 3)) / 255
            chunk = []
            for _ in range(self.levels):
                red, green, blue = level.round().to(torch.int32).unbind(1)
                chunk.append((red | green << 8 | blue << 16).flatten(1))
                level = F.avg_pool2d(level, 2) if level.shape[-1] > 1 else level
            packed.append(torch.cat(chunk, 1))
        self.packed = torch.cat(packed)  # (M, texels of all levels)
        sides = [self.size >> i for i in range(self.levels)]
        starts = [sum(side * side for side in sides[:i]) for i in range(self.levels)]
        self._starts = torch.tensor(starts, dtype=torch.int32, device=device)

    def sample(self, texture: Tensor, x: Tensor, y: Tensor, texels_per_pixel: Tensor) -> Tensor:
        """Reads textures bilinearly.

        Args:
            texture: (...) which one
            x, y: (...) texels of the finest level, from the corner
            texels_per_pixel: (...) chooses the level

        Returns:
            (3, ...) in 0 to 1
        """
        level = (torch.log2(texels_per_pixel) - _FINER).round_().clamp_(0, self.levels - 1).to(torch.int32)
        shrink = torch.exp2(-level.float())
        side = self.size >> level
        x = x * shrink - 0.5
        y = y * shrink - 0.5
        left, top = x.floor(), y.floor()
        x, y = x - left, y - top
        left, top = left.to(torch.int32), top.to(torch.int32)
        start = texture.to(torch.int32) * self.packed.shape[1] + self._starts[level]
        flat = self.packed.reshape(-1)
        # sides are powers of two: masking repeats the texture endlessly, to both sides
        wrap = side - 1
        columns = [left & wrap, (left + 1) & wrap]
        rows = [start + (top & wrap) * side, start + ((top + 1) & wrap) * side]
        weights = [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y]
        colour = torch.zeros(3, *x.shape, device=x.device)
        for i, weight in enumerate(weights):
            index = rows[i // 2] + columns[i % 2]
            texel = flat.index_select(0, index.flatten()).reshape(x.shape)
            for channel in range(3):
                colour[channel].addcmul_((texel >> (8 * channel) & 255).float(), weight)
        return colour.div_(255)


def paint(
    bank: TextureBank,
    material: Material,
    half_size: Tensor,
    inventory: Inventory,
    row: Tensor,
    slot: Tensor,
    place: tuple[Tensor, Tensor, Tensor],
    footprint: Tensor,
    shade: Tensor,
) -> Tensor:
    """Colours of places.

    Args:
        bank: textures
        material: of the slots in use, (B, L, ...)
        half_size: (B, L, 3) half axes of solids, any numbers for planes
        inventory: which slots are what
        row: (R,) int64 clip * L + slot
        slot: (R,) int64
        place: x, y and z on the surface, (R,) each
        footprint: (R,) units per pixel
        shade: (R,)

    Returns:
        (3, R)
    """

    def of_row(table: Tensor) -> Tensor:
        return table.flatten().index_select(0, row)

    x, y, z = place
    if inventory.planes < inventory.layers:
        x, y = _unrolled(inventory, slot, x, y, z, [of_row(half_size[..., i]) for i in range(3)])
    texels = of_row(material.texels)
    x = x.mul(texels).add_(of_row(material.offset[..., 0]))
    y = y.mul(texels).add_(of_row(material.offset[..., 1]))
    colour = bank.sample(of_row(material.texture), x, y, footprint * texels)
    mean = bank.means[material.texture]  # (B, L, 3)
    gain = material.gain * material.contrast[..., None]
    base = material.gain * mean * (1 - material.contrast[..., None]) + material.tint
    lit = of_row(material.diffuse).mul_(shade.mul(1.5).sub_(1)).add_(1)
    for channel in range(3):
        colour[channel].mul_(of_row(gain[..., channel])).add_(of_row(base[..., channel])).mul_(lit)
    return colour


def _unrolled(
    inventory: Inventory, slot: Tensor, x: Tensor, y: Tensor, z: Tensor, radii: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Flat coordinates on solids: halves of ellipsoids by stereographic projection, faces of boxes as they are."""
    is_plane = slot < inventory.planes
    side = torch.where(z > 0, 2.0, -2.0)
    stretch = 2 / (1 + z.abs())
    flat_x = x * stretch * radii[0] + side * radii[0] * 3
    flat_y = y * stretch * radii[1]
    if inventory.boxes:
        is_box = slot >= inventory.planes + inventory.ellipsoids
        axis_x, axis_y = box_face(x, y, z)
        turn_x = torch.where(axis_x, z * radii[2], x * radii[0])
        turn_y = torch.where(axis_y, z * radii[2], y * radii[1])
        face = torch.where(axis_x, x.sign() * 3, torch.where(axis_y, y.sign() * 5, z.sign() * 7))
        face = face * _FACE_STEP * (radii[0] + radii[1] + radii[2])
        flat_x = torch.where(is_box, turn_x + face, flat_x)
        flat_y = torch.where(is_box, turn_y + face, flat_y)
    return torch.where(is_plane, x, flat_x), torch.where(is_plane, y, flat_y)
