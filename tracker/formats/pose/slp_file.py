"""SLEAP's .slp, through sleap-io.

A skeleton of the nodes, a track per individual; frames count from 0, whole numbers are pixels. Positions that a person
gave make an `Instance`, all others a `PredictedInstance` with the confidence of each point. Points that are hidden are
left out. Read without opening the video; scores above 1, which SLEAP's networks give, count as 1. Source: sleap-io 0.9.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError
from ..clip import TrackedClip
from ..conventions import CONVENTIONS
from ..extras import needed
from ..options import ReadOptions, WriteOptions
from ..output_files import library_path
from .poses import FoundPoses, Poses, clip_of_poses, poses_of, shown_xy

UNNAMED_TRACK = "track_0"
# more than was measured of any file
_LEAST_BYTES, _BYTES_PER_POINT = 2**20, 200


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes one clip.

    Raises:
        FormatError: if names are not unique
        OutputError
        DependencyError: without sleap-io
    """
    sio = needed("sleap_io", "pose")
    (clip,) = clips
    poses = poses_of(clip, options.names)
    labels = sio.Labels(
        labeled_frames=[], videos=[_video(sio, clip)], skeletons=[_skeleton(sio, clip, poses)],
        tracks=[sio.Track(name or UNNAMED_TRACK) for name in poses.individuals],
    )  # fmt: skip
    labels.labeled_frames = list(_frames(sio, clip, poses, labels, options.first_frame))
    expected_bytes = _LEAST_BYTES + _BYTES_PER_POINT * clip.tracks.visible.size
    with library_path(path, overwrite=options.overwrite, expected_bytes=expected_bytes) as scratch:
        labels.save(str(scratch), verbose=False, embed=False)


def _video(sio: Any, clip: TrackedClip) -> Any:
    width, height = clip.size_px or (0, 0)
    shape = (clip.num_frames or int(clip.frames.max(initial=-1)) + 1, height, width, 3)
    return sio.Video(clip.path or clip.name, backend_metadata={"shape": shape}, open_backend=False)


def _skeleton(sio: Any, clip: TrackedClip, poses: Poses) -> Any:
    edges = [edge for edge in clip.edges if set(edge) <= set(poses.nodes)]
    return sio.Skeleton(nodes=list(poses.nodes), edges=edges, name="skeleton")


def _frames(sio: Any, clip: TrackedClip, poses: Poses, labels: Any, first_frame: int) -> Iterator[Any]:
    xy = CONVENTIONS["slp"].to_file(shown_xy(clip, poses), clip.size_px or (1, 1))  # (T, I, K, 2)
    score = poses.values(clip.tracks.confidence, np.nan)
    keyframes = np.zeros(clip.tracks.visible.shape, dtype=bool) if clip.keyframes is None else clip.keyframes
    given: np.ndarray = np.asarray(poses.values(keyframes, 0).any(axis=2))  # (T, I)
    skeleton, video = labels.skeletons[0], labels.videos[0]
    for t, frame in enumerate(clip.frames.tolist()):
        instances = []
        for k, track in enumerate(labels.tracks):
            seen: np.ndarray = np.asarray(np.isfinite(xy[t, k]).all(axis=1))
            if not seen.any():
                continue
            if given[t, k]:
                instances.append(sio.Instance.from_numpy(xy[t, k], skeleton=skeleton, track=track))
                continue
            points = np.where(seen, score[t, k], 0)
            instances.append(
                sio.PredictedInstance.from_numpy(
                    xy[t, k], skeleton=skeleton, point_scores=points, score=float(points[seen].mean()), track=track
                )
            )
        if instances:
            yield sio.LabeledFrame(video=video, frame_idx=frame + first_frame, instances=instances)


def read_clips(path: Path, options: ReadOptions) -> Iterator[TrackedClip]:
    """Yields the clip of each video in a file.

    Raises:
        FormatError: if it is no such file, or instances say not which individual they are of
        DependencyError: without sleap-io
    """
    labels = _load(path)
    for number, video in enumerate(labels.videos):
        frames = [frame for frame in labels.labeled_frames if frame.video is video]
        if not frames and number:
            continue
        yield _clip_of(labels, video, frames, path, options)


def read_keys(path: Path) -> list[tuple[str, str]]:
    """("", path of the video) of each clip in a file."""
    return [("", str(video.filename)) for video in _load(path).videos]


def _load(path: Path) -> Any:
    sio = needed("sleap_io", "pose")
    try:
        return sio.load_slp(str(path), open_videos=False)
    except (OSError, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        # a damaged file, or another HDF5, fails in any of these ways
        raise FormatError(f"{path} cannot be read as a .slp file: {error}") from error


def _clip_of(labels: Any, video: Any, frames: list[Any], path: Path, options: ReadOptions) -> TrackedClip:
    nodes = list(labels.skeletons[0].node_names) if labels.skeletons else []
    edges = tuple((str(a), str(b)) for a, b in labels.skeletons[0].edge_names) if labels.skeletons else ()
    if any(len(frame.instances) > 1 and any(i.track is None for i in frame.instances) for frame in frames):
        raise FormatError(f"{path} has several instances in a frame without a track. Track them in SLEAP first")
    tracks = [track for track in labels.tracks if any(i.track is track for frame in frames for i in frame.instances)]
    owners: list[Any] = tracks or [None]
    shape = (len(frames), len(owners), len(nodes))
    xy, score = np.full((*shape, 2), np.nan), np.full(shape, np.nan)
    keyframes = np.zeros(shape, dtype=bool)
    for t, frame in enumerate(frames):
        predicted = [i for i in frame.instances if hasattr(i, "score")]
        # what a person placed stands for what was predicted
        for instance in [*predicted, *(i for i in frame.instances if not hasattr(i, "score"))]:
            k = next((k for k, track in enumerate(owners) if track is instance.track), None)
            if k is None or instance.skeleton is not labels.skeletons[0]:
                raise FormatError(
                    f"{path}, frame {frame.frame_idx}: an instance of another skeleton, or without a track"
                )
            xy[t, k] = instance.numpy()
            person = not hasattr(instance, "score")
            keyframes[t, k] = person & np.isfinite(xy[t, k]).all(axis=1)
            score[t, k] = 1.0 if person else np.clip(instance.points["score"], 0, 1)
    size = video.backend_metadata.get("shape") if video.backend_metadata else None
    names = ["" if track is None or track.name == UNNAMED_TRACK else str(track.name) for track in owners]
    return clip_of_poses(
        FoundPoses(names, nodes, CONVENTIONS["slp"].from_file(xy, (1, 1)), score, keyframes=keyframes),
        np.array([int(frame.frame_idx) for frame in frames], dtype=np.int64) - options.first_frame,
        str(path),
        size_px=(int(size[2]), int(size[1])) if size is not None and size[1] and size[2] else None,
        edges=edges,
        path=str(video.filename),
    )
