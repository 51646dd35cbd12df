"""Random scenes: the only place that says how things look and move on average.

Adding a kind of surface or motion: draw its parameters at the end of `draw_scene`
(so that older numbers keep their place) and add it to `scene.Scene.at`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..draws import Draws
from .articulated_figure import FIGURE_LIMBS, draw_articulated_figure
from .motion import Path, Poses, draw_path, draw_swing, zero_path
from .scene import Camera, Inventory, Material, Planes, Scene, Solids

if TYPE_CHECKING:
    from ..config import SyntheticConfig

ELASTIC_WAVES = 3
MAX_BALLS, MAX_BOXES = 1, 2
REFERENCE_AREA = 96 * 128  # sizes and speeds below are meant for frames of this area


@dataclass(frozen=True)
class SceneContents:
    """What each of B clips consists of, known to the host.

    Args:
        inventories: slots in use
        has_room, has_floor, has_figure: B flags
        layers: flat layers in front of the background
        balls, boxes: counts
    """

    inventories: list[Inventory]
    has_room: list[bool]
    has_floor: list[bool]
    has_figure: list[bool]
    layers: list[int]
    balls: list[int]
    boxes: list[int]


CONTENTS_COLUMNS = 8


def draw_contents(table: Tensor, config: SyntheticConfig) -> SceneContents:
    """Decides what clips consist of.

    Args:
        table: (B, CONTENTS_COLUMNS) uniform numbers, on the CPU
        config: probabilities
    """
    contents = SceneContents([], [], [], [], [], [], [])
    for row in table.tolist():
        room, floor, figure = row[0] < config.room, row[1] < config.floor, row[2] < config.figure
        objects = 1 + int(row[3] * config.max_layers)
        balls = int(row[4] < config.ball)
        boxes = int(row[5] < config.box) + int(row[5] < config.box / 3)
        layers = max(objects - int(figure) - balls - boxes, 0)
        floor = floor and not room and layers > 0
        contents.has_room.append(room)
        contents.has_floor.append(floor)
        contents.has_figure.append(figure)
        contents.layers.append(layers)
        contents.balls.append(balls)
        contents.boxes.append(boxes)
        ellipsoids = MAX_BALLS + FIGURE_LIMBS if figure else balls
        contents.inventories.append(Inventory(1 + layers, ellipsoids, int(room) + boxes, room))
    return contents


@dataclass(frozen=True)
class Setting:
    """What all parts of a scene need to know.

    Args:
        times: (B, T) of the frames
        anchor: (B,) time at which everything is at its place
        duration: (B,) of the clip
        focal: (B,) pixels
        size: (2,) width and height
        scale: of sizes and speeds, 1 for frames of 128 x 96
        motion: strength of all motion
    """

    times: Tensor
    anchor: Tensor
    duration: Tensor
    focal: Tensor
    size: Tensor
    scale: float
    motion: float


def draw_scene(
    draws: Draws,
    contents: SceneContents,
    config: SyntheticConfig,
    times: Tensor,
    size_px: tuple[int, int],
    motion: float,
) -> Scene:
    """A random scene for every clip.

    Args:
        draws: the random numbers
        contents: what each clip consists of
        config: probabilities
        times: (B, T) of the frames
        size_px: (width, height)
        motion: strength of all motion, 1 = normal
    """
    width, height = size_px

    def flags(values: list[bool] | list[int]) -> Tensor:
        return torch.tensor(values)

    duration = times.amax(1) - times.amin(1)
    setting = Setting(
        times=times,
        anchor=times.amin(1) + draws.unit() * duration,
        duration=duration.clamp(min=4),
        focal=draws.log_uniform(0.8, 2.2) * width,
        size=torch.tensor([width, height], dtype=torch.float32),
        scale=math.sqrt(width * height / REFERENCE_AREA),
        motion=motion,
    )
    has_room, has_figure = flags(contents.has_room), flags(contents.has_figure)
    camera = _draw_camera(draws, setting, has_room, config)
    planes = _draw_planes(draws, setting, config, camera, flags(contents.layers), flags(contents.has_floor), has_room)
    balls = _draw_solids(draws, setting, MAX_BALLS, flags(contents.balls))
    figure = draw_articulated_figure(
        draws, setting.anchor, setting.focal, setting.size / 2, setting.scale, motion, has_figure
    )
    boxes = _draw_boxes(draws, setting, camera, has_room, flags(contents.boxes))
    followed = _draw_followed(draws, config, planes.present.shape[1], boxes.present.shape[1], has_room)
    light_turn = draw_path(draws, 1, 3, setting.anchor, 0.03 * draws.chance(config.lighting, 1, 1))
    light_angles = torch.stack([math.pi + draws.normal(1) * 0.6, draws.normal(1) * 0.6, draws.angle(1)], -1)
    still = zero_path(light_angles, setting.anchor)
    light = Poses(torch.zeros_like(light_angles), still, light_angles, light_turn)
    material = _draw_material(draws, setting, config, followed.shape[1], planes.present.shape[1])
    return Scene(camera, planes, balls, figure, boxes, has_room, followed, light, material)


def _draw_camera(draws: Draws, setting: Setting, has_room: Tensor, config: SyntheticConfig) -> Camera:
    anchor, scale, motion = setting.anchor, setting.scale, setting.motion
    speed = draws.log_normal(0.9, 1, 1) * 0.8 * scale * motion
    # in a room the camera turns more and walks less
    speed = speed * torch.where(has_room, 0.5, 1.0)[:, None, None] * torch.tensor([1.0, 0.6, 0.7])
    position = draw_path(draws, 1, 3, anchor, speed)
    period = setting.duration * draws.uniform(0.6, 1.8)
    # no pan may be so fast that nothing is seen twice
    reach = torch.minimum(draws.uniform(0.25, 0.95), 0.03 * motion * period) * draws.chance(config.fast_pan)
    upright = torch.where(draws.chance(0.25), 1.0, 0.2)
    share = torch.stack([torch.ones_like(upright), upright], -1)[:, None]  # (B, 1, 2)
    pan_size = share * (reach[:, None] * setting.size)[:, None]  # (B, 1, 2) pixels
    walk = torch.where(has_room, 0.0, 1.0)[:, None, None]
    pan = draw_swing(draws, 1, 2, anchor, pan_size * walk, period[:, None, None])
    # turning about y moves the picture along x
    turned = torch.atan(pan_size.flip(-1) * (1 - walk) / setting.focal[:, None, None])
    pan_angles = draw_swing(draws, 1, 3, anchor, torch.nn.functional.pad(turned, (0, 1)), period[:, None, None])
    strength = draws.log_normal(0.8, 1, 3) * motion
    angles = draw_path(draws, 1, 3, anchor, strength * torch.tensor([0.003, 0.003, 0.007]))
    zoom = draw_path(draws, 1, 1, anchor, draws.log_normal(0.8, 1, 1) * 0.007 * motion)
    return Camera(setting.focal, position, pan, angles, pan_angles, zoom)


def _draw_planes(
    draws: Draws,
    setting: Setting,
    config: SyntheticConfig,
    camera: Camera,
    layers: Tensor,
    has_floor: Tensor,
    has_room: Tensor,
) -> Planes:
    """The background in slot 0, the floor in slot 1 if there is one, layers after it."""
    count = 1 + config.max_layers
    anchor, focal, scale, motion = setting.anchor, setting.focal, setting.scale, setting.motion
    slot = torch.arange(count)
    back, floor = slot == 0, (slot == 1) & has_floor[:, None]  # (P,), (B, P)
    depth = torch.where(back, draws.uniform(1.0, 1.6, count), draws.uniform(0.4, 0.95, count))  # of the focal length
    place = draws.uniform(-0.5, 0.5, count, 2) * setting.size * depth[..., None]
    floor_y = draws.uniform(0.2, 0.7) * setting.size[1]
    place = torch.where(floor[..., None], torch.stack([0 * floor_y, floor_y], -1)[:, None], place)
    place = torch.where(back[:, None], 0.0, place)
    centre = torch.cat([place, (depth * focal[:, None])[..., None]], -1)

    moves = draws.chance(0.85, count, 1) & ~back[:, None] & ~floor[..., None]
    fast = torch.where(draws.chance(config.fast_layer, count, 1), 3.0, 1.0)
    speed = draws.log_normal(0.9, count, 1) * 1.1 * scale * motion * fast * moves * depth[..., None]
    drift = draw_path(draws, count, 3, anchor, speed * torch.tensor([1.0, 1.0, 0.35]))

    activity = draws.log_normal(0.8, count, 1) * draws.chance(0.8, count, 1) * motion
    turn = draw_path(draws, count, 3, anchor, activity * torch.tensor([0.018, 0.018, 0.02]) * moves)
    tilt = _draw_tilts(draws, setting, camera, back, floor)
    angles = torch.cat([tilt, draws.angle(count, 1)], -1)
    limit = draws.uniform(0.4, 1.2, count)

    half = draws.log_uniform(7, 52, count) * scale * depth
    aspect = torch.exp(draws.uniform(-0.6, 0.6, count))
    half_size = torch.stack([half * aspect, half / aspect], -1)
    outline = draws.whole(config.outline_count, count)
    stretch = draw_path(draws, count, 3, anchor, activity * torch.tensor([0.012, 0.012, 0.01]) * moves)

    wave, bend, phase_speed = _draw_bending(draws, setting, config, depth)
    present = slot <= layers[:, None]
    present = torch.where(back, ~has_room[:, None], present)
    return Planes(
        poses=Poses(centre, drift, angles, turn, limit),
        present=present,
        endless=back | floor,
        half_size=half_size,
        outline=outline,
        stretch=stretch,
        wave=wave,
        bend=bend,
        phase=draws.angle(count, ELASTIC_WAVES),
        phase_path=draw_path(draws, count, ELASTIC_WAVES, anchor, phase_speed),
    )


def _draw_tilts(draws: Draws, setting: Setting, camera: Camera, back: Tensor, floor: Tensor) -> Tensor:
    """Angles about x and y (B, P, 2); those of the background small enough that the camera never passes through it."""
    position, _, _ = camera.at(setting.times)
    walk = position[..., :2].abs().amax((1, 2))  # (B,)
    limit = torch.atan(0.3 * setting.focal / walk.clamp(min=1)).clamp(max=0.45)
    back_tilt = draws.uniform(-1, 1, 2) * limit[:, None] * 0.35
    tilt = torch.where(back[:, None], back_tilt[:, None], draws.normal(len(back), 2) * 0.35).clamp(-1.1, 1.1)
    floor_tilt = torch.stack([math.pi / 2 - draws.uniform(0.0, 0.25), draws.normal() * 0.1], -1)[:, None]
    return torch.where(floor[..., None], floor_tilt, tilt)


def _draw_bending(
    draws: Draws, setting: Setting, config: SyntheticConfig, depth: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Waves (B, P, K, 2) and shifts (B, P, K, 2) of the bending of layers, and how fast waves run (B, P, 1)."""
    count = depth.shape[1]
    length = draws.log_uniform(18, 110, count, ELASTIC_WAVES) * setting.scale * depth[..., None]
    direction, bent = draws.angle(count, ELASTIC_WAVES), draws.angle(count, ELASTIC_WAVES)
    # the sum of all waves changes positions by less than half of what they differ: it can be undone
    size = draws.unit(count, ELASTIC_WAVES) * length / (2 * math.pi) * 0.16
    size = size * draws.chance(config.non_rigid, count, 1)
    speed = 0.3 * setting.motion * draws.log_normal(0.5, count, 1)
    return _unit(direction) * (2 * math.pi / length)[..., None], _unit(bent) * size[..., None], speed


