"""What is in a clip: a camera, and surfaces in three dimensions that move.

World units are pixels: at depth `focal` a unit is one pixel wide. The camera looks
along +z from the origin at the anchor time of its path; x is right, y is down.

Every surface has its own frame: its point m lies at `a m + b` in camera coordinates.
A plane is z = 0 of its frame (seen from both sides, with an outline, and bent
within itself), an ellipsoid is the unit sphere, a box is [-1, 1]^3, and the room is
a box seen from inside. Slots of a clip, in this order:

    planes       the background, then layers; the first layer may be an endless floor
    ellipsoids   a ball, then the limbs of a figure
    boxes        the room if there is one, then boxes
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from .articulated_figure import ArticulatedFigure
from .motion import Path, Poses, rotation, soft_limit

_REACH_Z = 0.25  # of the focal length: how far the camera moves forward or back
_ANGLE_LIMIT = 0.3  # radians the camera turns besides its pans
_ZOOM_LIMIT = 0.6  # of the logarithm of the focal length


@dataclass(frozen=True)
class Inventory:
    """How many slots of each kind there are.

    Args:
        planes, ellipsoids, boxes: slots, the background, the ball and the room included
        room: whether the first box may be a room
    """

    planes: int
    ellipsoids: int
    boxes: int
    room: bool = True

    @property
    def layers(self) -> int:
        return self.planes + self.ellipsoids + self.boxes

    def slots_within(self, whole: Inventory) -> list[int]:
        """Where the slots of this inventory are among those of a larger one."""
        starts = (0, whole.planes, whole.planes + whole.ellipsoids)
        counts = (self.planes, self.ellipsoids, self.boxes)
        return [start + i for start, count in zip(starts, counts, strict=True) for i in range(count)]


@dataclass(frozen=True)
class Camera:
    """The camera of each clip.

    Args:
        focal: (B,) pixels
        position: slow motion of the camera
        pan: fast motion there and back, along x and y
        angles: slow turns
        pan_angles: fast turns there and back
        zoom: of the logarithm of the focal length
    """

    focal: Tensor
    position: Path
    pan: Path
    angles: Path
    pan_angles: Path
    zoom: Path

    def at(self, times: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Position (B, T, 3), world-to-camera rotation (B, T, 3, 3) and focal length (B, T) at times (B, T)."""
        slow, fast = self.position.at(times)[:, 0], self.pan.at(times)[:, 0]
        forward = soft_limit(slow[..., 2:], _REACH_Z * self.focal[:, None, None])
        position = torch.cat([slow[..., :2] + fast, forward], -1)
        angles = soft_limit(self.angles.at(times)[:, 0], _ANGLE_LIMIT) + self.pan_angles.at(times)[:, 0]
        focal = self.focal[:, None] * torch.exp(soft_limit(self.zoom.at(times)[:, 0, :, 0], _ZOOM_LIMIT))
        return position, rotation(angles).transpose(-1, -2), focal


@dataclass(frozen=True)
class Planes:
    """Flat layers, all (B, P, ...).

    Args:
        poses: rigid motion
        present: (B, P) bool
        endless: (B, P) bool: without outline
        half_size: (B, P, 2) units
        outline: (B, P) int64, which one
        stretch: paths of the logarithms of both sides and of the shear, limited
        wave: (B, P, K, 2) radians per unit, and
        bend: (B, P, K, 2) units: of the bending within the layer
        phase: (B, P, K) radians at the anchor, and
        phase_path: its motion
    """

    poses: Poses
    present: Tensor
    endless: Tensor
    half_size: Tensor
    outline: Tensor
    stretch: Path
    wave: Tensor
    bend: Tensor
    phase: Tensor
    phase_path: Path

    def stretch_at(self, times: Tensor) -> Tensor:
        """Linear maps within the layer, upper triangular, (B, P, T, 2, 2)."""
        x, y, shear = soft_limit(self.stretch.at(times), 0.5).unbind(-1)
        return torch.stack([x.exp(), shear, torch.zeros_like(x), y.exp()], -1).unflatten(-1, (2, 2))


@dataclass(frozen=True)
class Solids:
    """Ellipsoids or boxes, all (B, S, ...).

    Args:
        poses: rigid motion
        radii: (B, S, 3) half axes
        present: (B, S) bool
    """

    poses: Poses
    radii: Tensor
    present: Tensor


@dataclass(frozen=True)
class Material:
    """How surfaces look, all (B, L, ...).

    Args:
        texture: (B, L) int64
        texels: (B, L) texels per unit
        offset: (B, L, 2) texels
        gain: (B, L, 3), tint: (B, L, 3) and
        contrast: (B, L): colour = gain * (mean + contrast * (texture - mean)) + tint
        diffuse: (B, L) share of the light that depends on its direction
    """

    texture: Tensor
    texels: Tensor
    offset: Tensor
    gain: Tensor
    tint: Tensor
    contrast: Tensor
    diffuse: Tensor


