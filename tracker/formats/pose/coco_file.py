"""COCO keypoints for the frames of a video, as JSON.

One image per frame, one annotation per individual and frame in which one of its points has a position; keypoints are
[x, y, v]: v 2 = visible, 1 = hidden, 0 = not there (x = y = 0). Whole numbers are pixels; `frame_index` counts from 0.
`track_id` tells individuals (PoseTrack's name), `score` is the mean confidence of the visible points. `bbox` is the
hull of the points. A skeleton counts its points from 1. Source: COCO's data format page, PoseTrack 2018.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError
from ..clip import TrackedClip, check_cells
from ..conventions import CONVENTIONS
from ..options import ReadOptions, WriteOptions
from ..output_files import complete_file
from .poses import FoundPoses, Poses, clip_of_poses, poses_of

_DIGITS = re.compile(r"(\d+)\D*$")
_FRAME_KEYS = ("frame_index", "frame_id", "frame")
_MOST_FRAMES = 10**8


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes one clip.

    Raises:
        FormatError: if names are not unique
        OutputError
    """
    (clip,) = clips
    poses = poses_of(clip, options.names)
    stem, (width, height) = Path(clip.path or clip.name).stem, clip.size_px or (0, 0)
    numbers = (clip.frames + options.first_frame).tolist()
    images = [
        {
            "id": number + 1,
            "file_name": f"{stem}_frame_{number:06d}.png",
            "width": width,
            "height": height,
            "frame_index": number,
            "video_id": 1,
        }
        for number in numbers
    ]
    places = {name: place for place, name in enumerate(poses.nodes, start=1)}
    skeleton = [[places[a], places[b]] for a, b in clip.edges if a in places and b in places]
    individuals = [{"track_id": k + 1, "name": name} for k, name in enumerate(poses.individuals)]
    held = {
        "info": {"description": "point tracks"},
        "videos": [{"id": 1, "name": stem, "file_name": clip.path, "fps": clip.fps, "individuals": individuals}],
        "images": images,
        "annotations": list(_annotations(clip, poses, numbers)),
        "categories": [{"id": 1, "name": "pose", "keypoints": list(poses.nodes), "skeleton": skeleton}],
    }
    with complete_file(path, overwrite=options.overwrite) as file:
        json.dump(held, file, ensure_ascii=False, separators=(",", ":"))


def _annotations(clip: TrackedClip, poses: Poses, numbers: list[int]) -> Iterator[dict[str, Any]]:
    xy = CONVENTIONS["coco"].to_file(poses.values(clip.tracks.xy, np.nan), clip.size_px or (1, 1))
    seen = poses.values(clip.tracks.visible, 0) > 0
    score = poses.values(clip.tracks.confidence, 0)
    known: np.ndarray = np.asarray(np.isfinite(xy).all(axis=-1))  # (T, I, K)
    following = 1
    for t, number in enumerate(numbers):
        for k in range(len(poses.individuals)):
            there = known[t, k]
            if not there.any():
                continue
            flags = np.where(there, np.where(seen[t, k], 2, 1), 0)
            points = [
                value
                for (x, y), flag in zip(_plain(np.where(there[:, None], xy[t, k], 0)), flags.tolist(), strict=True)
                for value in (x, y, flag)
            ]
            low, high = xy[t, k][there].min(axis=0), xy[t, k][there].max(axis=0)
            width, height = (high - low).tolist()
            yield {
                "id": following,
                "image_id": number + 1,
                "category_id": 1,
                "track_id": k + 1,
                "keypoints": points,
                "num_keypoints": int(there.sum()),
                "bbox": [*_plain(low[None])[0], width, height],
                "area": width * height,
                "iscrowd": 0,
                "score": float(score[t, k][seen[t, k]].mean()) if seen[t, k].any() else 0.0,
            }
            following += 1


def _plain(xy: np.ndarray) -> list[list[float]]:
    """Positions with the digits that they have as float32."""
    return xy.astype(np.float32).astype("U32").astype(np.float64).tolist()


def read_clips(path: Path, options: ReadOptions) -> Iterator[TrackedClip]:
    """Yields the clip of each video in a file; images without a `video_id` are of one.

    Raises:
        FormatError: if it is no such file; names the annotation that is wrong
    """
    held = _load(path)
    try:
        for video in _videos(held):
            yield _clip_of(held, video, path, options)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise FormatError(
            f"{path} is no COCO file of keypoints, or was changed: {type(error).__name__} {error}"
        ) from error


def read_keys(path: Path) -> list[tuple[str, str]]:
    """("", path or name of the video) of each clip in a file."""
    try:
        return [("", str(video.get("file_name") or video.get("name") or "")) for video in _videos(_load(path))]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise FormatError(f"{path} is no COCO file of keypoints, or was changed: {error}") from error