def _draw_solids(draws: Draws, setting: Setting, count: int, used: Tensor) -> Solids:
    """Things that float and turn."""
    anchor, focal, scale, motion = setting.anchor, setting.focal, setting.scale, setting.motion
    depth = draws.uniform(0.45, 0.9, count)
    place = draws.uniform(-0.45, 0.45, count, 2) * setting.size * depth[..., None]
    centre = torch.cat([place, (depth * focal[:, None])[..., None]], -1)
    radii = (draws.log_uniform(7, 30, count) * scale * depth)[..., None] * torch.exp(draws.uniform(-0.5, 0.5, count, 3))
    speed = draws.log_normal(0.9, count, 1) * 1.1 * scale * motion * depth[..., None]
    drift = draw_path(draws, count, 3, anchor, speed * torch.tensor([1.0, 1.0, 0.35]))
    turn = draw_path(draws, count, 3, anchor, 0.05 * motion * draws.log_normal(0.7, count, 1))
    present = torch.arange(count) < used[:, None]
    return Solids(Poses(centre, drift, draws.angle(count, 3), turn), radii, present)


def _draw_boxes(draws: Draws, setting: Setting, camera: Camera, has_room: Tensor, used: Tensor) -> Solids:
    """Boxes; where there is a room it takes the first slot."""
    count = MAX_BOXES + 1
    boxes = _draw_solids(draws, setting, count, used + has_room)
    position, _, _ = camera.at(setting.times)
    walk = position.abs().amax(1)  # (B, 3)
    size = torch.cat([setting.size.expand(len(walk), 2), setting.focal[:, None]], 1)
    room = draws.uniform(0.5, 1.1, 3) * size * torch.tensor([0.8, 0.8, 1.3]) + 1.3 * walk
    # the camera stays inside; things are drawn wherever they are nearer than the wall
    is_room = has_room[:, None] & (torch.arange(count, device=walk.device) == 0)
    upright = torch.cat([draws.normal(1, 2) * 0.03, torch.zeros_like(walk[:, None, :1])], -1)

    def unless_room(value: Tensor, other: Tensor | float = 0.0) -> Tensor:
        flag = is_room.reshape(*is_room.shape, *[1] * (value.ndim - 2))
        return torch.where(flag, other, value)

    poses = boxes.poses
    drift = Path(
        unless_room(poses.drift.velocity),
        unless_room(poses.drift.amplitude),
        poses.drift.rate,
        poses.drift.phase,
        poses.drift.anchor,
    )
    turn = Path(
        unless_room(poses.turn.velocity),
        unless_room(poses.turn.amplitude),
        poses.turn.rate,
        poses.turn.phase,
        poses.turn.anchor,
    )
    poses = Poses(unless_room(poses.centre), drift, unless_room(poses.angles, upright), turn)
    return Solids(poses, unless_room(boxes.radii, room[:, None]), boxes.present)


