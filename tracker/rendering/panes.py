"""One field, or two side by side, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import ShapeError
from ..types import Tracks
from .colors import Colors, colors_of
from .options import TRAIL_DEFAULTS, TrailOptions
from .trails import draw_trails

# a caption's letters at this height of a pane have OpenCV's size 1
_CAPTION_SIDE_PX = 640
_CAPTION_MARGIN_PX = 8
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True, eq=False)
class Pane:
    """The tracks that one part of the picture shows.

    Args:
        tracks: of the clip, in pixels of a pane
        colors: of these tracks
        title: written into its corner, where there are several
    """

    tracks: Tracks
    colors: Colors
    title: str


def make_panes(
    fields: Sequence[tuple[str, Tracks]], video_px: tuple[int, int], pane_px: tuple[int, int], color_by: str
) -> list[Pane]:
    """Scales and colours the tracks of one or more fields.

    Args:
        fields: title and tracks of each, in pixels of the video
        video_px: (width, height) of the video's displayed frame
        pane_px: (width, height) of the frames that are drawn on
        color_by: one of `colors.COLORINGS`

    Raises:
        FieldError: if tracks do not say what they are to be told apart by
    """
    return [
        Pane(scaled_tracks(tracks, video_px, pane_px), colors_of(tracks, color_by), title) for title, tracks in fields
    ]


def fit_pane(video_px: tuple[int, int], num_panes: int, longest_side: int | None, *, even: bool) -> tuple[int, int]:
    """The size of each of some panes that lie side by side.

    Args:
        video_px: (width, height) of the video's displayed frame
        num_panes: 1 or more
        longest_side: pixels of all together, None = each as the video
        even: both sides are even, at most a pixel less than they would be

    Returns:
        (width, height)
    """
    width, height = video_px
    scale = longest_side / max(width * num_panes, height) if longest_side else 1.0
    step = 2 if even else 1
    pane_width, pane_height = (max(round(side * scale) // step * step, step) for side in (width, height))
    return pane_width, pane_height


def scaled_tracks(tracks: Tracks, from_px: tuple[int, int], to_px: tuple[int, int]) -> Tracks:
    """Tracks in pixels of a frame that was scaled; centres of pixels stay where they are in the picture.

    Args:
        tracks: in pixels of the frame as it was
        from_px: (width, height) as it was
        to_px: (width, height) as it is
    """
    if from_px == to_px:
        return tracks
    scale = np.array(to_px, dtype=np.float32) / np.array(from_px, dtype=np.float32)
    return replace(tracks, xy=(tracks.xy + 0.5) * scale - 0.5)


def draw_panes(
    frame: np.ndarray, panes: Sequence[Pane], frame_index: int, options: TrailOptions = TRAIL_DEFAULTS
) -> np.ndarray:
    """Draws a frame once for each pane and lays them side by side.

    Args:
        frame: uint8 (H, W, 3) RGB, of a pane's size
        panes: one or more
        frame_index: of the frame in the clip
        options: what trails look like

    Returns:
        uint8 (H, panes * W, 3) RGB

    Raises:
        ShapeError: if there is no pane, or the frame is none
    """
    if not panes:
        raise ShapeError("There are no tracks to draw. Give those of one field, or of two")
    drawn = [draw_trails(frame, pane.tracks, frame_index, pane.colors, options) for pane in panes]
    if len(drawn) == 1:
        return drawn[0]
    for picture, pane in zip(drawn, panes, strict=True):
        _write_title(picture, pane.title)
    return np.concatenate(drawn, axis=1)


def _write_title(picture: np.ndarray, title: str) -> None:
    import cv2

    size = max(picture.shape[0] / _CAPTION_SIDE_PX, 0.4)
    (_, height), _ = cv2.getTextSize(title, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    place = (_CAPTION_MARGIN_PX, _CAPTION_MARGIN_PX + height)
    for color, thickness in ((_BLACK, 3), (_WHITE, 1)):
        cv2.putText(picture, title, place, cv2.FONT_HERSHEY_SIMPLEX, size, color, thickness, cv2.LINE_AA)
