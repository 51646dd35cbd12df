"""Scenes painted so that every texel tells its place, and how such pictures are read."""

from dataclasses import replace

import numpy as np

from point_tracking.demo.layers import PhotoScene

SEED = 3
# layers are told apart by this step in the third channel
LAYER_STEP = 50.0


def coordinate_coded(scene: PhotoScene) -> PhotoScene:
    """The same scene, painted so that every texel tells which layer it is on and where."""
    layers = []
    for index, layer in enumerate(scene.layers):
        height, width = layer.texture.shape[:2]
        y, x = np.mgrid[:height, :width]
        code = np.dstack([x, y, np.full_like(x, (index + 1) * LAYER_STEP)]).astype(np.float32)
        layers.append(replace(layer, texture=code))
    return replace(scene, layers=tuple(layers))


def bilinear(image: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The image at positions inside it, (N, C), and the four pixels around each, (N, 4, C)."""
    x0 = np.clip(np.floor(xy[:, 0]).astype(int), 0, image.shape[1] - 2)
    y0 = np.clip(np.floor(xy[:, 1]).astype(int), 0, image.shape[0] - 2)
    fx, fy = xy[:, 0] - x0, xy[:, 1] - y0
    around = np.stack([image[y0, x0], image[y0, x0 + 1], image[y0 + 1, x0], image[y0 + 1, x0 + 1]], axis=1)
    weights = np.stack([(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy], axis=1)
    return (around * weights[..., None]).sum(axis=1), around


def pure_layer(around: np.ndarray) -> np.ndarray:
    """The layer all four pixels around a position show, (N,); -1 where they show a mixture."""
    code = around[..., 2] / LAYER_STEP - 1
    index = np.rint(code[:, 0])
    return np.where((np.abs(code - index[:, None]) < 1e-5).all(axis=1), index, -1).astype(int)
