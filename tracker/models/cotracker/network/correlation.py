"""Features around points, and how they correlate with a point's template.

Source: CoTracker3, arXiv:2410.11831, sec. 3.2 ("4D correlation features"). All
positions are feature pixels: (x, y) / stride / 2 ** level, without any shift by
half a pixel. Samples outside a map repeat its border.

The (2 r + 1) ** 2 samples around a point lie one feature pixel apart and share
one sub-pixel fraction. So the (2 r + 2) ** 2 whole-pixel features around it are
gathered once and interpolated as a block: the same numbers as sampling each
position, at a fifth of the time.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .chunks import slices

# points whose templates are sampled together: a CPU's caches hold them; a GPU wants few large kernels
_TEMPLATE_POINTS = 64
_TEMPLATE_POINTS_GPU = 1024


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """The feature pyramid of a clip, in any order of its frames.

    Args:
        levels: (B, F, h / 2 ** l, w / 2 ** l, C) per level l, the F stored frames
        frames: (T,) int64, the stored frame that each of T frames shows; a
            flipped, padded or cut clip differs only here and costs nothing
        motion: (B, F, 4, h', w') how the picture moved into each stored frame and
            back out of it, as of `guidance`; None for models that are not guided
        backwards: whether `frames` runs against the order of storing
    """

    levels: tuple[Tensor, ...]
    frames: Tensor
    motion: Tensor | None = None
    backwards: bool = False

    @property
    def num_frames(self) -> int:
        return len(self.frames)

    @property
    def batch(self) -> int:
        return self.levels[0].shape[0]

    def flipped(self) -> FeatureMaps:
        """The clip backwards."""
        return replace(self, frames=self.frames.flip(0), backwards=not self.backwards)

    def clip(self, start: int, length: int) -> FeatureMaps:
        """`length` frames from `start` on; past the end the last frame is repeated."""
        index = torch.arange(start, start + length, device=self.frames.device).clamp(max=self.num_frames - 1)
        return replace(self, frames=self.frames[index])

    def part(self, start: int, stop: int) -> FeatureMaps:
        """The frames from `start` on that there are before `stop`."""
        return replace(self, frames=self.frames[start:stop])

    def rows(self, level: int, clip: Tensor, t: Tensor) -> Tensor:
        """Where frames start in the level seen as a (B * F * h * w, C) matrix.

        Args:
            level: pyramid level, 0 the finest
            clip: int64, which of the B clips
            t: int64, broadcast against `clip`

        Returns:
            int64 row numbers
        """
        _, stored, height, width, _ = self.levels[level].shape
        return (clip * stored + self.frames[t]) * (height * width)


def build_pyramid(features: Tensor, levels: int) -> list[Tensor]:
    """Halves feature maps again and again.

    Args:
        features: (n, h, w, C)
        levels: how many maps to return

    Returns:
        (n, h / 2 ** l, w / 2 ** l, C) for l = 0 .. levels - 1
    """
    pyramid = [features]
    for _ in range(levels - 1):
        channels_first = pyramid[-1].permute(0, 3, 1, 2)  # (n, C, h, w), memory stays channels last
        pooled = F.avg_pool2d(channels_first, 2, stride=2)
        pyramid.append(pooled.permute(0, 2, 3, 1).contiguous())  # (n, h / 2, w / 2, C)
    return pyramid


def sample_neighbourhoods(level: Tensor, rows: Tensor, xy: Tensor, radius: int) -> Tensor:
    """Samples the features around positions (bilinear).

    Args:
        level: (B, F, h, w, C) one level of the pyramid
        rows: (K,) from `FeatureMaps.rows`
        xy: (K, 2) positions in pixels of this level
        radius: cells on each side of the centre

    Returns:
        (K, (2 r + 1) ** 2, C), neighbourhoods x-major
    """
    patches, fraction = gather_patches(level, rows, xy, radius)
    return blend(patches, fraction).flatten(1, 2)


def gather_patches(level: Tensor, rows: Tensor, xy: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """The whole-pixel features around positions; arguments as of `sample_neighbourhoods`.

    Returns:
        (K, 2 r + 2, 2 r + 2, C) patches, x-major, and (K, 2) how far the positions lie past whole pixels
    """
    _, _, height, width, channels = level.shape
    side = 2 * radius + 2
    corner = xy.floor()
    # far outside, all of a neighbourhood is border: clamping first keeps whole numbers small
    whole = corner.clamp(-side, max(height, width) + side).long()  # (K, 2)
    offset = torch.arange(-radius, radius + 2, device=xy.device)  # (2 r + 2,)
    x = (whole[:, :1] + offset).clamp_(0, width - 1)  # (K, 2 r + 2)
    y = (whole[:, 1:] + offset).clamp_(0, height - 1)  # (K, 2 r + 2)
    index = (rows[:, None] + x)[:, :, None] + (y * width)[:, None, :]  # (K, 2 r + 2, 2 r + 2)
    patches = level.reshape(-1, channels).index_select(0, index.flatten())  # (K * side * side, C)
    return patches.view(-1, side, side, channels), (xy - corner).to(level.dtype)


def blend(patches: Tensor, fraction: Tensor, out: Tensor | None = None) -> Tensor:
    """Interpolates patches at one fraction of a pixel each.

    Args:
        patches: (K, s, s, ..) values at whole pixels, x-major
        fraction: (K, 2) in x and y
        out: (K, s - 1, s - 1, ..), where to write the result

    Returns:
        (K, s - 1, s - 1, ..)
    """
    fx, fy = fraction[:, :, None, None, None].unbind(dim=1)  # (K, 1, 1, 1) each
    patches = torch.lerp(patches[:, :, :-1], patches[:, :, 1:], fy)  # (K, s, s - 1, ..)
    return torch.lerp(patches[:, :-1], patches[:, 1:], fx, out=out)  # (K, s - 1, s - 1, ..)


def sample_templates(maps: FeatureMaps, t: Tensor, xy: Tensor, radius: int) -> Tensor:
    """The features around query points, in their own frames ("support features").

    Args:
        maps: of B clips
        t: (B, N) int64 frames
        xy: (B, N, 2) positions in pixels of level 0
        radius: of the neighbourhood; 0 samples the point alone

    Returns:
        (B, N, L, (2 r + 1) ** 2, C), neighbourhoods x-major
    """
    batch, num_points = t.shape
    channels = maps.levels[0].shape[-1]
    clip = torch.arange(batch, device=t.device).repeat_interleave(num_points)  # (B * N,)
    t, xy = t.flatten(), xy.flatten(0, 1)  # (B * N,), (B * N, 2)
    templates = maps.levels[0].new_empty(len(t), len(maps.levels), (2 * radius + 1) ** 2, channels)
    for some in slices(len(t), _TEMPLATE_POINTS if t.device.type == "cpu" else _TEMPLATE_POINTS_GPU):
        per_level = [
            sample_neighbourhoods(level_map, maps.rows(level, clip[some], t[some]), xy[some] / 2**level, radius)
            for level, level_map in enumerate(maps.levels)
        ]  # (p, (2 r + 1) ** 2, C) each
        block = torch.stack(per_level, dim=1)  # (p, L, (2 r + 1) ** 2, C)
        if torch.is_grad_enabled():
            templates = block
        else:
            templates[some] = block
    return templates.unflatten(0, (batch, num_points))  # (B, N, L, (2 r + 1) ** 2, C)


class SampledTemplates:
    """Templates that are sampled when they are needed, instead of 100 KB kept per point.

    They cost one more frame of sampling per iteration, and need the query frames
    to be in the maps.

    Args:
        maps: of B clips
        t: (B, N) int64 frames
        xy: (B, N, 2) positions in pixels of level 0
        radius: cells on each side of the centre
    """

    def __init__(self, maps: FeatureMaps, t: Tensor, xy: Tensor, radius: int) -> None:
        self._maps = maps
        self._radius = radius
        self._clip = torch.arange(t.shape[0], device=t.device).repeat_interleave(t.shape[1])  # (B * N,)
        self._t, self._xy = t.flatten(), xy.flatten(0, 1)  # (B * N,), (B * N, 2)

    def narrow(self, some: slice) -> SampledTemplates:
        """Those of some points."""
        part = copy(self)
        part._clip, part._t, part._xy = self._clip[some], self._t[some], self._xy[some]
        return part

    def sample(self, some: slice, level: int) -> Tensor:
        """(p, (2 r + 1) ** 2, C) of some points at a level."""
        rows = self._maps.rows(level, self._clip[some], self._t[some])
        return sample_neighbourhoods(self._maps.levels[level], rows, self._xy[some] / 2**level, self._radius)


class StoredTemplates:
    """Templates in memory, with the interface of `SampledTemplates`.

    Args:
        templates: (B * N, L, (2 r + 1) ** 2, C)
    """

    def __init__(self, templates: Tensor) -> None:
        self._templates = templates

    def narrow(self, some: slice) -> StoredTemplates:
        """Those of some points."""
        return StoredTemplates(self._templates[some])

    def sample(self, some: slice, level: int) -> Tensor:
        """(p, (2 r + 1) ** 2, C) of some points at a level."""
        return self._templates[some, level]


def correlate(
    maps: FeatureMaps,
    level: int,
    clip: Tensor,
    t: Tensor,
    xy: Tensor,
    templates: Tensor,
    radius: int,
    out: Tensor | None = None,
    product_first: bool = False,
) -> Tensor:
    """Products of the features around points with their templates, for a block of points x frames.

    Args:
        maps: of B clips
        level: pyramid level, 0 the finest
        clip: (P,) int64, which clip each point belongs to
        t: (M,) int64 frames
        xy: (P, M, 2) positions in pixels of level 0
        templates: (P, S, C), S features per point, or (P, M, 1, C), one per point and frame
        radius: cells on each side of the centre
        out: contiguous (P, M, (2 r + 1) ** 2 * S), where to write the result
        product_first: multiply the whole-pixel patches and interpolate the products, not the features: the same
            numbers up to rounding; more products, fewer passes over memory. A fused kernel would take its place

    Returns:
        (P, M, (2 r + 1) ** 2 * S), neighbourhoods x-major, each position with its S products
    """
    num_points, num_frames = xy.shape[:2]
    rows = maps.rows(level, clip[:, None], t).flatten()  # (P * M,)
    patches, fraction = gather_patches(maps.levels[level], rows, xy.reshape(-1, 2) / 2**level, radius)
    side = 2 * radius + (2 if product_first else 1)
    around = patches if product_first else blend(patches, fraction)  # (P * M, side, side, C)
    # one matrix per template: (P, M * side ** 2, C) and (P, C, S), or (P * M, side ** 2, C) and (P * M, C, 1)
    templates = templates.flatten(0, 1) if templates.ndim == 4 else templates
    around = around.reshape(len(templates), -1, around.shape[-1])
    shape = (num_points * num_frames, side, side, templates.shape[1])
    direct = None if out is None or product_first else out.view(len(templates), around.shape[1], -1)
    products = torch.bmm(around, templates.to(around.dtype).transpose(1, 2), out=direct).view(shape)
    if product_first:
        small = (shape[0], side - 1, side - 1, shape[3])
        products = blend(products, fraction, None if out is None else out.view(small))
    return products.view(num_points, num_frames, -1)  # (P, M, (2 r + 1) ** 2 * S)
