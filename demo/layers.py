"""Flat layers of photographs under a moving camera: their pictures, and where every point of them goes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import av.video.stream
import cv2
import numpy as np

from ..tracker.coordinates import inside_frame
from ..tracker.types import Queries, Tracks

FRAME_SIZE = (640, 360)


NUM_FRAMES = 48


FPS = 16


# pictures are drawn this much larger and averaged down, against jagged edges
_SUPERSAMPLING = 2


# a layer covers a position where it is at least this opaque
_OPAQUE = 0.5


# points nearer than this to an edge between layers belong to neither
_EDGE_MARGIN_PX = 2


EDGE_STEPS = tuple(
    (dx, dy) for dx in (-_EDGE_MARGIN_PX, 0, _EDGE_MARGIN_PX) for dy in (-_EDGE_MARGIN_PX, 0, _EDGE_MARGIN_PX)
)


@dataclass(frozen=True, eq=False)
class Layer:
    """A flat textured piece of the scene.

    Args:
        texture: (h, w, 3) float32 RGB, 0 to 255
        alpha: (h, w) float32, 0 transparent to 1 opaque; None: opaque and endless,
            mirrored at its borders, as a background is
        maps: (T, 2, 3) float64, texture pixels -> frame pixels
    """

    texture: np.ndarray
    alpha: np.ndarray | None
    maps: np.ndarray


@dataclass(frozen=True, eq=False)
class PhotoScene:
    """Layers, back to front.

    Args:
        name: becomes the file name of the clip
        layers: the first one is the background
        subject: index of the layer whose mask is the prompt
    """

    name: str
    layers: tuple[Layer, ...]
    subject: int

    @property
    def num_frames(self) -> int:
        return len(self.layers[0].maps)


@dataclass(frozen=True, eq=False)
class DemoClip:
    """A video file and what is true about it.

    Args:
        path: the mp4 file
        queries: N points in frame 0, on background and objects
        truth: their tracks; positions of hidden points are known too, also outside the frame
        mask: (H, W) bool, the visible part of one object in frame 0
    """

    path: Path
    queries: Queries
    truth: Tracks
    mask: np.ndarray


def apply_affine(affine: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Sends positions through an affine map.

    Args:
        affine: (..., 2, 3)
        xy: (N, 2)

    Returns:
        (..., N, 2) float64
    """
    return xy @ np.swapaxes(affine[..., :2], -1, -2) + affine[..., None, :, 2]  # (..., N, 2)


def render(scene: PhotoScene, frame_index: int) -> np.ndarray:
    """Draws one frame.

    Args:
        scene: what to draw
        frame_index: from 0

    Returns:
        (H, W, 3) float32, in the units of the textures
    """
    width, height = FRAME_SIZE
    size = (width * _SUPERSAMPLING, height * _SUPERSAMPLING)
    canvas = np.zeros((size[1], size[0], 3), np.float32)
    for layer in scene.layers:
        affine = _enlarged(layer.maps[frame_index])
        if layer.alpha is None:
            canvas = cv2.warpAffine(layer.texture, affine, size, borderMode=cv2.BORDER_REFLECT_101)
            continue
        left, top, right, bottom = _bounds(affine, layer.alpha.shape, size)
        if left >= right or top >= bottom:
            continue
        # colour weighted by opacity, so that nothing from outside the cut-out bleeds into its edge
        rgba = np.dstack([layer.texture * layer.alpha[..., None], layer.alpha])  # (h, w, 4)
        shifted = affine - np.array([[0, 0, left], [0, 0, top]])
        drawn = cv2.warpAffine(rgba, shifted, (right - left, bottom - top))  # transparent outside
        part = canvas[top:bottom, left:right]
        part *= 1 - drawn[..., 3:]
        part += drawn[..., :3]
    return cv2.resize(canvas, FRAME_SIZE, interpolation=cv2.INTER_AREA)


def topmost_layer(scene: PhotoScene, frame_index: int, xy: np.ndarray) -> np.ndarray:
    """Which layer is seen at positions of a frame.

    Args:
        scene: the layers
        frame_index: from 0
        xy: (N, 2) pixels

    Returns:
        (N,) int, index into scene.layers
    """
    top = np.zeros(len(xy), dtype=np.int64)
    for index, layer in enumerate(scene.layers):
        if layer.alpha is None:
            top[:] = index
            continue
        inverse = cv2.invertAffineTransform(layer.maps[frame_index])
        top[_sample(layer.alpha, apply_affine(inverse, xy)) >= _OPAQUE] = index
    return top


def true_tracks(scene: PhotoScene, xy: np.ndarray) -> Tracks:
    """Follows the surface points seen in frame 0.

    Args:
        scene: the layers
        xy: (N, 2) pixels of frame 0

    Returns:
        Tracks of all frames; every position is known, confidence is 1 where visible
    """
    layer_of = topmost_layer(scene, 0, xy)
    xy_all = np.empty((scene.num_frames, len(xy), 2))
    for index, layer in enumerate(scene.layers):
        chosen = layer_of == index
        on_surface = apply_affine(cv2.invertAffineTransform(layer.maps[0]), xy[chosen])
        xy_all[:, chosen] = apply_affine(layer.maps, on_surface)
    visible = np.stack(
        [
            (topmost_layer(scene, t, xy_all[t]) == layer_of) & inside_frame(xy_all[t], FRAME_SIZE)
            for t in range(scene.num_frames)
        ]
    )
    return Tracks(xy=xy_all, visible=visible, confidence=visible.astype(np.float32))


def write_video(path: str | os.PathLike[str], frames: Iterator[np.ndarray]) -> None:
    """Encodes frames as H.264 that every browser plays.

    Args:
        path: of the mp4 file
        frames: (H, W, 3) RGB, 0 to 255
    """
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = cast("av.video.stream.VideoStream", container.add_stream("libx264", rate=FPS, options={"crf": "17"}))
        stream.width, stream.height = FRAME_SIZE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            rgb = np.clip(np.rint(frame), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())


def _enlarged(affine: np.ndarray) -> np.ndarray:
    """The same map onto the canvas; pixel centres: u = s * x + (s - 1) / 2."""
    enlarged = affine * _SUPERSAMPLING
    enlarged[:, 2] += (_SUPERSAMPLING - 1) / 2
    return enlarged


def _bounds(affine: np.ndarray, shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of the canvas a texture can touch: left, top, right, bottom (exclusive)."""
    height, width = shape[:2]
    corners = np.array([[-1, -1], [width, -1], [-1, height], [width, height]], dtype=np.float64)
    xy = apply_affine(affine, corners)
    left, top = np.floor(xy.min(axis=0)).astype(int)
    right, bottom = np.ceil(xy.max(axis=0)).astype(int) + 1
    return max(left, 0), max(top, 0), min(right, size[0]), min(bottom, size[1])


def _sample(image: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Reads a one-channel image at positions, bilinearly; 0 outside. (h, w), (N, 2) -> (N,)."""
    height, width = image.shape
    padded = np.pad(image, 1)
    x = np.clip(xy[:, 0] + 1, 0, width + 1 - 1e-9)
    y = np.clip(xy[:, 1] + 1, 0, height + 1 - 1e-9)
    column, row = x.astype(np.int64), y.astype(np.int64)
    fx, fy = x - column, y - row
    above = padded[row, column] * (1 - fx) + padded[row, column + 1] * fx
    below = padded[row + 1, column] * (1 - fx) + padded[row + 1, column + 1] * fx
    return above * (1 - fy) + below * fy
