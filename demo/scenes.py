"""What is to be seen in the demo clips.

The pictures are the photographs that come inside scikit-image (a dependency of
FiftyOne): nothing is downloaded, and all used here are in the public domain or
CC0. A scene is described by where its things are in world pixels, which are frame
pixels at zoom 1 around (0, 0); the camera looks at one point of the world.

Adding a scene: write a function like `_cat_and_cup` and list it in `demo_scenes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .layers import Layer, PhotoScene

Pair = tuple[float, float]

# outlines of things in the photographs, in their pixels
_CAT_HEAD = [(38, 2), (100, 8), (200, 2), (300, 10), (338, 2), (390, 4), (384, 34), (352, 74), (360, 140), (330, 172),
             (304, 236), (282, 280), (236, 290), (180, 272), (110, 226), (56, 190), (30, 110)]  # fmt: skip
_ASTRONAUT = [(152, 62), (174, 30), (215, 16), (264, 25), (298, 56), (302, 92), (291, 124), (268, 146), (271, 170),
              (300, 200), (303, 240), (344, 274), (362, 322), (374, 346), (402, 345), (450, 364), (485, 410),
              (500, 460), (504, 508), (22, 508), (24, 420), (36, 320), (62, 258), (108, 226), (114, 186),
              (150, 154), (176, 148), (160, 112)]  # fmt: skip
_SHUTTLE = [(398, 22), (412, 4), (432, 20), (446, 80), (452, 160), (458, 262), (362, 262), (356, 226), (380, 176),
            (378, 100), (388, 70)]  # fmt: skip
_SAUCER = ((280, 228), (199, 157))  # centre, half axes
_CUP = ((290, 113), (119, 97))


@dataclass(frozen=True)
class Motion:
    """Similarity from things to the world, or of the camera, from the first frame to the last.

    Args:
        x, y: world pixels of the thing's middle (camera: what the middle of the frame shows)
        scale: world pixels per texture pixel (camera: zoom)
        angle: degrees, clockwise as seen (camera: how far the picture turns)
        swing: pixels; half a wave up and down on the way, so that the path is curved
        squeeze: share by which the width shrinks and returns on the way, as if the thing turned
    """

    x: Pair
    y: Pair
    scale: Pair = (1.0, 1.0)
    angle: Pair = (0.0, 0.0)
    swing: float = 0.0
    squeeze: float = 0.0

    def at(self, progress: float) -> tuple[np.ndarray, np.ndarray]:
        """Position and linear part at a moment.

        Args:
            progress: 0 in the first frame, 1 in the last

        Returns:
            (2,) world pixels and (2, 2) matrix
        """
        x, y, scale, angle = (a + (b - a) * progress for a, b in (self.x, self.y, self.scale, self.angle))
        y += self.swing * np.sin(np.pi * progress)
        cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        width = 1 - self.squeeze * np.sin(np.pi * progress) ** 2
        return np.array([x, y]), scale * np.array([[cos, -sin], [sin, cos]]) @ np.diag([width, 1.0])


@dataclass(frozen=True)
class CameraRig:
    """A camera and the clock it runs by; turns pictures and motions into layers.

    Args:
        camera: (T, 2, 3) world pixels -> frame pixels
    """

    camera: np.ndarray

    def layer(self, picture: np.ndarray, motion: Motion, alpha: np.ndarray | None = None) -> Layer:
        """Puts a picture before the camera.

        Args:
            picture: (h, w, 3) uint8 RGB
            motion: of its middle
            alpha: (h, w) float32 cut-out, or None for a background
        """
        height, width = picture.shape[:2]
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        maps = np.empty_like(self.camera)
        for t, progress in enumerate(np.linspace(0, 1, len(self.camera))):
            position, linear = motion.at(progress)
            camera = self.camera[t, :, :2]
            maps[t, :, :2] = camera @ linear
            maps[t, :, 2] = camera @ (position - linear @ middle) + self.camera[t, :, 2]
        return Layer(picture.astype(np.float32), alpha, maps)


def make_rig(motion: Motion, num_frames: int, frame_size: tuple[int, int], rng: np.random.Generator) -> CameraRig:
    """A hand-held camera: the given motion with a little shake.

    Args:
        motion: what the middle of the frame shows, the zoom and the roll
        num_frames: T
        frame_size: (width, height), pixels
        rng: draws the shake
    """
    middle = np.array([(frame_size[0] - 1) / 2, (frame_size[1] - 1) / 2])
    phase = rng.uniform(0, 2 * np.pi, (3, 3))
    camera = np.empty((num_frames, 2, 3))
    for t, progress in enumerate(np.linspace(0, 1, num_frames)):
        position, linear = motion.at(progress)
        waves = np.sin(2 * np.pi * np.array([1.3, 2.1, 3.4]) * progress + phase).mean(axis=1)  # (3,)
        turn = np.deg2rad(0.6 * waves[2])
        linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ linear
        camera[t, :, :2] = linear
        camera[t, :, 2] = middle - linear @ (position + 3.0 * waves[:2])
    return CameraRig(camera)


def demo_scenes(*, seed: int, num_frames: int, frame_size: tuple[int, int]) -> list[PhotoScene]:
    """All scenes of the demo.

    Args:
        seed: decides the camera's shake
        num_frames: T
        frame_size: (width, height), pixels
    """
    rng = np.random.default_rng(seed)
    return [make(lambda motion: make_rig(motion, num_frames, frame_size, rng)) for make in (_cat_and_cup, _in_orbit)]


def _cat_and_cup(camera) -> PhotoScene:
    """A pan over grass; the cup slides in front of the cat."""
    rig = camera(Motion(x=(-90, 90), y=(-15, 20), scale=(1.0, 1.12), angle=(-2, 2)))
    cat, cup = photo("chelsea"), photo("coffee")
    return PhotoScene(
        "cat_and_cup",
        (
            rig.layer(_mirrored(tinted(photo("grass"), (72, 112, 44))), Motion((0, 0), (0, 0), (1.3, 1.3))),
            rig.layer(cat, Motion((-190, 60), (-20, -5), (0.72, 0.8), (-6, 7), swing=-25), _outline(cat, _CAT_HEAD)),
            rig.layer(
                cup,
                Motion((230, -70), (45, 55), (0.5, 0.52), (8, -8), swing=20),
                np.maximum(_ellipse(cup, *_SAUCER), _ellipse(cup, *_CUP)),
            ),
        ),
        subject=1,
    )


def _in_orbit(camera) -> PhotoScene:
    """The camera rolls before the stars; the shuttle flies behind the astronaut."""
    rig = camera(Motion(x=(20, -30), y=(0, -10), scale=(1.1, 1.25), angle=(-9, 9)))
    astronaut = photo("astronaut")
    shuttle = astronaut[:, 330:490]
    return PhotoScene(
        "in_orbit",
        (
            rig.layer(photo("hubble_deep_field"), Motion((0, 0), (0, 0), (1.15, 1.15))),
            rig.layer(
                shuttle,
                Motion((-220, 240), (60, -40), (0.9, 0.62), (38, 62), swing=-20),
                _outline(shuttle, [(x - 330, y) for x, y in _SHUTTLE]),
            ),
            rig.layer(
                astronaut,
                Motion((90, -20), (15, 30), (0.52, 0.55), (10, -12), swing=12, squeeze=0.12),
                _outline(astronaut, _ASTRONAUT),
            ),
        ),
        subject=2,
    )


def photo(name: str) -> np.ndarray:
    """A photograph that comes inside scikit-image, (h, w, 3) uint8 RGB."""
    from skimage import data

    picture = getattr(data, name)()
    return picture if picture.ndim == 3 else np.dstack([picture] * 3)


def tinted(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Colours a grey photograph: black stays black, mid-grey becomes the colour."""
    share = picture.astype(np.float32) / 128
    return np.clip(share * np.array(colour, np.float32), 0, 255).astype(np.uint8)


