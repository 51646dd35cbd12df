"""From random numbers to pictures and tracks: what one call of the renderer does.

Everything small (scenes, poses, effects) is computed on the CPU for all clips at once;
clips are then rendered in groups that fit the device's memory and caches.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from .draws import Draws
from .effects import EFFECT_COLUMNS, EffectFlags, EffectTables, apply_effects, draw_effect_flags, draw_look
from .rendering.hits import NEAREST
from .rendering.rays import PixelGrid
from .rendering.rendering import RenderBatch, follow, gather_clips, render, seen_points, seen_slots, visible_points
from .rendering.shading import TextureBank
from .scenes.scene import Frames, Inventory, Scene
from .scenes.scene_sampling import CONTENTS_COLUMNS, REFERENCE_AREA, draw_contents, draw_scene
from .tensor_trees import select_clips, to_device

if TYPE_CHECKING:
    from .config import SyntheticConfig

BLUR_SAMPLES = 6
CANDIDATES = 3  # positions looked at for every point that is wanted
_HOST_COLUMNS = CONTENTS_COLUMNS + EFFECT_COLUMNS
_SCENE_COLUMNS = 1200  # random numbers per clip, and
_LAYER_COLUMNS = 150  # per flat layer, and
_POINT_COLUMNS = 5  # per candidate
_LONGEST_BLUR = 1.5  # frames of usual video: those of a pair are not neighbours
# what makes a candidate worth following
_FOREGROUND, _HIDDEN_AT_TIMES, _SEEN_IN_BOTH = 0.45, 0.5, 2.0
_SEEN = 8.0


def table_columns(config: SyntheticConfig) -> int:
    """How many random numbers a clip takes."""
    scene = _SCENE_COLUMNS + _LAYER_COLUMNS * (config.max_layers + 1)
    return _HOST_COLUMNS + scene + _POINT_COLUMNS * CANDIDATES * config.num_points


@dataclass(frozen=True)
class RenderAssets:
    """What all clips share.

    Args:
        device: to render on
        bank: textures
        outlines: (count, S, S)
        tables: that effects read; these three are on the device
        rays_at_once: pixels x layers rendered together
        only_near: see `PixelGrid`
    """

    device: torch.device
    bank: TextureBank
    outlines: Tensor
    tables: EffectTables
    rays_at_once: int
    only_near: bool | None = None


@dataclass(frozen=True)
class Picks:
    """Where points are looked for.

    Args:
        frame: (B, M) int64
        place: (B, M, 2) in the unit square
        score: (B, M) random
        wants_first: (B, M) bool, whether the query is to be the first visible frame
    """

    frame: Tensor
    place: Tensor
    score: Tensor
    wants_first: Tensor


@dataclass(frozen=True)
class Followed:
    """Surface points and what becomes of them.

    Args:
        xy: (b, T, M, 2) pixels
        visible: (b, T, M) bool
        hidden: (b, T, M) bool, in the picture but not visible
        slot: (b, M) int64, on which surface
        background: (b, M) bool, whether that is the background
    """

    xy: Tensor
    visible: Tensor
    hidden: Tensor
    slot: Tensor
    background: Tensor


def draw_picks(draws: Draws, config: SyntheticConfig, scene: Scene, frames: Frames, pairs: bool) -> Picks:
    """Random candidates; those at i, i + N, i + 2 N, ... compete for point i.

    The last of them are aimed at things, which may be small and thin; the others
    are anywhere in the picture.
    """
    number, count = config.num_points, CANDIDATES * config.num_points
    frame = draws.whole(frames.focal.shape[1], number)
    wants_first = draws.chance(config.first_share, number)
    if pairs:
        frame = torch.zeros_like(frame)
    place, score = draws.unit(count, 2).clone(), draws.unit(count)
    target, direction = draws.whole(scene.inventory.layers, number), draws.normal(number, 3)
    direction = direction / direction.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    aimed, hit = aim(scene, frames, frame, target, direction, (config.width, config.height))
    place[:, -number:] = torch.where(hit[..., None], aimed, place[:, -number:])
    return Picks(frame.repeat(1, CANDIDATES), place, score, wants_first.repeat(1, CANDIDATES))


def aim(
    scene: Scene, frames: Frames, frame: Tensor, slot: Tensor, direction: Tensor, size_px: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Places in the picture where things are.

    Args:
        scene: B clips
        frames: of the same clips
        frame: (B, N) int64
        slot: (B, N) int64
        direction: (B, N, 3) from the middle of the thing, of length 1
        size_px: (width, height)

    Returns:
        (B, N, 2) in the unit square, and (B, N) whether there is such a thing in the picture
    """
    clip = torch.arange(len(slot))[:, None]
    planes = scene.inventory.planes
    half = scene.planes.half_size[clip, slot.clamp(max=planes - 1)]  # (B, N, 2)
    flat = F.pad(half * direction[..., :2], (0, 1))
    point = torch.where((slot < planes)[..., None], flat, direction)
    camera = (frames.a[clip, slot, frame] @ point[..., None])[..., 0] + frames.b[clip, slot, frame]
    focal = frames.focal[clip, frame]
    size = torch.tensor(size_px) - 1
    xy = camera[..., :2] * (focal / camera[..., 2])[..., None] / size + 0.5
    inside = ((xy > 0) & (xy < 1)).all(-1) & (camera[..., 2] > NEAREST * focal)
    return xy, inside & scene.present[clip, slot]


