"""What happens to a picture after the light has left the scene: exposure, focus, noise, compression.

Adding an effect: draw its parameters at the end of `draw_look`, and apply it in
`apply_effects` where it happens in a camera (light, lens, sensor, processing, codec). An
effect that costs much is left to some clips: a flag in `EffectFlags`, known to the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .draws import Draws
from .scenes.motion import Path, draw_path

if TYPE_CHECKING:
    from .config import SyntheticConfig

EFFECT_COLUMNS = 5
_FIELD = (3, 4)  # places where the brightness of the picture is given
_NOISE_BITS = 20  # the pool of noise has this many entries, as a power of two
_BLOCK = 8
# the example tables of the JPEG standard (ITU-T T.81, annex K), in its order
_LUMA_STEPS = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
    51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121,
    120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA_STEPS = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99,
    99, 99, 99, 99,
) + (99,) * 32  # fmt: skip


@dataclass(frozen=True)
class EffectFlags:
    """Which clips get the costly effects: B flags each, known to the host."""

    motion_blur: list[bool]
    defocus: list[bool]
    compression: list[bool]
    sharpening: list[bool]
    shadow: list[bool]


def draw_effect_flags(table: Tensor, config: SyntheticConfig) -> EffectFlags:
    """Decides about costly effects.

    Args:
        table: (B, EFFECT_COLUMNS) uniform numbers, on the CPU
        config: probabilities
    """
    chances = (config.motion_blur, config.defocus, config.compression, config.sharpening, config.shadow)
    return EffectFlags(*((table[:, i] < chance).tolist() for i, chance in enumerate(chances)))


@dataclass(frozen=True)
class Look:
    """Effects of B clips.

    Args:
        field: (B, 12) brightness at places of the picture, and
        field_path: its motion
        exposure: (B, 1, 3) steady gains, and
        exposure_path: their motion, and
        flicker: (B, 3) size, rate and phase of a fast change
        offset: (B, 3) of black
        gamma: (B,)
        grey: (B,) share of the colour that is lost
        noise: (B,) sigma, and
        noise_start: (B, 2) where and how far apart frames begin in the pool
        focus: (B,) sigma in pixels
        sharpen: (B,)
        quality: (B,) of compression, as in JPEG
        shutter: (B,) share of the time between frames
        shadow: (B, 3) how far shadows are shifted, x and y in pixels, and how dark they are
    """

    field: Tensor
    field_path: Path
    exposure: Tensor
    exposure_path: Path
    flicker: Tensor
    offset: Tensor
    gamma: Tensor
    grey: Tensor
    noise: Tensor
    noise_start: Tensor
    focus: Tensor
    sharpen: Tensor
    quality: Tensor
    shutter: Tensor
    shadow: Tensor


def draw_look(draws: Draws, config: SyntheticConfig, anchor: Tensor, scale: float) -> Look:
    """Random effects for every clip.

    Args:
        draws: the random numbers
        config: probabilities
        anchor: (B,) time at which changes are at zero
        scale: of blur
    """
    cells = _FIELD[0] * _FIELD[1]
    lit = draws.chance(config.lighting, 1, 1)
    strength = draws.unit(1) * 0.14 * lit[:, :, 0]
    exposure = draws.normal(1, 3) * 0.04 + draws.normal(1, 1) * 0.1
    flicker = torch.stack(
        [draws.normal() * 0.05 * draws.chance(0.3 * config.lighting), draws.uniform(0.5, 3), draws.angle()], -1
    )
    return Look(
        field=draws.normal(cells) * strength,
        field_path=draw_path(draws, 1, cells, anchor, 0.1 * strength[:, None]),
        exposure=exposure * config.lighting,
        exposure_path=draw_path(draws, 1, 3, anchor, 0.02 * draws.chance(0.7, 1, 1) * lit),
        flicker=flicker,
        offset=draws.normal(3) * 0.03 * config.lighting,
        gamma=torch.exp(draws.normal() * 0.25 * config.lighting),
        grey=torch.where(draws.chance(config.greyscale), 1.0, draws.uniform(-0.3, 0.7).clamp(min=0)),
        noise=draws.unit() ** 2 * 0.05 * draws.chance(config.noise),
        noise_start=draws.unit(2),
        focus=draws.uniform(0.4, 1.3) * scale,
        sharpen=draws.uniform(0.3, 1.2),
        quality=draws.log_uniform(8, 60),
        shutter=draws.uniform(0.2, 0.7),
        shadow=torch.cat([draws.normal(2) * 7 * scale, draws.uniform(0.2, 0.7, 1)], 1),
    )


@dataclass(frozen=True)
class EffectTables:
    """Tables that effects read, made once per device."""

    noise: Tensor
    cosines: Tensor
    steps: Tensor

    @staticmethod
    def on(device: torch.device) -> EffectTables:
        pool = np.random.default_rng(0).standard_normal(1 << _NOISE_BITS, dtype=np.float32)
        k, n = torch.arange(_BLOCK)[:, None], torch.arange(_BLOCK)[None]
        cosines = torch.cos(torch.pi * (n + 0.5) * k / _BLOCK) * (2 / _BLOCK) ** 0.5
        cosines[0] /= 2**0.5
        steps = torch.tensor([_LUMA_STEPS, _CHROMA_STEPS], dtype=torch.float32).reshape(2, _BLOCK, _BLOCK)
        return EffectTables(torch.from_numpy(pool).to(device), cosines.to(device), steps.to(device))


def apply_effects(
    video: Tensor,
    look: Look,
    times: Tensor,
    tables: EffectTables,
    *,
    defocus: bool,
    sharpening: bool,
    compression: bool,
) -> Tensor:
    """Applies all effects but motion blur.

    Args:
        video: (3, B, T, H, W) about 0 to 1; overwritten
        look: of the same clips
        times: (B, T) of the frames
        tables: of `EffectTables.on` the same device
        defocus, sharpening, compression: whether these clips get them

    Returns:
        (B, T, 3, H, W) uint8
    """
    video = video.mul_(_illumination(video.shape, look, times))
    drift = look.exposure_path.at(times)[:, 0].clamp(-0.3, 0.3)  # (B, T, 3)
    # brightness changes more than colour does
    drift = drift.mean(-1, keepdim=True) + 0.25 * drift
    gain = 1 + look.exposure + drift
    size, rate, phase = look.flicker[:, :, None].unbind(1)
    gain = gain + (size * torch.sin(rate * times + phase))[..., None]
    video.mul_(gain.permute(2, 0, 1)[..., None, None]).add_(look.offset.T[:, :, None, None, None])
    video.clamp_(1e-3, 1.3).pow_(look.gamma[:, None, None, None])
    grey = look.grey[:, None, None, None]
    video.add_(grey * (video.mean(0) - video))
    if defocus:
        video = _blur(video, look.focus)
    if sharpening:
        soft = _blur(video, torch.ones_like(look.focus))
        video = video + look.sharpen[:, None, None, None] * (video - soft)
    video = video + _noise(video.shape, look, tables)
    video.clamp_(0, 1)
    if compression:
        video = compress(video.flatten(1, 2), look.quality.repeat_interleave(times.shape[1]), tables).reshape(
            video.shape
        )
    return video.permute(1, 2, 0, 3, 4).mul(255).round_().to(torch.uint8)  # (B, T, 3, H, W)


def _illumination(shape: torch.Size, look: Look, times: Tensor) -> Tensor:
    """A smooth field of brightness over the picture, (B, T, H, W)."""
    field = look.field[:, None] + look.field_path.at(times)[:, 0]  # (B, T, cells)
    field = field.reshape(-1, 1, *_FIELD)
    field = F.interpolate(field, size=shape[-2:], mode="bilinear", align_corners=True)
    return (1 + field).clamp(0.3, 2).reshape(*shape[1:])


def _noise(shape: torch.Size, look: Look, tables: EffectTables) -> Tensor:
    """Noise (3, B, T, H, W) from the pool: the same on every device, whatever the batch."""
    channels, batch, frames, height, width = shape
    count = channels * height * width
    step = look.noise_start * (1 << _NOISE_BITS)
    frame = torch.arange(frames, device=look.noise.device)
    # odd steps: frames of a clip begin at different places
    start = step[:, :1].long() + frame * (step[:, 1:].long() | 1)  # (B, T)
    index = start[..., None] + torch.arange(count, device=start.device)
    noise = tables.noise.index_select(0, (index & ((1 << _NOISE_BITS) - 1)).flatten())
    noise = noise.reshape(batch, frames, channels, height, width).permute(2, 0, 1, 3, 4)
    return noise * look.noise[:, None, None, None]


def _blur(video: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur of (3, B, T, H, W) with a sigma per clip."""
    channels, batch, frames, height, width = video.shape
    reach = max(1, min(4, height - 1, width - 1))
    offsets = torch.arange(-reach, reach + 1, device=video.device)
    kernel = torch.exp(-0.5 * (offsets / sigma[:, None]) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)  # (B, 2 * reach + 1)
    images = video.transpose(1, 2).reshape(channels * frames, batch, height, width)
    images = F.conv2d(F.pad(images, (reach, reach, 0, 0), mode="replicate"), kernel[:, None, None], groups=batch)
    images = F.conv2d(F.pad(images, (0, 0, reach, reach), mode="replicate"), kernel[:, None, :, None], groups=batch)
    return images.reshape(channels, frames, batch, height, width).transpose(1, 2)