def _load(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"{path} cannot be read as JSON: {error}") from error
    missing = [
        key
        for key in ("images", "annotations", "categories")
        if not isinstance(held, dict) or not isinstance(held.get(key), list)
    ]
    if missing:
        raise FormatError(f"{path} lacks {', '.join(missing)}. Expected a COCO file of keypoints")
    return held


def _videos(held: Mapping[str, Any]) -> list[dict[str, Any]]:
    noted = {video["id"]: video for video in held.get("videos") or []}
    ids = dict.fromkeys(image.get("video_id") for image in held["images"]) or dict.fromkeys(noted) or {None: None}
    return [{**noted.get(number, {}), "id": number} for number in ids]


def _clip_of(held: Mapping[str, Any], video: Mapping[str, Any], path: Path, options: ReadOptions) -> TrackedClip:
    images = [image for image in held["images"] if image.get("video_id") == video["id"]]
    frames = [_frame_of(image, path) for image in images]
    row_of = {image["id"]: row for row, image in enumerate(images)}
    if len(row_of) < len(images):
        raise FormatError(f"{path} has two images of one id")
    annotations = [one for one in held["annotations"] if one["image_id"] in row_of and "keypoints" in one]
    category = _category(held, annotations, path)
    nodes = [str(name) for name in category.get("keypoints", ())]
    track_ids = sorted({int(one.get("track_id", 0)) for one in annotations}) or [0]
    names = {int(one["track_id"]): str(one["name"]) for one in video.get("individuals") or ()}
    check_cells(len(frames), len(track_ids) * len(nodes), len(annotations) * len(nodes), str(path))
    shape = (len(frames), len(track_ids), len(nodes))
    xy, score = np.full((*shape, 2), np.nan), np.full(shape, np.nan)
    hidden, taken = np.zeros(shape, dtype=bool), np.zeros(shape[:2], dtype=bool)
    for one in annotations:
        t, k = row_of[one["image_id"]], track_ids.index(int(one.get("track_id", 0)))
        points = np.array(one["keypoints"], dtype=np.float64)
        if points.shape != (3 * len(nodes),):
            raise FormatError(
                f"{path}: annotation {one.get('id')} has {points.size} numbers, expected {3 * len(nodes)}"
            )
        if taken[t, k]:
            raise FormatError(f"{path}: two annotations of one individual (track_id) in frame {frames[t]}")
        taken[t, k] = True
        points = points.reshape(len(nodes), 3)
        there = points[:, 2] > 0
        if not np.isfinite(points[there, :2]).all():
            raise FormatError(f"{path}: annotation {one.get('id')} has a point at a place that is no number")
        xy[t, k] = np.where(there[:, None], points[:, :2], np.nan)
        hidden[t, k] = points[:, 2] == 1
        if one.get("score") is not None:
            score[t, k] = np.clip(float(one["score"]), 0, 1)
    size = (int(images[0].get("width") or 0), int(images[0].get("height") or 0)) if images else (0, 0)
    edges = tuple((nodes[a - 1], nodes[b - 1]) for a, b in category.get("skeleton") or ())
    several = len(track_ids) > 1
    individuals = [names.get(number, str(number) if several else "") for number in track_ids]
    return clip_of_poses(
        FoundPoses(individuals, nodes, CONVENTIONS["coco"].from_file(xy, (1, 1)), score, hidden),
        np.array(frames, dtype=np.int64) - options.first_frame,
        str(path),
        size_px=size if all(size) else None,
        edges=edges,
        path=str(video.get("file_name") or video.get("name") or ""),
    )


def _category(held: Mapping[str, Any], annotations: list[dict[str, Any]], path: Path) -> dict[str, Any]:
    used = {one["category_id"] for one in annotations}
    found = [one for one in held["categories"] if one["id"] in used or (not used and one.get("keypoints"))]
    if len(found) > 1 or len(used) > 1:
        raise FormatError(f"{path} holds keypoints of {len(used)} categories. Import files of one category each")
    return found[0] if found else {}


def _frame_of(image: Mapping[str, Any], path: Path) -> int:
    for key in _FRAME_KEYS:
        if isinstance(image.get(key), int) and not isinstance(image[key], bool):
            frame = image[key]
            break
    else:
        match = _DIGITS.search(Path(str(image.get("file_name", ""))).stem)
        if match is None:
            raise FormatError(f"{path}: image {image.get('id')} does not say which frame it is")
        frame = int(match.group(1)[-12:])
    if not 0 <= frame < _MOST_FRAMES:
        raise FormatError(f"{path}: image {image.get('id')} is of frame {frame}, which no video has")
    return frame
