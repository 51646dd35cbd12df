"""Draws the picture at the top of the README: what tracks are for, on one of the demo's own clips.

python scripts/readme_picture.py assets/what_tracks_are_for.jpg
"""

from __future__ import annotations

import sys
import tempfile

import cv2
import numpy as np

import point_tracking as pt
from point_tracking.demo.clips import make_clips
from point_tracking.tracker.models.base import Tracker
from point_tracking.tracker.propagation import Box, FilledFrame, Keyframe, PropagationOptions, fill_frames, seed_points
from point_tracking.tracker.types import Tracks

_TAIL = 12
_SHARES = (0.0, 0.5, 1.0)
_KEYFRAME, _CARRIED = (80, 220, 80), (255, 190, 40)
_GAP_PX = 6


def main(path: str) -> None:
    """Writes the picture to a file."""
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clips(folder)[0]
        video = pt.VideoFrames(clip.path)
        frames = np.concatenate([np.asarray(chunk) for chunk in video.chunks(chunk_frames=16)])
        tracker = pt.load_tracker("pt-fused")
        shown = [round(share * (len(frames) - 1)) for share in _SHARES]
        width, height = video.size_px
        tracks = tracker.track(video, pt.grid_queries(14, width=width, height=height))
        trails = [_captioned(_trails(frames[t], tracks, t), f"Track a grid of points: frame {t + 1}") for t in shown]
        carried = _carried(clip.mask, video, tracker, shown)
        boxes = [_captioned(_box(frames[one.t], one), _told(one)) for one in carried]
    rows = [np.concatenate([_padded(picture) for picture in row], axis=1) for row in (trails, boxes)]
    cv2.imwrite(path, np.concatenate(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def _trails(frame: np.ndarray, tracks: Tracks, t: int) -> np.ndarray:
    picture = frame.copy()
    hues = np.linspace(0, 179, tracks.num_points).astype(np.uint8)
    colors = cv2.cvtColor(
        np.stack([hues, np.full_like(hues, 220), np.full_like(hues, 255)], -1)[None], cv2.COLOR_HSV2RGB
    )
    for n in np.flatnonzero(tracks.visible[t]):
        color = tuple(int(value) for value in colors[0, n])
        since = max(t - _TAIL, 0)
        seen = tracks.xy[since : t + 1, n][tracks.visible[since : t + 1, n]]
        cv2.polylines(picture, [np.round(seen * 8).astype(np.int32)], False, color, 1, cv2.LINE_AA, 3)
        x, y = (round(float(value)) for value in tracks.xy[t, n])
        cv2.circle(picture, (x, y), 2, color, -1, cv2.LINE_AA)
    return picture


def _carried(mask: np.ndarray, video: pt.VideoFrames, tracker: Tracker, shown: list[int]) -> list[FilledFrame]:
    """The object's box, drawn in the first frame only, in the frames that are shown."""
    y, x = np.nonzero(mask)
    scale = np.array(video.size_px) / mask.shape[::-1]
    box = Box(np.array([*(np.array([x.min(), y.min()]) * scale), *(np.array([x.max() + 1, y.max() + 1]) * scale)]))
    options = PropagationOptions()
    seeds = seed_points(box, video.size_px, options)
    queries = pt.Queries(t=np.zeros(len(seeds), int), xy=seeds.xy)
    tracks = tracker.track(video, queries)
    filled = fill_frames([Keyframe(0, box)], {0: tracks}, video.num_frames, video.size_px, options)
    return [one for one in filled if one.t in shown]


def _box(frame: np.ndarray, one: FilledFrame) -> np.ndarray:
    picture = frame.copy()
    assert isinstance(one.shape, Box)
    left, top, right, bottom = (round(float(side)) for side in one.shape.xyxy)
    cv2.rectangle(picture, (left, top), (right, bottom), _KEYFRAME if one.keyframe else _CARRIED, 2, cv2.LINE_AA)
    return picture


def _told(one: FilledFrame) -> str:
    return f"Label: a box drawn in frame {one.t + 1}" if one.keyframe else f"carried to frame {one.t + 1}"


def _captioned(picture: np.ndarray, text: str) -> np.ndarray:
    for color, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(picture, text, (10, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.55, color, thickness, cv2.LINE_AA)
    return picture


def _padded(picture: np.ndarray) -> np.ndarray:
    return cv2.copyMakeBorder(picture, 0, _GAP_PX, 0, _GAP_PX, cv2.BORDER_CONSTANT, value=(255, 255, 255))


if __name__ == "__main__":
    main(sys.argv[1])
