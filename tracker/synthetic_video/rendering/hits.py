"""Where rays meet planes, ellipsoids and boxes, in closed form.

Every function takes the slots of one kind and returns, for each ray: cover, depth,
x, y and z on the surface, footprint and shade, as described in `surfaces.Hits`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .rays import Rays
from .shapes import OUTLINE_REACH

NEAREST = 0.05  # of the focal length: what is nearer is not seen
_STEEPEST = 0.1  # cosine below which textures are not filtered more
_TINY = 1e-9
_EDGE_SHARPNESS = 16  # of the light on edges of boxes


@dataclass(frozen=True)
class Part:
    """Slots of one kind: everything `hit_...` functions read, (B, l, T, ...) each."""

    where: Rays
    rows: Tensor
    eye: Tensor
    light: Tensor
    phase: Tensor
    focal: Tensor
    present: Tensor
    endless: Tensor
    half_size: Tensor
    outlines: Tensor
    outline: Tensor
    wave: Tensor
    bend: Tensor

    def at(self, where: Rays) -> Part:
        return replace(self, where=where)

    def in_front(self, depth: Tensor) -> Tensor:
        """Where rays hit what is there and not too near, 0 or 1."""
        nearest = torch.where(self.present, NEAREST * self.focal, torch.inf)
        return depth > self.where.value(nearest)


def bend_planes(x: Tensor, y: Tensor, wave: list[Tensor], bend: list[Tensor], phase: list[Tensor]) -> tuple:
    """How far a layer's texture is shifted within the layer.

    Args:
        x, y: (...) on the flat layer
        wave, bend: x and y of the first wave, x and y of the second, ...; broadcast to x
        phase: of every wave

    Returns:
        x and y shifts, (...) each
    """
    shift_x, shift_y = torch.zeros_like(x), torch.zeros_like(y)
    for k, start in enumerate(phase):
        angle = x * wave[2 * k]
        angle = angle.addcmul_(y, wave[2 * k + 1]).add_(start).sin_()
        shift_x.addcmul_(angle, bend[2 * k])
        shift_y.addcmul_(angle, bend[2 * k + 1])
    return shift_x, shift_y


def hit_planes(part: Part) -> tuple[Tensor, ...]:
    """Rays on flat layers; a layer is seen from both sides."""
    where, eye, rows = part.where, part.eye, part.rows
    slope = where.linear(rows[..., 2, :])
    inverse_slope = 1 / torch.where(slope.abs() < _TINY, _TINY, slope)
    depth = where.value(-eye[..., 2]) * inverse_slope
    # (eye + depth * row) without the cancellation of two large numbers
    combined = eye[..., :2, None] * rows[..., 2:, :] - eye[..., 2:, None] * rows[..., :2, :]
    x = where.linear(combined[..., 0, :]).mul_(inverse_slope)
    y = where.linear(combined[..., 1, :]).mul_(inverse_slope)
    wave, bend, phase = (
        [where.value(value) for value in table.flatten(3).unbind(-1)] for table in (part.wave, part.bend, part.phase)
    )
    shift_x, shift_y = bend_planes(x, y, wave, bend, phase)
    x, y = x.add_(shift_x), y.add_(shift_y)
    # square root of how much area a pixel covers on the layer
    first, second, third = rows.unbind(-2)
    area = (first * torch.linalg.cross(second, third)).sum(-1).abs()  # (B, P, T)
    inverse_slope = inverse_slope.abs_()
    footprint = inverse_slope * inverse_slope.sqrt() * where.value(eye[..., 2].abs() * area.sqrt())
    half_x, half_y = part.half_size[..., 0], part.half_size[..., 1]
    distance = _read_outline(part, x * where.value(1 / half_x), y * where.value(1 / half_y))
    distance = distance * where.value(torch.minimum(half_x, half_y))
    distance = torch.maximum(distance, where.value(torch.where(part.endless, 1e9, -1e9)))
    cover = (distance / footprint).add_(0.5).clamp_(0, 1) * part.in_front(depth)
    shade = where.value(part.light[..., 2].abs()).expand_as(x)
    return cover, depth, x, y, torch.zeros_like(x), footprint, shade


def _read_outline(part: Part, x: Tensor, y: Tensor) -> Tensor:
    """Signed distances at places in [-1, 1] x [-1, 1], bilinear, in half sizes; falling beyond."""
    size = part.outlines.shape[-1]
    within = OUTLINE_REACH - torch.maximum(x.abs(), y.abs())
    x = ((x + 1) * (size / 2) - 0.5).clamp_(0, size - 1.001)
    y = ((y + 1) * (size / 2) - 0.5).clamp_(0, size - 1.001)
    left, top = x.to(torch.int32), y.to(torch.int32)
    x, y = x - left, y - top
    index = part.where.value(part.outline.to(torch.int32) * size * size) + top * size + left
    table, flat = part.outlines.view(-1), index.flatten()
    corner = [table.index_select(0, flat + step).view(x.shape) for step in (0, 1, size, size + 1)]
    upper = torch.lerp(corner[0], corner[1], x)
    return torch.minimum(upper.lerp_(torch.lerp(corner[2], corner[3], x), y), within)


def hit_ellipsoids(part: Part) -> tuple[Tensor, ...]:
    """Rays on unit spheres in their own axes: the outline is a conic, its distance is to first order."""
    where, eye, rows = part.where, part.eye, part.rows
    # in double precision about the conic's middle: its outline is a small difference of large numbers
    wide_eye, wide_rows = eye.double(), rows.double()
    outside = (wide_eye**2).sum(-1)[..., None, None] - 1
    metric = wide_rows.transpose(-1, -2) @ wide_rows
    through = (wide_eye[..., None, :] @ wide_rows)[..., 0, :]  # (B, L, T, 3)
    conic = through[..., :, None] * through[..., None, :] - outside * metric  # discriminant of the ray's equation
    origin = _conic_middle(conic)
    discriminant, slope_x, slope_y = where.quadratic(_moved_conic(conic, origin).float(), origin.float())
    slope = (slope_x.square_().add_(slope_y.square_())).sqrt_().mul_(2)
    distance = discriminant / slope.clamp_(min=_TINY)  # pixels
    direction = [where.linear(rows[..., i, :]) for i in range(3)]
    square = direction[0].square().addcmul_(direction[1], direction[1]).addcmul_(direction[2], direction[2])
    root = discriminant.clamp_(min=0).sqrt_()
    depth = where.linear(-through.float()).sub_(root).div_(square)
    cover = distance.add_(0.5).clamp_(0, 1) * part.in_front(depth)
    steepness = root.div_(square.sqrt_()).clamp_(min=_STEEPEST)
    footprint = depth * where.value(1 / part.focal) / steepness.sqrt_()
    x, y, z = (direction[i].mul_(depth).add_(where.value(eye[..., i])) for i in range(3))
    normal = [value * where.value(1 / part.half_size[..., i]) for i, value in enumerate((x, y, z))]
    shade = sum(value * where.value(part.light[..., i]) for i, value in enumerate(normal))
    size = sum(value.square_() for value in normal)
    shade = torch.as_tensor(shade) * torch.as_tensor(size).clamp_(min=_TINY).rsqrt_()
    return cover, depth, x, y, z, footprint, shade.clamp_(0, 1)


def _conic_middle(conic: Tensor) -> Tensor:
    """Where a conic's gradient vanishes, (..., 2); the middle of the frame if there is no such place."""
    a, b, c = conic[..., 0, 0], conic[..., 0, 1], conic[..., 1, 1]
    p, q = conic[..., 0, 2], conic[..., 1, 2]
    det = a * c - b * b
    safe = det.abs() > 1e-30
    det = torch.where(safe, det, 1.0)
    middle = torch.stack([(b * q - c * p) / det, (b * p - a * q) / det], -1)
    return torch.where(safe[..., None] & (middle.abs() < 1e5), middle, 0.0)