def _draw_followed(draws: Draws, config: SyntheticConfig, planes: int, boxes: int, has_room: Tensor) -> Tensor:
    """Which surfaces the camera keeps in view while it pans, (B, L)."""
    layers = draws.chance(0.5, planes - 1) | (torch.arange(planes - 1, device=has_room.device) == 0)
    still = torch.zeros_like(layers[:, :1])
    # all limbs of a figure go together, and figures are what cameras follow
    figure = draws.chance(0.8, 1).expand(-1, FIGURE_LIMBS)
    others = draws.chance(0.4, MAX_BALLS + boxes)
    followed = torch.cat([still, layers, others[:, :MAX_BALLS], figure, others[:, MAX_BALLS:]], 1)
    return (followed & draws.chance(config.tracking_shot, 1)).float()


def _draw_material(draws: Draws, setting: Setting, config: SyntheticConfig, count: int, planes: int) -> Material:
    figure = torch.arange(count, device=setting.focal.device)
    first = planes + MAX_BALLS
    figure = (figure >= first) & (figure < first + FIGURE_LIMBS)
    shared = figure & draws.chance(0.7, 1)  # one fur for all limbs

    def same_on_figure(value: Tensor) -> Tensor:
        flag = shared.reshape(*shared.shape, *[1] * (value.ndim - 2))
        return torch.where(flag, value[:, first : first + 1], value)

    texels = torch.exp(draws.uniform(-0.55, 0.4, count)) * config.texture_scale / math.sqrt(setting.scale)
    gain = draws.uniform(0.7, 1.3, count, 3) * draws.uniform(0.6, 1.25, count, 1)
    plain = draws.chance(config.low_texture, count)
    contrast = torch.where(plain, draws.log_uniform(0.03, 0.3, count), draws.log_uniform(0.5, 1.2, count))
    texture, tint = draws.whole(config.texture_count, count), draws.normal(count, 3) * 0.06
    diffuse = draws.uniform(0.1, 0.65, count) * draws.chance(config.shading, 1)
    alike = draws.chance(config.camouflage, 1)  # everything looks like the background

    def shared_look(value: Tensor) -> Tensor:
        flag = alike.reshape(-1, *[1] * (value.ndim - 1))
        return torch.where(flag, value[:, :1], same_on_figure(value))

    return Material(
        texture=shared_look(texture),
        texels=same_on_figure(texels),
        offset=draws.unit(count, 2) * config.texture_size,
        gain=shared_look(gain),
        tint=shared_look(tint),
        contrast=shared_look(contrast),
        diffuse=same_on_figure(diffuse),
    )


def _unit(angle: Tensor) -> Tensor:
    return torch.stack([angle.cos(), angle.sin()], -1)
