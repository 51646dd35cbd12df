"""Collages with exact tracks: a picture under a smooth camera, cut-outs of others moving in front of it.

Beside the rendered scenes of `renderer`, for what is learnt from the statistics of
photographs. Every layer moves by a similarity that changes smoothly; some cut-outs
bend as well, by a shear wave whose inverse is exact. The light changes, and noise
and a little blur lie over all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import OptionError, ShapeError

_MIN_SIDE_PX, _MIN_FRAMES = 64, 4
_BEND_PERIOD_PX = 30.0
_CAMERA_ROOM = 1.5  # the background is so much larger than the frame
_NOISE = 2.0  # grey levels
_FIRST_FRAME_SHARE = 0.6  # of the points, given in frame 0; the others within the first half
_SLOWEST, _FASTEST = 0.8, 3.0  # times the usual motion; every clip has its own
_CUT_OUTS = (3, 7)
_DRAWS = 200  # until a point lies where it is wanted


@dataclass(frozen=True, eq=False)
class Collage:
    """A clip and what is known about it.

    Args:
        video: uint8 (T, H, W, 3) RGB
        query_t: (N,) int64, frame in which each point is given
        xy: (T, N, 2) float64 pixels, true positions, also of hidden points
        visible: (T, N) bool, inside the frame and not covered
    """

    video: np.ndarray
    query_t: np.ndarray
    xy: np.ndarray
    visible: np.ndarray


@dataclass(frozen=True)
class _Bend:
    """x moves by a wave along y that travels with time."""

    amplitude_px: float
    frequency: float
    phase: float
    turns: float

    def shift(self, y: np.ndarray, share: float) -> np.ndarray:
        angle = self.frequency * y / _BEND_PERIOD_PX + self.phase + 2 * np.pi * self.turns * share
        return self.amplitude_px * np.sin(angle)


@dataclass(frozen=True, eq=False)
class _Layer:
    """A picture, where it is opaque, and its maps into the frames: (T, 2, 3)."""

    picture: np.ndarray
    opaque: np.ndarray
    maps: np.ndarray
    bend: _Bend | None

    def to_frame(self, xy: np.ndarray, t: int) -> np.ndarray:
        """(2,) pixels of the layer -> of frame t."""
        if self.bend is not None:
            xy = np.array([xy[0] + self.bend.shift(xy[1], t / len(self.maps)), xy[1]])
        return self.maps[t][:, :2] @ xy + self.maps[t][:, 2]

    def from_frame(self, x: np.ndarray, y: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of frame t -> of the layer."""
        inverse = cv2.invertAffineTransform(self.maps[t])
        own_x = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
        own_y = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
        if self.bend is not None:
            own_x = own_x - self.bend.shift(own_y, t / len(self.maps))
        return own_x, own_y


def make_collage(
    pictures: Sequence[np.ndarray],
    seed: int,
    *,
    num_frames: int = 48,
    size_px: tuple[int, int] = (568, 320),
    num_points: int = 110,
) -> Collage:
    """Makes one clip.

    Args:
        pictures: uint8 (h, w, 3) RGB each
        seed: the same seed and pictures make the same clip
        num_frames: T
        size_px: (width, height)
        num_points: N; every other one on the background, the rest on cut-outs

    Returns:
        the clip with its tracks

    Raises:
        ShapeError: if a picture has another form, or there is none
        OptionError: if the clip would be too small
    """
    if not pictures or any(one.ndim != 3 or one.shape[2] != 3 or one.dtype != np.uint8 for one in pictures):
        raise ShapeError("Invalid pictures. Expected at least one, uint8 (h, w, 3) RGB each")
    if min(size_px) < _MIN_SIDE_PX or num_frames < _MIN_FRAMES:
        raise OptionError(
            f"Invalid clip of {num_frames} frames, {size_px[0]} x {size_px[1]}. Supported are {_MIN_FRAMES} frames and "
            f"{_MIN_SIDE_PX} pixels a side, and more"
        )
    rng = np.random.default_rng(seed)
    pace = float(np.exp(rng.uniform(np.log(_SLOWEST), np.log(_FASTEST))))
    layers = [_background(rng, pictures, num_frames, size_px, pace)]
    layers += [_cut_out(rng, pictures, num_frames, size_px, pace) for _ in range(rng.integers(*_CUT_OUTS))]
    video, owner = _film(rng, layers, num_frames, size_px)
    return _with_points(rng, layers, video, owner, num_points)


def _smooth(rng: np.random.Generator, num_frames: int, scale: float, modes: int = 4) -> np.ndarray:
    """(T,) values that change smoothly around 0."""
    t = np.linspace(0, 1, num_frames)
    waves = [
        rng.normal() * scale / k**1.3 * np.sin(np.pi * k * t + rng.uniform(0, 2 * np.pi)) for k in range(1, modes + 1)
    ]
    return np.sum(waves, axis=0)


