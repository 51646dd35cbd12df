"""Pictures and tracks of scenes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..scenes.scene import Frames, Inventory, Material, Scene
from .hits import NEAREST, bend_planes
from .rays import PixelGrid, Positions
from .shading import TextureBank, paint
from .surfaces import Hits, Layers, cast_rays

_SEEN = 1 / 64  # cover below which a surface adds nothing to a pixel
_UNBENDING_STEPS = 18


@dataclass(frozen=True)
class RenderBatch:
    """Some clips of a scene, with the slots they use.

    Args:
        layers: geometry besides the poses
        frames: poses at the frames
        material: how the surface in each slot looks
    """

    layers: Layers
    frames: Frames
    material: Material

    def is_background(self, slot: Tensor) -> Tensor:
        """Whether slots (B, N) are the background: the first plane, or else the room."""
        inventory = self.layers.inventory
        return slot == torch.where(self.layers.present[:, :1], 0, inventory.planes + inventory.ellipsoids)


def gather_clips(scene: Scene, frames: Frames, inventory: Inventory, clips: Tensor) -> RenderBatch:
    """Picks clips, and of them the slots that are in use.

    Args:
        scene: all clips
        frames: of the same clips
        inventory: of the slots that any of the picked clips uses
        clips: (b,) int64
    """
    slots = torch.tensor(inventory.slots_within(scene.inventory), device=clips.device)
    extra = inventory.layers - inventory.planes
    planes = slots[: inventory.planes]

    def pick(value: Tensor, which: Tensor = slots) -> Tensor:
        return value.index_select(0, clips).index_select(1, which)

    def pick_plane(value: Tensor) -> Tensor:
        """Of planes; zero for what is no plane."""
        return F.pad(pick(value, planes), [0, 0] * (value.ndim - 2) + [0, extra])

    half_sizes = [F.pad(scene.planes.half_size, (0, 1), value=1.0), scene.balls.radii, scene.figure.radii]
    frames = frames.select(clips, slots)
    picked_room = scene.has_room.index_select(0, clips)
    is_room = torch.arange(inventory.layers, device=clips.device) == inventory.planes + inventory.ellipsoids
    layers = Layers(
        inventory=inventory,
        present=pick(scene.present),
        endless=pick_plane(scene.planes.endless) | (picked_room[:, None] & is_room),
        half_size=pick(torch.cat([*half_sizes, scene.boxes.radii], 1)),
        outline=pick_plane(scene.planes.outline),
        wave=pick_plane(scene.planes.wave),
        bend=pick_plane(scene.planes.bend),
    )
    frames = replace(frames, phase=F.pad(frames.phase[:, : inventory.planes], (0, 0, 0, 0, 0, extra)))
    material = Material(**{name: pick(value) for name, value in vars(scene.material).items()})
    return RenderBatch(layers, frames, material)


def render(
    batch: RenderBatch, bank: TextureBank, outlines: Tensor, grid: PixelGrid, shadow: Tensor | None = None
) -> Tensor:
    """Pictures before any lighting of the whole frame, blur or noise.

    Args:
        batch: B clips at T times
        bank: textures
        outlines: (count, S, S) signed distances
        grid: the pixels
        shadow: (B, 3) shift in pixels and darkness of what lies on the background

    Returns:
        (3, B, T, H * W) float32, about 0 to 1
    """
    hits = cast_rays(batch.layers, batch.frames, outlines, grid)
    front = _nearest(torch.where(hits.cover > _SEEN, hits.depth, torch.inf))  # (B, T, P)
    clips, slots, steps, pixels = hits.cover.shape
    start = torch.arange(clips, device=front.device)[:, None] * (slots * steps * pixels)
    start = (start + torch.arange(steps * pixels, device=front.device)).flatten()  # (B * T * P,) where slot 0 is
    lit = None if shadow is None else _shadows(batch.is_background(front.flatten(1)).view_as(front), grid, shadow)
    front = front.flatten()
    stride = steps * pixels
    index = start + front * stride
    colour = _paint_places(batch, bank, hits, front, index)
    cover = hits.cover.view(-1).index_select(0, index)
    edge = (cover < 1).nonzero()[:, 0] if grid.only_near else torch.arange(len(front), device=front.device)
    start, front, cover = (value.index_select(0, edge) for value in (start, front, cover))
    behind = _nearest_behind(hits, start, front, stride)
    other = _paint_places(batch, bank, hits, behind, start + behind * stride)
    colour.index_copy_(1, edge, other.lerp_(colour.index_select(1, edge), cover))
    colour = colour.view(3, clips, steps, pixels)
    return colour if lit is None else colour.mul_(lit)


def seen_slots(batch: RenderBatch, outlines: Tensor, grid: PixelGrid) -> Tensor:
    """Which surface is seen at the middle of every pixel, (B, T, H * W) int64."""
    hits = cast_rays(batch.layers, batch.frames, outlines, grid)
    return _nearest(torch.where(hits.cover >= 0.5, hits.depth, torch.inf))


def _shadows(on_background: Tensor, grid: PixelGrid, shadow: Tensor) -> Tensor:
    """The share of light that is left where things cast soft shadows on the background, (B, T, P)."""
    height, width = len(grid.y), len(grid.x)
    things = (~on_background).float().unflatten(-1, (height, width))  # (B, T, H, W)
    for _ in range(2):
        things = F.avg_pool2d(things, 5, stride=1, padding=2)
    # a position in the picture sees what is shifted away from it, in units of half the picture
    moved_x = 2 * (grid.x - shadow[:, :1]) / width  # (B, W)
    moved_y = 2 * (grid.y - shadow[:, 1:2]) / height  # (B, H)
    where = torch.stack(torch.broadcast_tensors(moved_x[:, None], moved_y[..., None]), -1)  # (B, H, W, 2)
    things = F.grid_sample(things, where, align_corners=False).flatten(-2)  # (B, T, P)
    return 1 - shadow[:, 2, None, None] * things * on_background


def _nearest_behind(hits: Hits, start: Tensor, front: Tensor, stride: int) -> Tensor:
    """The nearest layer but one that covers at least half a pixel; the front layer itself if there is none."""
    least = torch.full(front.shape, torch.inf, device=front.device)
    slot = front.clone()
    cover, depth = hits.cover.view(-1), hits.depth.view(-1)
    for i in range(hits.cover.shape[1]):
        here = start + i * stride
        nearer = (cover.index_select(0, here) >= 0.5) & (front != i)
        distance = torch.where(nearer, depth.index_select(0, here), torch.inf)
        slot.masked_fill_(distance < least, i)
        least = torch.minimum(least, distance)
    return slot


def _nearest(depth: Tensor) -> Tensor:
    """The slot of least depth, (B, L, T, P) -> (B, T, P); several times as fast as argmin over the second axis."""
    least = depth[:, 0].clone()
    slot = torch.zeros_like(least, dtype=torch.int64)
    for i in range(1, depth.shape[1]):
        slot.masked_fill_(depth[:, i] < least, i)
        torch.minimum(least, depth[:, i], out=least)
    return slot


def _paint_places(batch: RenderBatch, bank: TextureBank, hits: Hits, slot: Tensor, index: Tensor) -> Tensor:
    """Colours (3, R) of places given by slots (R,) and indices into flattened hits (R,)."""
    x, y, z, footprint, shade = (
        field.view(-1).index_select(0, index) for field in (hits.x, hits.y, hits.z, hits.footprint, hits.shade)
    )
    clips, slots = hits.cover.shape[:2]
    row = slot if clips == 1 else slot + index.div(hits.cover[0].numel(), rounding_mode="floor") * slots
    layers = batch.layers
    return paint(bank, batch.material, layers.half_size, layers.inventory, row, slot, (x, y, z), footprint, shade)


def _take(value: Tensor, slot: Tensor) -> Tensor:
    """(B, L, T, P) at slots (B, T, P)."""
    return value.gather(1, slot[:, None])[:, 0]


@dataclass(frozen=True)
class SurfacePoints:
    """Points fixed on surfaces.

    Args:
        slot: (B, N) int64
        place: (B, N, 3) surface coordinates
    """

    slot: Tensor
    place: Tensor

    def pick(self, index: Tensor) -> SurfacePoints:
        """Points index (B, n)."""
        return SurfacePoints(self.slot.gather(1, index), self.place.gather(1, index[..., None].expand(-1, -1, 3)))


def seen_points(batch: RenderBatch, outlines: Tensor, frame: Tensor, xy: Tensor) -> SurfacePoints:
    """What is seen at positions.

    Args:
        batch: B clips
        outlines: (count, S, S) signed distances
        frame: (B, M) int64
        xy: (B, M, 2) pixels from the middle of the frame
    """
    hits = cast_rays(batch.layers, batch.frames.at_frames(frame), outlines, Positions(xy[:, :, None]))  # (B, L, M, 1)
    slot = _nearest(torch.where(hits.cover >= 0.5, hits.depth, torch.inf))  # (B, M, 1)
    place = torch.cat([_take(value, slot) for value in (hits.x, hits.y, hits.z)], -1)  # (B, M, 3)
    return SurfacePoints(slot[..., 0], place)


def follow(batch: RenderBatch, points: SurfacePoints) -> tuple[Tensor, Tensor]:
    """Where points are in all frames.

    Args:
        batch: B clips at T times
        points: N of them

    Returns:
        (B, T, N, 2) pixels from the middle of the frame, and (B, T, N) depth
    """
    frames, inventory = batch.frames, batch.layers.inventory
    on_plane = points.slot < inventory.planes  # (B, N)
    phase = [value[..., None] for value in _of_slot(frames.phase, points.slot).unbind(-1)]  # (B, N, T, 1) each
    wave, bend = (
        [value[..., None, None] for value in _of_slot(table, points.slot).flatten(2).unbind(-1)]  # (B, N, 1, 1) each
        for table in (batch.layers.wave, batch.layers.bend)
    )
    steps = frames.focal.shape[1]
    x, y, z = (points.place[..., i, None, None].expand(-1, -1, steps, 1) for i in range(3))
    flat_x, flat_y = x, y
    for _ in range(_UNBENDING_STEPS):
        shift_x, shift_y = bend_planes(flat_x, flat_y, wave, bend, phase)
        flat_x, flat_y = x - shift_x, y - shift_y
    bent = on_plane[..., None, None]
    place = torch.stack([torch.where(bent, flat_x, x)[..., 0], torch.where(bent, flat_y, y)[..., 0], z[..., 0]], -1)
    a, b = _of_slot(frames.a, points.slot), _of_slot(frames.b, points.slot)  # (B, N, T, 3, 3)
    # no matrix product: on a GPU it may be set to lower precision
    camera = (a * place[..., None, :]).sum(-1) + b  # (B, N, T, 3)
    focal = frames.focal[:, None]
    depth = camera[..., 2]
    scale = focal / torch.maximum(depth, 0.01 * focal)
    return (camera[..., :2] * scale[..., None]).transpose(1, 2), depth.transpose(1, 2)


def visible_points(
    batch: RenderBatch, outlines: Tensor, points: SurfacePoints, xy: Tensor, depth: Tensor, size_px: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Whether points are in the frame, on the near side of their surface and behind no other.

    Args:
        batch: B clips at T times
        outlines: (count, S, S) signed distances
        points: N of them
        xy: (B, T, N, 2) pixels from the middle of the frame
        depth: (B, T, N)
        size_px: (width, height)

    Returns:
        visible, and in the frame but hidden, (B, T, N) bool each
    """
    hits = cast_rays(batch.layers, batch.frames, outlines, Positions(xy))
    own = points.slot[:, None, None]  # (B, 1, 1, N)
    slots = torch.arange(batch.layers.inventory.layers, device=xy.device)[:, None, None]
    hidden = ((hits.cover >= 0.5) & (hits.depth < depth[:, None]) & (slots != own)).any(1)
    width, height = size_px
    inside = (xy[..., 0].abs() <= (width - 1) / 2) & (xy[..., 1].abs() <= (height - 1) / 2)
    on_surface = _take(hits.cover, own[:, 0].expand(-1, xy.shape[1], -1)) >= 0.5
    in_front = depth > NEAREST * batch.frames.focal[..., None]
    visible = inside & in_front & on_surface & ~hidden & _facing(batch, points)
    return visible, inside & in_front & ~visible


