"""The photographs that clips are made of, all free to use, and pictures varied from them.

All come with scikit-image and scikit-learn; their licences stand in docs/models/pt-fused-2.md.
"""

from __future__ import annotations

import cv2
import numpy as np

from ...synthetic_video.rendering.textures import build_textures

# CC0 or public domain: scikit-image. CC-BY: china by danielbuechele, flower by vultilion, in scikit-learn
FOR_FITTING = ("astronaut", "chelsea", "coffee", "brick", "gravel", "hubble_deep_field", "china")
FOR_CHOOSING = ("rocket", "camera", "grass", "retina", "flower")

_DRAWN_SIDE_PX = 512
_LEAST_CROP = 0.6


def photograph(name: str) -> np.ndarray:
    """One of them, uint8 (h, w, 3) RGB."""
    if name in ("china", "flower"):
        from sklearn.datasets import load_sample_image

        return np.ascontiguousarray(load_sample_image(f"{name}.jpg"))
    from skimage import data

    picture = np.asarray(getattr(data, name)())
    return np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else np.ascontiguousarray(picture[..., :3])


def varied_pictures(names: tuple[str, ...], count: int, drawn: int, seed: int) -> list[np.ndarray]:
    """Pictures for collages.

    Args:
        names: of photographs
        count: crops of photographs, mirrored, turned, with changed colours
        drawn: pictures drawn by numpy alone, beside them
        seed: the same seed gives the same pictures

    Returns:
        uint8 (h, w, 3) RGB each
    """
    rng = np.random.default_rng(seed)
    photographs = [photograph(name) for name in names]
    pictures = [_varied(rng, photographs[i % len(photographs)]) for i in range(count)]
    if drawn:
        textures = build_textures(drawn, _DRAWN_SIDE_PX, seed=seed).permute(0, 2, 3, 1).numpy()
        pictures += [np.ascontiguousarray(one) for one in textures]
    return pictures


def _varied(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    h, w = (int(side * rng.uniform(_LEAST_CROP, 1)) for side in picture.shape[:2])
    y, x = rng.integers(0, picture.shape[0] - h + 1), rng.integers(0, picture.shape[1] - w + 1)
    crop = picture[y : y + h, x : x + w]
    crop = np.rot90(crop, k=int(rng.integers(0, 4))) if rng.random() < 0.3 else crop
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    hsv = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-20, 20)) % 180
    hsv[..., 1] *= rng.uniform(0.5, 1.3)
    hsv[..., 2] = 255 * (hsv[..., 2] / 255) ** rng.uniform(0.7, 1.4)
    return cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