def _moved_conic(conic: Tensor, origin: Tensor) -> Tensor:
    """The same conic in coordinates that are counted from an origin."""
    shift = torch.zeros_like(conic)
    shift[..., 0, 0] = shift[..., 1, 1] = shift[..., 2, 2] = 1
    shift[..., :2, 2] = origin
    return shift.transpose(-1, -2) @ conic @ shift


def hit_boxes(part: Part) -> tuple[Tensor, ...]:
    """Rays on cubes [-1, 1]^3 in their own axes, from outside; on a room, from inside."""
    where, eye = part.where, part.eye
    directions, near, far = [], [], []
    for i in range(3):
        direction = where.linear(part.rows[..., i, :])
        sign = torch.where(direction < 0, -1.0, 1.0)
        speed = direction.abs().clamp_(min=_TINY)
        middle = where.value(-eye[..., i]) * sign  # the depths of both faces are (middle -+ 1) / speed
        slopes = [sign * where.value(part.rows[..., i, k]) for k in range(2)]
        near.append(((middle - 1) / speed, middle - 1, speed, *slopes))
        far.append(((middle + 1) / speed, middle + 1, speed, *slopes))
        directions.append(direction)
    enter, enter_way, enter_speed, enter_x, enter_y = _extreme(near, torch.gt)
    leave, leave_way, leave_speed, leave_x, leave_y = _extreme(far, torch.lt)
    # leave > enter, multiplied by both speeds: linear in the picture, so its distance in pixels is exact
    edge = leave_way * enter_speed - enter_way * leave_speed
    slope_x = leave_way * enter_x - enter_way * leave_x
    slope_y = leave_way * enter_y - enter_way * leave_y
    slope = slope_x.square_().add_(slope_y.square_()).sqrt_().clamp_(min=_TINY)
    is_room = where.value(part.endless)
    cover = (edge / slope).add_(0.5).clamp_(0, 1)
    cover = torch.maximum(cover, is_room.float())
    depth = torch.where(is_room, leave, enter)
    cover = cover * part.in_front(depth)
    x, y, z = (
        direction.mul_(depth).add_(where.value(eye[..., i])).clamp_(-1, 1) for i, direction in enumerate(directions)
    )
    # the light of each face's normal, with rounded edges: no stairs between bright and dark
    inwards = torch.where(part.endless, -1.0, 1.0)
    weights = [value.square() ** _EDGE_SHARPNESS for value in (x, y, z)]
    faces = [weight * value.sign() for weight, value in zip(weights, (x, y, z), strict=True)]
    lit = [face * where.value(inwards * part.light[..., i]) for i, face in enumerate(faces)]
    shade = ((lit[0] + lit[1] + lit[2]) / (weights[0] + weights[1] + weights[2]).clamp_(min=_TINY)).clamp_(0, 1)
    footprint = depth * where.value(1 / part.focal)
    return cover, depth, x, y, z, footprint, shade


def box_face(x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """Whether a place on a box lies on a face across x, or across y (otherwise across z)."""
    axis_x = (x.abs() >= y.abs()) & (x.abs() >= z.abs())
    return axis_x, ~axis_x & (y.abs() >= z.abs())


def _extreme(faces: list[tuple[Tensor, ...]], better: Callable) -> tuple[Tensor, ...]:
    """Of every ray the face it enters by, or leaves by: the one whose first field is better than the others'."""
    best = faces[0]
    for other in faces[1:]:
        wins = better(other[0], best[0])
        best = tuple(torch.where(wins, new, old) for new, old in zip(other, best, strict=True))
    return best
