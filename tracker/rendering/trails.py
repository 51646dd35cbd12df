"""A frame and its tracks into a frame with trails."""

from __future__ import annotations

import numpy as np

from ..errors import ShapeError
from ..types import Tracks
from .colors import Colors
from .options import TRAIL_DEFAULTS, TrailOptions

# OpenCV's fixed point: 1/16 of a pixel
_SHIFT = 4
_ONE_PX = 1 << _SHIFT
# what lies farther out than this cannot be drawn, and is nowhere near a frame
_FARTHEST_PX = 2**20
_TRAIL_WEIGHT = 0.8
_FAINT_WEIGHT = 0.35
_OUTLINE = (0, 0, 0)
# sides of a frame that is drawn with lines of one pixel, and with discs one pixel larger
_LINE_SIDE_PX = 400
_DISC_SIDE_PX = 160
_MIN_RADIUS_PX = 2


def draw_trails(
    frame: np.ndarray, tracks: Tracks, frame_index: int, colors: Colors, options: TrailOptions = TRAIL_DEFAULTS
) -> np.ndarray:
    """Draws where points are in a frame, and where they come from.

    A visible point is a disc, its trail a line; a hidden one whose position is known is a ring,
    its trail faint. What is unknown is not drawn, and what is outside of the frame is cut off.

    Args:
        frame: uint8 (H, W, 3) RGB; stays as it is
        tracks: of the whole clip, in pixels of this frame
        frame_index: of the frame in the clip; past the tracks' end nothing is drawn
        colors: of these tracks
        options: `tail`, `show_hidden` and `background`

    Returns:
        uint8 (H, W, 3) RGB, a new array

    Raises:
        ShapeError: if the frame is no uint8 (H, W, 3), or its index is negative
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise ShapeError(f"Invalid frame of shape {frame.shape} and type {frame.dtype}. Expected uint8 (H, W, 3) RGB")
    if frame_index < 0:
        raise ShapeError(f"Invalid frame index ({frame_index}). The first frame has the index 0")
    picture = _grey(frame) if options.background == "grey" else frame.copy(order="C")
    if frame_index >= tracks.num_frames or not tracks.num_points:
        return picture
    first, last = max(0, frame_index - options.tail), frame_index + 1
    xy = tracks.xy[first:last]
    near: np.ndarray = np.abs(xy) < _FARTHEST_PX  # False for NaN
    known = np.logical_and(near[..., 0], near[..., 1])  # (L, N)
    seen = tracks.visible[first:last] & known
    if not options.show_hidden:
        known = seen
    places = np.rint(np.where(known[..., None], xy, 0) * _ONE_PX).astype(np.int32)  # (L, N, 2) 1/16 pixel
    drawn = colors.rows(first, last)
    solid, either = seen[1:] & seen[:-1], known[1:] & known[:-1]
    thickness = max(1, round(min(frame.shape[:2]) / _LINE_SIDE_PX))
    picture = _draw_lines(picture, places, either & ~solid, drawn[1:], colors.palette, 1, _FAINT_WEIGHT)
    picture = _draw_lines(picture, places, solid, drawn[1:], colors.palette, thickness, _TRAIL_WEIGHT)
    _draw_points(picture, xy[-1], places[-1], known[-1], seen[-1], colors.palette[drawn[-1]])
    return picture


def _grey(frame: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.cvtColor(cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def _draw_lines(
    picture: np.ndarray,
    places: np.ndarray,
    steps: np.ndarray,
    drawn: np.ndarray,
    palette: np.ndarray,
    thickness: int,
    weight: float,
) -> np.ndarray:
    """Lays steps of trails over a picture.

    Args:
        picture: uint8 (H, W, 3)
        places: (L, N, 2) int32
        steps: (L - 1, N) bool, which to draw: step s goes from place s to s + 1
        drawn: (L - 1, N) int, its colour
        palette: (K, 3) uint8
        thickness: pixels
        weight: of the lines, from 0 to 1
    """
    import cv2

    if not steps.any():
        return picture
    layer = picture.copy()
    # tails without a gap and of one colour are one line each, which is much faster than its steps
    whole = steps.all(axis=0) & (drawn == drawn[:1]).all(axis=0)
    lines = np.ascontiguousarray(places[:, whole].swapaxes(0, 1))  # (M, L, 2)
    kind = cv2.LINE_AA if thickness == 1 else cv2.LINE_8  # thick smooth lines take ten times as long
    for color, chosen in _groups(drawn[0, whole]):
        cv2.polylines(layer, list(lines[chosen]), False, palette[color].tolist(), thickness, kind, _SHIFT)
    s, n = np.nonzero(steps & ~whole)
    single = np.stack([places[s, n], places[s + 1, n]], axis=1)  # (M, 2, 2)
    for color, chosen in _groups(drawn[s, n]):
        cv2.polylines(layer, list(single[chosen]), False, palette[color].tolist(), thickness, kind, _SHIFT)
    return cv2.addWeighted(layer, weight, picture, 1 - weight, 0)


def _groups(drawn: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The colours that occur, each with the entries that have it."""
    order = np.argsort(drawn, kind="stable")
    colors, starts = np.unique(drawn[order], return_index=True)
    return list(zip(colors.tolist(), np.split(order, starts[1:]), strict=True)) if len(colors) else []


def _draw_points(
    picture: np.ndarray, xy: np.ndarray, places: np.ndarray, known: np.ndarray, seen: np.ndarray, rgb: np.ndarray
) -> None:
    """Draws points that lie in the frame into a picture: rings where hidden, discs above them where visible."""
    import cv2

    height, width = picture.shape[:2]
    inside = known & (xy >= 0).all(axis=1) & (xy <= np.array([width - 1, height - 1])).all(axis=1)
    radius = max(_MIN_RADIUS_PX, round(min(height, width) / _DISC_SIDE_PX)) * _ONE_PX
    edge = radius + _ONE_PX
    centres, colors = places.tolist(), rgb.tolist()
    for n in np.flatnonzero(inside & ~seen).tolist():
        cv2.circle(picture, centres[n], edge, colors[n], 1, cv2.LINE_AA, _SHIFT)
    for n in np.flatnonzero(inside & seen).tolist():
        cv2.circle(picture, centres[n], edge, _OUTLINE, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(picture, centres[n], radius, colors[n], -1, cv2.LINE_AA, _SHIFT)