def compress(images: Tensor, quality: Tensor, tables: EffectTables) -> Tensor:
    """What an intra-coded picture loses: rounded cosine transforms of 8 x 8 blocks, half-size colour.

    Args:
        images: (3, F, H, W) RGB, 0 to 1
        quality: (F,) 1 to 100, as JPEG encoders count it
        tables: of `EffectTables.on` the same device

    Returns:
        (3, F, H, W), 0 to 1
    """
    height, width = images.shape[-2:]
    padded = F.pad(images, (0, -width % (2 * _BLOCK), 0, -height % (2 * _BLOCK)), mode="replicate")
    red, green, blue = padded * 255
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = torch.stack([(blue - luma) * 0.564, (red - luma) * 0.713])  # (2, F, h, w)
    chroma = F.avg_pool2d(chroma, 2)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50).clamp(min=0.02)[:, None, None, None, None]
    luma = _round_blocks(luma - 128, tables.cosines, (tables.steps[0] * scale).clamp(min=1)) + 128
    chroma = _round_blocks(chroma, tables.cosines, (tables.steps[1] * scale).clamp(min=1))
    cb, cr = F.interpolate(chroma, scale_factor=2, mode="nearest")
    red, blue = luma + cr / 0.713, luma + cb / 0.564
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    return torch.stack([red, green, blue])[..., :height, :width].div_(255).clamp_(0, 1)


def _round_blocks(plane: Tensor, cosines: Tensor, steps: Tensor) -> Tensor:
    """Quantises the cosine transform of every block of (..., F, h, w) by steps (F, 1, 1, 8, 8)."""
    blocks = plane.unflatten(-1, (-1, _BLOCK)).unflatten(-3, (-1, _BLOCK)).transpose(-2, -3)  # (..., h/8, w/8, 8, 8)
    coefficients = cosines @ blocks @ cosines.T
    coefficients = (coefficients / steps).round_() * steps
    blocks = cosines.T @ coefficients @ cosines
    return blocks.transpose(-2, -3).reshape(plane.shape)