class ClipBuilder:
    """The clips of one call.

    Args:
        config: what they look like
        assets: to render them with
        table: (B, table_columns(config)) uniform random numbers, on the CPU
        times: (B, T) of the frames, on the CPU
        pairs: whether points are to be seen in both of two frames
    """

    def __init__(
        self, config: SyntheticConfig, assets: RenderAssets, table: Tensor, times: Tensor, *, pairs: bool = False
    ) -> None:
        self.config, self.assets, self.times, self.pairs = config, assets, times, pairs
        self.contents = draw_contents(table[:, :CONTENTS_COLUMNS], config)
        self.effect_flags = draw_effect_flags(table[:, CONTENTS_COLUMNS:_HOST_COLUMNS], config)
        draws = Draws(table[:, _HOST_COLUMNS:])
        self.size_px = (config.width, config.height)
        self.scene = draw_scene(draws, self.contents, config, times, self.size_px, config.motion)
        scale = (config.width * config.height / REFERENCE_AREA) ** 0.5
        self.look = draw_look(draws, config, self.scene.camera.position.anchor, scale)
        self.frames = self.scene.at(times)
        self.picks = draw_picks(draws, config, self.scene, self.frames, pairs)

    @property
    def clips(self) -> list[int]:
        return list(range(len(self.times)))

    def inventory(self, clips: list[int]) -> Inventory:
        """Slots that any of the clips uses."""
        chosen = [self.contents.inventories[i] for i in clips]
        return Inventory(*(max(getattr(item, f.name) for item in chosen) for f in fields(Inventory)))

    def render_batch(self, clips: list[int], frames: Frames | None = None) -> RenderBatch:
        """Some clips, on the device, at the times of their frames or at those of other ones."""
        index = torch.tensor(clips)
        batch = gather_clips(self.scene, frames or self.frames, self.inventory(clips), index)
        return to_device(batch, self.assets.device)

    def groups(self) -> list[list[int]]:
        """Clips that are rendered together: with the same effects, and of like inventories."""
        pixels = self.config.height * self.config.width * self.times.shape[1]

        def flags_of(i: int) -> tuple[bool, ...]:
            return tuple(getattr(self.effect_flags, f.name)[i] for f in fields(EffectFlags))

        def order(i: int) -> tuple:
            item = self.contents.inventories[i]
            return flags_of(i), item.ellipsoids, item.boxes, item.planes

        groups: list[list[int]] = []
        for i in sorted(self.clips, key=order):
            joined = [*groups[-1], i] if groups else [i]
            samples = BLUR_SAMPLES if self.effect_flags.motion_blur[i] else 1
            rays = self.inventory(joined).layers * pixels * samples * len(joined)
            if len(joined) > 1 and flags_of(joined[0]) == flags_of(i) and rays <= self.assets.rays_at_once:
                groups[-1] = joined
            else:
                groups.append([i])
        return groups

    def video(self) -> Tensor:
        """Pictures of all clips, (B, T, 3, H, W) uint8."""
        config, device = self.config, self.assets.device
        video = torch.empty(*self.times.shape, 3, config.height, config.width, dtype=torch.uint8, device=device)
        grid = PixelGrid(config.height, config.width, device, self.assets.only_near)
        for clips in self.groups():
            index = to_device(torch.tensor(clips), device)
            video.index_copy_(0, index, self._render(clips, grid))
        return video

    def _render(self, clips: list[int], grid: PixelGrid) -> Tensor:
        """Pictures of clips that get the same effects, (b, T, 3, H, W) uint8."""
        config, assets, first = self.config, self.assets, clips[0]
        samples = BLUR_SAMPLES if self.effect_flags.motion_blur[first] else 1
        batch = self.render_batch(clips, self.scene.at(self._moments(samples)) if samples > 1 else None)
        rays = config.height * config.width * batch.layers.inventory.layers * len(clips) * samples
        steps = max(1, assets.rays_at_once // rays)
        look = to_device(select_clips(self.look, torch.tensor(clips)), assets.device)
        shadow = look.shadow if self.effect_flags.shadow[first] else None
        parts = []
        for start in range(0, self.times.shape[1], steps):
            frames = batch.frames.part(start * samples, (start + steps) * samples)
            colour = render(replace(batch, frames=frames), assets.bank, assets.outlines, grid, shadow)
            parts.append(colour.unflatten(2, (-1, samples)).mean(3) if samples > 1 else colour)
        video = torch.cat(parts, 2).unflatten(-1, (config.height, config.width))  # (3, b, T, H, W)
        times = to_device(self.times[clips], assets.device)
        flags = {name: getattr(self.effect_flags, name)[first] for name in ("defocus", "sharpening", "compression")}
        return apply_effects(video, look, times, assets.tables, **flags)

    def _moments(self, samples: int) -> Tensor:
        """Times within the opening of the shutter around every frame, (B, T * samples)."""
        times = self.times
        step = (times[:, -1:] - times[:, :1]) / max(times.shape[1] - 1, 1)
        opening = step.clamp(max=_LONGEST_BLUR) * self.look.shutter[:, None]  # (B, 1)
        between = torch.linspace(-0.5, 0.5, samples)
        return (times[..., None] + opening[..., None] * between).flatten(1)

    def tracks(self) -> tuple[Tensor, Tensor, Tensor]:
        """Positions (B, T, N, 2), visibility (B, T, N) and query frames (B, N) of all clips."""
        points = CANDIDATES * self.config.num_points * self.times.shape[1]
        at_once = max(1, self.assets.rays_at_once // (points * self.inventory(self.clips).layers))
        parts = [self._tracks(self.clips[start : start + at_once]) for start in range(0, len(self.clips), at_once)]
        xy, visible, query_t = (torch.cat(part) for part in zip(*parts, strict=True))
        return xy, visible, query_t

    def follow_points(self, clips: list[int], frame: Tensor, xy: Tensor) -> Followed:
        """The surface points that are seen at given positions.

        Args:
            clips: indices of b clips
            frame: (b, M) int64, on the device
            xy: (b, M, 2) pixels
        """
        batch, outlines = self.render_batch(clips), self.assets.outlines
        points = seen_points(batch, outlines, frame, self._shifted(xy, -1))
        middle, depth = follow(batch, points)
        visible, hidden = visible_points(batch, outlines, points, middle, depth, self.size_px)
        return Followed(self._shifted(middle, 1), visible, hidden, points.slot, batch.is_background(points.slot))

    def slot_map(self, clips: list[int], frame: int) -> Tensor:
        """Which surface every pixel of a frame shows, (b, H, W) int64."""
        batch = self.render_batch(clips)
        batch = replace(batch, frames=batch.frames.part(frame, frame + 1))
        grid = PixelGrid(self.config.height, self.config.width, self.assets.device, self.assets.only_near)
        slots = seen_slots(batch, self.assets.outlines, grid)[:, 0]
        return slots.unflatten(-1, (self.config.height, self.config.width))

    def _shifted(self, xy: Tensor, sign: int) -> Tensor:
        """From pixels counted from the corner to those counted from the middle (sign -1), or back (1)."""
        x, y = xy.unbind(-1)
        return torch.stack([x + sign * (self.size_px[0] - 1) / 2, y + sign * (self.size_px[1] - 1) / 2], -1)

    def _tracks(self, clips: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        """The best candidates of some clips."""
        picks = to_device(select_clips(self.picks, torch.tensor(clips)), self.assets.device)
        x, y = picks.place.unbind(-1)
        place = torch.stack([x * (self.size_px[0] - 1), y * (self.size_px[1] - 1)], -1)
        found = self.follow_points(clips, picks.frame, place)
        value = picks.score + _FOREGROUND * ~found.background
        # what was picked is visible in its frame, up to rounding on an outline
        value = value + _SEEN * found.visible.gather(1, picks.frame[:, None])[:, 0]
        value = value + (_SEEN_IN_BOTH * found.visible.all(1) if self.pairs else _HIDDEN_AT_TIMES * found.hidden.any(1))
        number = torch.arange(self.config.num_points, device=value.device)
        chosen = value.unflatten(1, (CANDIDATES, -1)).argmax(1) * self.config.num_points + number  # (b, N)
        wide = chosen[:, None].expand(-1, self.times.shape[1], -1)  # (b, T, N)
        visible = found.visible.gather(2, wide)
        first = visible.to(torch.uint8).argmax(1)  # the first frame of all in which it is visible
        query_t = torch.where(picks.wants_first.gather(1, chosen), first, picks.frame.gather(1, chosen))
        return found.xy.gather(2, wide[..., None].expand(-1, -1, -1, 2)), visible, query_t
