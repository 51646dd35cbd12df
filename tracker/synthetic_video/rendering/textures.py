"""Pictures to paint surfaces with: drawn by numpy alone, or the user's own.

Drawn textures repeat without a seam. Dead leaves (Lee, Mumford, Huang: shapes of power-law sizes that cover each other)
and 1/f noise have the statistics of photographs; what is learned on them works on
photographs. Patterns repeat, as tiles, fabric and fences do.

Adding a kind of texture: write a function `(rng, size) -> (size, size, 3) float` in
0 to 1, and enter it in `_KINDS` with its share.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...errors import OptionError, TextureError

_IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}
_MIN_SIZE = 16
_MAX_SIZE = 4096


def build_textures(count: int, size: int = 256, seed: int = 0, folder: str | os.PathLike[str] | None = None) -> Tensor:
    """Draws textures, or cuts them out of the images of a folder.

    Args:
        count: how many
        size: side, pixels; a power of two
        seed: the same seed draws the same textures
        folder: of images (searched recursively) to take all textures from; images
            that cannot be read are skipped and counted in a warning

    Returns:
        (count, 3, size, size) uint8 RGB

    Raises:
        OptionError: if count or size is outside what is supported
        TextureError: if there is no such folder, or no image in it can be read
    """
    if count < 1:
        raise OptionError(f"Invalid number of textures ({count}). Supported values are 1 and more")
    if not _MIN_SIZE <= size <= _MAX_SIZE or size & (size - 1):
        raise OptionError(
            f"Invalid texture size ({size}). Supported values are powers of two from {_MIN_SIZE} to {_MAX_SIZE}"
        )
    rng = np.random.default_rng(seed)
    if folder is not None:
        return torch.from_numpy(_from_folder(rng, Path(folder), count, size))
    textures = np.empty((count, 3, size, size), np.uint8)
    shares = np.array([share for share, _ in _KINDS])
    for i in range(count):
        draw = _KINDS[rng.choice(len(_KINDS), p=shares / shares.sum())][1]
        image = draw(rng, size) + 0.1 * rng.random() * noise(rng, size, 1.8)[..., None]
        if rng.random() < 0.3:
            image = _blurred(image, rng.uniform(0.5, 1.2))
        textures[i] = _to_uint8(image)
    return torch.from_numpy(textures)


def noise(rng: np.random.Generator, size: int, power: float) -> np.ndarray:
    """Noise whose amplitude falls as 1 / frequency ** power; tiles seamlessly. (size, size) float32, unit variance."""
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    radius = np.hypot(fx, fy)
    radius[0, 0] = 1
    spectrum = rng.standard_normal((2, size, size // 2 + 1))
    spectrum = (spectrum[0] + 1j * spectrum[1]) / radius**power
    spectrum[0, 0] = 0
    image = np.fft.irfft2(spectrum, s=(size, size)).astype(np.float32)
    return image / (image.std() + 1e-6)


def _colour_noise(rng: np.random.Generator, size: int, power: float, saturation: float) -> np.ndarray:
    grey = noise(rng, size, power)
    return np.stack([grey * (1 - saturation) + saturation * noise(rng, size, power) for _ in range(3)], -1)


def _muted(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Colours (n, 3) moved towards grey by the same random share, as most things are hardly coloured."""
    grey = colours.mean(1, keepdims=True)
    return grey + (colours - grey) * rng.uniform(0.1, 1)


def _noise_texture(rng: np.random.Generator, size: int) -> np.ndarray:
    image = _colour_noise(rng, size, rng.uniform(0.7, 1.7), rng.uniform(0, 0.5))
    return _muted(rng, rng.uniform(0.25, 0.75, (1, 3))) + image * rng.uniform(0.08, 0.3)


def _dead_leaves(rng: np.random.Generator, size: int) -> np.ndarray:
    """Shapes of power-law sizes over each other, each with its own colour, grain and shade."""
    scale = size / 256
    image = _noise_texture(rng, size)
    grain = [_colour_noise(rng, size, rng.uniform(0.5, 1.5), rng.uniform(0, 0.5)) for _ in range(2)]
    grain_strength = rng.choice([0, 0.03, 0.08, 0.15])
    palette = _muted(rng, rng.uniform(0, 1, (rng.integers(3, 12), 3)))
    count = int(rng.choice([20, 80, 300, 600]))
    smallest, largest = rng.uniform(2, 6) * scale, rng.uniform(20, 90) * scale
    radii = (smallest**-2 - rng.random(count) * (smallest**-2 - largest**-2)) ** -0.5
    if rng.random() < 0.7:
        radii = np.sort(radii)[::-1]
    for radius in radii:
        centre = rng.uniform(0, size, 2)
        reach = min(int(1.6 * radius + 2), size // 2 - 1)
        around = np.arange(-reach, reach + 1)
        # what leaves on one side comes in on the other: textures repeat without a seam
        columns, rows = ((int(place) + around) % size for place in centre)
        part = np.ix_(rows, columns)
        dx = (around - np.float32(centre[0] % 1))[None].astype(np.float32)
        dy = (around - np.float32(centre[1] % 1))[:, None].astype(np.float32)
        dx, dy = np.broadcast_arrays(dx, dy)
        cover = _SHAPES[rng.integers(len(_SHAPES))](rng, dx, dy, radius)[..., None]
        cover = cover * rng.choice([1, 1, 1, 0.6])
        fill = palette[rng.integers(len(palette))] + rng.normal(0, 0.06, 3)
        fill = fill + grain_strength * grain[rng.integers(2)][part]
        if rng.random() < 0.5:
            slope = rng.normal(0, 0.12, 2) / max(radius, 8 * scale)
            fill = fill * (1 + slope[0] * dx + slope[1] * dy)[..., None]
        image[part] += cover * (fill - image[part])
    return image


def _ellipse(rng: np.random.Generator, dx: np.ndarray, dy: np.ndarray, radius: float) -> np.ndarray:
    angle, squeeze = rng.uniform(0, np.pi), rng.uniform(0.3, 1)
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = (dy * np.cos(angle) - dx * np.sin(angle)) / squeeze
    return np.clip((radius - np.hypot(along, across)) * squeeze + 0.5, 0, 1)


def _polygon(rng: np.random.Generator, dx: np.ndarray, dy: np.ndarray, radius: float) -> np.ndarray:
    distance = np.full_like(dx, -np.inf)
    for angle in rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, rng.integers(4, 8))[1:]:
        angle += rng.normal(0, 0.2)
        side = rng.uniform(0.5, 1.0) * radius
        distance = np.maximum(distance, dx * np.cos(angle) + dy * np.sin(angle) - side)
    # three sides may leave it open: nothing reaches further than the box it is drawn in
    return np.clip(np.minimum(0.5 - distance, 1.5 * radius - np.hypot(dx, dy)), 0, 1)