def _motion(
    rng: np.random.Generator,
    num_frames: int,
    middle: tuple[float, float],
    place: tuple[float, float],
    move_px: float,
    turn: float,
    zoom: float,
) -> np.ndarray:
    """(T, 2, 3) similarities that carry a layer's middle around a place of the frame."""
    angle, scale = _smooth(rng, num_frames, turn), np.exp(_smooth(rng, num_frames, zoom))
    x = _smooth(rng, num_frames, move_px) + place[0]
    y = _smooth(rng, num_frames, move_px) + place[1]
    maps = np.zeros((num_frames, 2, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = scale * np.cos(angle)
    maps[:, 1, 0] = scale * np.sin(angle)
    maps[:, 0, 1] = -maps[:, 1, 0]
    maps[:, 0, 2] = x - maps[:, 0, 0] * middle[0] - maps[:, 0, 1] * middle[1]
    maps[:, 1, 2] = y - maps[:, 1, 0] * middle[0] - maps[:, 1, 1] * middle[1]
    return maps


def _resized(picture: np.ndarray, factor: float) -> np.ndarray:
    size_px = (max(round(picture.shape[1] * factor), 8), max(round(picture.shape[0] * factor), 8))
    return cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def _background(
    rng: np.random.Generator, pictures: Sequence[np.ndarray], num_frames: int, size_px: tuple[int, int], pace: float
) -> _Layer:
    width, height = size_px
    picture = pictures[int(rng.integers(len(pictures)))]
    picture = _resized(picture, _CAMERA_ROOM * max(height / picture.shape[0], width / picture.shape[1]))
    middle = (picture.shape[1] / 2, picture.shape[0] / 2)
    move_px = rng.uniform(0.05, 0.28) * height * pace
    maps = _motion(rng, num_frames, middle, (width / 2, height / 2), move_px, 0.06 * pace, 0.08)
    return _Layer(picture, np.ones(picture.shape[:2], bool), maps, None)


def _cut_out(
    rng: np.random.Generator, pictures: Sequence[np.ndarray], num_frames: int, size_px: tuple[int, int], pace: float
) -> _Layer:
    width, height = size_px
    picture = pictures[int(rng.integers(len(pictures)))]
    picture = _resized(picture, rng.uniform(0.6, 1.1) * height / picture.shape[0])
    side = rng.uniform(0.22, 0.6) * height
    h, w = (min(int(side * rng.uniform(0.7, 1.3)), whole - 2) for whole in picture.shape[:2])
    y, x = rng.integers(0, picture.shape[0] - h), rng.integers(0, picture.shape[1] - w)
    picture = np.ascontiguousarray(picture[y : y + h, x : x + w])
    place = (rng.uniform(0, width), rng.uniform(0, height))
    motion = (rng.uniform(0.12, 0.7) * height * pace, rng.uniform(0.1, 0.6), rng.uniform(0.05, 0.25))
    maps = _motion(rng, num_frames, (w / 2, h / 2), place, *motion)
    bend = _Bend(rng.uniform(0, 0.1) * min(h, w), rng.uniform(0.5, 2.5), rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 3))
    return _Layer(picture, _outline(rng, h, w), maps, bend if rng.random() < 0.6 else None)


def _outline(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A blob of one piece: (height, width) bool."""
    noise = rng.normal(size=(height, width)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), min(height, width) / rng.uniform(4, 9))
    noise /= noise.std()
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    inside = noise * 0.45 + 1.0 - 1.6 * np.hypot(x, y) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    return labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax() if count > 1 else inside


def _film(
    rng: np.random.Generator, layers: list[_Layer], num_frames: int, size_px: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The frames, and which layer is seen where: uint8 (T, H, W, 3) and (T, H, W)."""
    width, height = size_px
    y, x = np.mgrid[:height, :width].astype(np.float64)
    gain, blurred = 1 + _smooth(rng, num_frames, 0.06), rng.random() < 0.3
    video = np.empty((num_frames, height, width, 3), np.uint8)
    owner = np.zeros((num_frames, height, width), np.uint8)
    for t in range(num_frames):
        frame = np.zeros((height, width, 3), np.float32)
        for i, layer in enumerate(layers):
            own_x, own_y = (part.astype(np.float32) for part in layer.from_frame(x, y, t))
            color = cv2.remap(layer.picture, own_x, own_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            opaque = np.ones((height, width), np.float32)
            if i:
                opaque = cv2.remap(layer.opaque.astype(np.float32), own_x, own_y, cv2.INTER_LINEAR)
            frame += opaque[..., None] * (color.astype(np.float32) - frame)
            owner[t][opaque > 0.5] = i
        frame = frame * gain[t] + rng.normal(size=frame.shape).astype(np.float32) * _NOISE
        if blurred:
            frame = cv2.GaussianBlur(frame, (0, 0), 0.7)
        video[t] = np.clip(frame, 0, 255)
    return video, owner


def _with_points(
    rng: np.random.Generator, layers: list[_Layer], video: np.ndarray, owner: np.ndarray, num_points: int
) -> Collage:
    num_frames, height, width = owner.shape
    query_t = np.zeros(num_points, np.int64)
    xy, visible = np.zeros((num_frames, num_points, 2)), np.zeros((num_frames, num_points), bool)
    for n in range(num_points):
        for _ in range(_DRAWS):
            t = 0 if rng.random() < _FIRST_FRAME_SHARE else int(rng.integers(0, num_frames // 2))
            point = np.array([rng.uniform(3, width - 4), rng.uniform(3, height - 4)])
            i = int(owner[t, round(point[1]), round(point[0])])
            if (n % 2 == 0) == (i == 0):
                break
        own = np.array([float(part) for part in layers[i].from_frame(point[0], point[1], t)])
        for u in range(num_frames):
            place = layers[i].to_frame(own, u)
            xy[u, n] = place
            inside = 0 <= place[0] <= width - 1 and 0 <= place[1] <= height - 1
            visible[u, n] = inside and owner[u, round(place[1]), round(place[0])] == i
        query_t[n], visible[t, n] = t, True
    return Collage(video, query_t, xy, visible)
