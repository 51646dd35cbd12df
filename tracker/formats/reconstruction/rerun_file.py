"""rerun: a recording (.rrd) with the video, the points and their trails, for the rerun viewer.

Pixels from the outer corner of the first pixel; the timeline "frame" counts from 0. Points are `video/points`, of class
= object or 0 and with the track's number as keypoint; trails of the last 15 frames are `video/trails`. A recording
holds a copy of the video, and is read by the version of rerun that wrote it: the version stands in its name.
Source: rerun-sdk 0.41 (MIT or Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError
from ..clip import TrackedClip
from ..conventions import CONVENTIONS
from ..extras import needed
from ..options import WriteOptions
from ..output_files import library_path

_TAIL = 15
_LARGEST_ID = 65_535
_BYTES_PER_POINT = 64
_APPLICATION = "point_tracking"


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes one clip.

    Raises:
        FormatError: for numbers of tracks or objects that rerun cannot hold
        OutputError
        DependencyError: without rerun-sdk
    """
    rerun = needed("rerun", "rerun")
    (clip,) = clips
    largest = max([0, *clip.indices.tolist(), *(number or 0 for number in clip.object_list())])
    if largest > _LARGEST_ID:
        raise FormatError(f"A track or object has the number {largest}, and rerun holds numbers up to {_LARGEST_ID}")
    with library_path(path, overwrite=options.overwrite, expected_bytes=_expected_bytes(clip)) as part:
        recording = rerun.RecordingStream(_APPLICATION)
        recording.save(str(part))
        recording.send_recording_name(f"{Path(clip.path).stem} (rerun {rerun.__version__})")
        _log_video(rerun, recording, clip, options.first_frame)
        _log_points(rerun, recording, clip, options.first_frame)
        recording.flush()
        recording.disconnect()


def _expected_bytes(clip: TrackedClip) -> int:
    """The video, and for each point its place and its trail."""
    video = Path(clip.path).stat().st_size if Path(clip.path).is_file() else 0
    return 2**20 + video + clip.tracks.visible.size * (_BYTES_PER_POINT + 8 * _TAIL)


def _log_video(rerun: Any, recording: Any, clip: TrackedClip, first_frame: int) -> None:
    video = rerun.AssetVideo(path=clip.path)
    recording.log("video", video, static=True)
    times = video.read_frame_timestamps_nanos()
    for frame in clip.frames.tolist():
        if frame < len(times):
            recording.set_time("frame", sequence=frame + first_frame)
            recording.log("video", rerun.VideoFrameReference(nanoseconds=int(times[frame])))


def _log_points(rerun: Any, recording: Any, clip: TrackedClip, first_frame: int) -> None:
    tracks = clip.tracks
    xy = CONVENTIONS["rerun"].to_file(tracks.xy, clip.size_px or (1, 1)).astype(np.float32)
    labels = [
        (index, label if node is None else f"{label} {node}")
        for index, label, node in zip(clip.indices.tolist(), clip.labels(), clip.node_list(), strict=True)
    ]
    keypoints = [rerun.AnnotationInfo(id=index, label=label) for index, label in labels]
    classes = np.array([number or 0 for number in clip.object_list()], dtype=np.uint16)
    described = [
        rerun.ClassDescription(info=rerun.AnnotationInfo(id=int(number)), keypoint_annotations=keypoints)
        for number in np.unique(np.append(classes, 0))
    ]
    recording.log("video", rerun.AnnotationContext(described), static=True)
    for row, frame in enumerate(clip.frames.tolist()):
        seen = np.flatnonzero(tracks.visible[row])
        recording.set_time("frame", sequence=frame + first_frame)
        recording.log(
            "video/points",
            rerun.Points2D(xy[row, seen], class_ids=classes[seen], keypoint_ids=clip.indices[seen].astype(np.uint16)),
        )
        recording.log("video/trails", rerun.LineStrips2D(_trails(xy, tracks.visible, row), class_ids=None))


def _trails(xy: np.ndarray, visible: np.ndarray, row: int) -> list[np.ndarray]:
    """Where each point that is seen now was in the frames before, as far as it was seen without a gap."""
    trails = []
    for column in np.flatnonzero(visible[row]).tolist():
        seen = visible[max(row - _TAIL, 0) : row + 1, column][::-1]
        length = len(seen) if seen.all() else int(np.argmin(seen))
        if length > 1:
            trails.append(xy[row - length + 1 : row + 1, column])
    return trails