def _rectangle(rng: np.random.Generator, dx: np.ndarray, dy: np.ndarray, radius: float) -> np.ndarray:
    angle, half = rng.uniform(0, np.pi), radius * rng.uniform([0.2, 0.7], [0.9, 1.2])
    along = np.abs(dx * np.cos(angle) + dy * np.sin(angle)) - half[1]
    across = np.abs(dy * np.cos(angle) - dx * np.sin(angle)) - half[0]
    return np.clip(0.5 - np.maximum(along, across), 0, 1)


def _stroke(rng: np.random.Generator, dx: np.ndarray, dy: np.ndarray, radius: float) -> np.ndarray:
    angle, width = rng.uniform(0, np.pi), max(0.7, 0.08 * radius)
    along = np.abs(dx * np.cos(angle) + dy * np.sin(angle)) - 1.4 * radius
    across = np.abs(dy * np.cos(angle) - dx * np.sin(angle)) - width
    return np.clip(0.5 - np.maximum(along, across), 0, 1)


_SHAPES = (_ellipse, _ellipse, _polygon, _rectangle, _stroke)


def _pattern(rng: np.random.Generator, size: int) -> np.ndarray:
    """Stripes and checks, slightly bent."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    height = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(1, 4)):
        angle, period = rng.uniform(0, np.pi), rng.uniform(5, 40)
        # whole numbers of periods: no seam
        waves = np.rint(size / period * np.array([np.cos(angle), np.sin(angle)])) * (2 * np.pi / size)
        bend = 2 * noise(rng, size, 1.7) * rng.uniform(0, 0.7)
        wave = np.sin(x * waves[0] + y * waves[1] + bend + rng.uniform(0, 6))
        # a steep sigmoid: hard edges without stairs
        height += np.tanh(6 * wave) if rng.random() < 0.4 else wave
    first, second = _muted(rng, rng.uniform(0, 1, (2, 3)))
    share = (height - height.min()) / (np.ptp(height) + 1e-6)
    image = first + (second - first) * share[..., None]
    return image + rng.uniform(0.02, 0.12) * _colour_noise(rng, size, 1.2, 0.3)


_KINDS: tuple[tuple[float, Callable[[np.random.Generator, int], np.ndarray]], ...] = (
    (0.7, _dead_leaves),
    (0.18, _noise_texture),
    (0.12, _pattern),
)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur that wraps around."""
    frequency = np.fft.fftfreq(image.shape[0])
    response = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    response = response[:, None] * response[None, : image.shape[1] // 2 + 1]
    return np.fft.irfft2(np.fft.rfft2(image, axes=(0, 1)) * response[..., None], s=image.shape[:2], axes=(0, 1))


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8).transpose(2, 0, 1)  # (3, size, size)


def _from_folder(rng: np.random.Generator, folder: Path, count: int, size: int) -> np.ndarray:
    """Square crops of a folder's images, each image used as often as any other."""
    if not folder.is_dir():
        raise TextureError(f"There is no texture folder {folder}")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _IMAGE_SUFFIXES)
    if not paths:
        raise TextureError(f"There is no image in {folder}. Supported are {', '.join(sorted(_IMAGE_SUFFIXES))}")
    order = rng.permutation(len(paths))
    textures, broken = [], []
    # read images again, for other crops, until there are enough; those that are broken only once
    while len(textures) < count and len(broken) < len(paths):
        for index in order:
            path = paths[index]
            if path in broken or len(textures) == count:
                continue
            image = _read_image(path)
            if image is None:
                broken.append(path)
            else:
                textures.append(_crop(rng, image, size))
    if broken:
        names = ", ".join(path.name for path in broken[:3]) + (", ..." if len(broken) > 3 else "")
        message = f"{len(broken)} of {len(paths)} images in {folder} cannot be read ({names})"
        if not textures:
            raise TextureError(message)
        warnings.warn(message + ": skipped", stacklevel=3)
    return np.stack(textures)  # (count, 3, size, size)


def _read_image(path: Path) -> np.ndarray | None:
    """(h, w, 3) uint8 RGB, or None if there is nothing to read."""
    import cv2

    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if image is None or min(image.shape[:2]) < 2 else np.ascontiguousarray(image[..., ::-1])


def _crop(rng: np.random.Generator, image: np.ndarray, size: int) -> np.ndarray:
    """A random square of at least half the shorter side, resized. (3, size, size)"""
    import cv2

    height, width = image.shape[:2]
    side = max(2, int(min(height, width) * rng.uniform(0.5, 1)))
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    square = image[top : top + side, left : left + side]
    interpolation = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return cv2.resize(square, (size, size), interpolation=interpolation).transpose(2, 0, 1)