def _facing(batch: RenderBatch, points: SurfacePoints) -> Tensor:
    """Whether the camera is on the outer side of the surface at points, (B, T, N)."""
    inventory = batch.layers.inventory
    eye = _of_slot(batch.frames.eye, points.slot).transpose(1, 2)  # (B, T, N, 3)
    place = points.place[:, None]  # (B, 1, N, 3)
    on_ball = (place * eye).sum(-1) > 1
    size = place.abs()
    axis = size.argmax(-1, keepdim=True)
    beyond = (place.gather(-1, axis).sign() * eye.gather(-1, axis.expand(-1, eye.shape[1], -1, -1)))[..., 0]
    slot = points.slot[:, None]
    first_box = inventory.planes + inventory.ellipsoids
    in_room = _of_slot(batch.layers.endless, points.slot)[:, None]
    facing = torch.where(slot < first_box, on_ball, torch.where(in_room, beyond < 1, beyond > 1))
    return facing | (slot < inventory.planes)


def _of_slot(value: Tensor, slot: Tensor) -> Tensor:
    """Rows of (B, L, ...) at slots (B, N)."""
    index = slot.reshape(*slot.shape, *[1] * (value.ndim - 2)).expand(*slot.shape, *value.shape[2:])
    return value.gather(1, index)