def _mirrored(picture: np.ndarray) -> np.ndarray:
    """Continues a photograph on all sides by its mirror image, so that the camera has room to pan."""
    border = [(side // 2, side // 2) for side in picture.shape[:2]]
    return np.pad(picture, [*border, (0, 0)], mode="reflect")


def _outline(picture: np.ndarray, corners) -> np.ndarray:
    """Cut-out along a polygon, (h, w) float32 with an edge about a pixel wide."""
    alpha = np.zeros(picture.shape[:2], np.float32)
    cv2.fillPoly(alpha, [np.rint(np.asarray(corners)).astype(np.int32)], (1.0,))
    return _softened(alpha)


def _ellipse(picture: np.ndarray, centre: Pair, half_axes: Pair) -> np.ndarray:
    """Cut-out along an ellipse, (h, w) float32 with an edge about a pixel wide."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    inside = ((x - centre[0]) / half_axes[0]) ** 2 + ((y - centre[1]) / half_axes[1]) ** 2 <= 1
    return _softened(inside.astype(np.float32))


def _softened(alpha: np.ndarray) -> np.ndarray:
    alpha = cv2.GaussianBlur(alpha, (0, 0), 0.8)
    # what touches the border of the picture ends there, not in the middle of a texel outside it
    alpha[[0, -1], :] = 0
    alpha[:, [0, -1]] = 0
    return alpha