@dataclass(frozen=True)
class Frames:
    """A scene at T times.

    Args:
        a: (B, L, T, 3, 3) and
        b: (B, L, T, 3): surface point m is at a m + b in camera coordinates
        inverse: (B, L, T, 3, 3) and
        eye: (B, L, T, 3): a camera ray at depth z is at eye + z * inverse (x, y, 1) on the surface
        focal: (B, T) pixels
        phase: (B, P, T, K) of the bending
        light: (B, L, T, 3) direction towards the light in the surface's axes, of length 1
    """

    a: Tensor
    b: Tensor
    inverse: Tensor
    eye: Tensor
    focal: Tensor
    phase: Tensor
    light: Tensor

    def at_frames(self, index: Tensor) -> Frames:
        """The scene at frames index (B, M): all fields with M in place of T."""

        def pick(value: Tensor, dim: int) -> Tensor:
            shape = list(value.shape)
            shape[dim] = index.shape[1]
            ones = [1] * value.ndim
            ones[0], ones[dim] = index.shape
            return value.gather(dim, index.reshape(ones).expand(shape))

        return Frames(**{f.name: pick(getattr(self, f.name), 1 if f.name == "focal" else 2) for f in fields(self)})

    def select(self, clips: Tensor, slots: Tensor) -> Frames:
        """Some clips (b,) and layers (l,)."""
        picked = {f.name: getattr(self, f.name).index_select(0, clips) for f in fields(self)}
        return Frames(
            **{
                name: value if name in ("focal", "phase") else value.index_select(1, slots)
                for name, value in picked.items()
            }
        )

    def part(self, start: int, end: int) -> Frames:
        """Frames start to end - 1."""
        return Frames(
            **{
                f.name: getattr(self, f.name)[:, start:end]
                if f.name == "focal"
                else getattr(self, f.name)[:, :, start:end]
                for f in fields(self)
            }
        )


@dataclass(frozen=True)
class Scene:
    """Everything that is fixed about the geometry of B clips.

    Args:
        camera: one per clip
        planes, balls, figure, boxes: surfaces; the first box is a room where `has_room`
        has_room: (B,) bool
        followed: (B, L) share of the camera's pan that a surface goes along with
        light: turning; its z axis points towards the light
        material: of all surfaces
    """

    camera: Camera
    planes: Planes
    balls: Solids
    figure: ArticulatedFigure
    boxes: Solids
    has_room: Tensor
    followed: Tensor
    light: Poses
    material: Material

    @property
    def inventory(self) -> Inventory:
        """All slots, used or not."""
        return Inventory(
            self.planes.present.shape[1],
            self.balls.present.shape[1] + self.figure.present.shape[1],
            self.boxes.present.shape[1],
        )

    @property
    def present(self) -> Tensor:
        """(B, L) bool, whether a slot is used."""
        return torch.cat([self.planes.present, self.balls.present, self.figure.present, self.boxes.present], 1)

    def at(self, times: Tensor) -> Frames:
        """All surfaces as the camera sees them.

        Args:
            times: (B, T)
        """
        parts = [
            self.planes.poses.at(times),
            self.balls.poses.at(times),
            self.figure.at(times),
            self.boxes.poses.at(times),
        ]
        centres = torch.cat([centre for centre, _ in parts], 1)  # (B, L, T, 3)
        turns = torch.cat([turn for _, turn in parts], 1)  # (B, L, T, 3, 3)
        pan = self.camera.pan.at(times)  # (B, 1, T, 2)
        along = self.followed[:, :, None, None] * pan  # (B, L, T, 2)
        centres = centres + torch.nn.functional.pad(along, (0, 1))
        shape, unshape = self._shapes(times)
        position, view, focal = self.camera.at(times)
        view = view[:, None]  # (B, 1, T, 3, 3)
        a = view @ turns @ shape
        inverse = unshape @ turns.transpose(-1, -2) @ view.transpose(-1, -2)
        b = (view @ (centres - position[:, None])[..., None])[..., 0]
        eye = -(inverse @ b[..., None])[..., 0]
        light = self.light.at(times)[1][..., :, 2]  # (B, 1, T, 3)
        light = (turns.transpose(-1, -2) @ light[..., None])[..., 0]
        phase = self.planes.phase[:, :, None] + self.planes.phase_path.at(times)
        return Frames(a, b, inverse, eye, focal, phase, light)

    def _shapes(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Maps from surface coordinates to rigid axes, and back, (B, L, T, 3, 3) each."""
        stretch = self.planes.stretch_at(times)
        (x, shear), (_, y) = (row.unbind(-1) for row in stretch.unbind(-2))
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        planes = torch.stack([x, shear, zero, zero, y, zero, zero, zero, one], -1)
        back = torch.stack([1 / x, -shear / (x * y), zero, zero, 1 / y, zero, zero, zero, one], -1)
        radii = torch.cat([self.balls.radii, self.figure.radii, self.boxes.radii], 1)
        radii = radii[:, :, None].expand(-1, -1, times.shape[1], -1)
        shape = torch.cat([planes.unflatten(-1, (3, 3)), torch.diag_embed(radii)], 1)
        return shape, torch.cat([back.unflatten(-1, (3, 3)), torch.diag_embed(1 / radii)], 1)
