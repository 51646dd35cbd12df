"""COCO keypoints of a video's frames: the form of the file, what comes back, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_clips import LABELS, assert_seen_alike, corner_clip, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.options import ReadOptions, WriteOptions
from point_tracking.tracker.formats.pose.coco_file import read_clips, read_keys, write_clips


def written(path: Path, clip) -> dict[str, Any]:
    write_clips(path, [clip], WriteOptions(overwrite=True))
    return json.loads(path.read_text(encoding="utf-8"))


def test_hidden_points_are_ones_and_unknown_ones_zeros(tmp_path: Path):
    held = written(tmp_path / "a.json", corner_clip())
    first, third = held["annotations"][0], held["annotations"][2]
    assert first["keypoints"] == [0, 0, 2, 159, 0, 2, 0, 119, 2, 159, 119, 2]
    assert (first["num_keypoints"], first["bbox"], first["area"]) == (4, [0, 0, 159, 119], 159 * 119)
    assert third["keypoints"] == [0.5, 0.5, 2, 158.5, 0.5, 1, 0, 0, 0, 0, 0, 0]
    assert third["num_keypoints"] == 2
    assert held["categories"][0]["keypoints"] == list(LABELS)
    assert held["images"][5] == {
        "id": 6, "file_name": "größe_frame_000005.png", "width": 160, "height": 120, "frame_index": 5, "video_id": 1,
    }  # fmt: skip


def test_hidden_points_individuals_and_skeletons_come_back(tmp_path: Path):
    written(tmp_path / "a.json", mice())
    (clip,) = read_clips(tmp_path / "a.json", ReadOptions())
    assert_seen_alike(clip, mice())
    np.testing.assert_array_equal(clip.known, mice().known)
    assert (clip.labels()[0], clip.edges, clip.size_px) == ("mouse_1", (("nose", "tail"),), (160, 120))
    assert read_keys(tmp_path / "a.json") == [("", "/videos/mice.mp4")]


def test_files_of_others_may_say_less(tmp_path: Path):
    held = {
        "images": [{"id": 8, "file_name": "video_000012.jpg"}, {"id": 9, "file_name": "video_000013.jpg"}],
        "annotations": [{"id": 1, "image_id": 9, "category_id": 5, "keypoints": [4, 5, 2]}],
        "categories": [{"id": 4, "name": "thing"}, {"id": 5, "name": "person", "keypoints": ["nose"]}],
    }
    (tmp_path / "a.json").write_text(json.dumps(held))
    (clip,) = read_clips(tmp_path / "a.json", ReadOptions(first_frame=10))
    assert (clip.frames.tolist(), clip.tracks.xy[1, 0].tolist()) == ([2, 3], [4, 5])


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("images", None, "lacks images"),
        ("annotations", [{"image_id": 1, "category_id": 1, "keypoints": [1, 2]}], "has 2 numbers, expected 12"),
        ("annotations", [{"image_id": 1, "category_id": 1, "keypoints": [0] * 12}] * 2, "two annotations"),
        ("annotations", [{"image_id": 1, "category_id": 7, "keypoints": [0] * 12}], "no COCO|has 12 numbers"),
        ("annotations", [{"image_id": 1, "keypoints": [0] * 12}], "no COCO file"),
        ("annotations", [{"image_id": 1, "category_id": 1, "keypoints": [1e30, 0, 2] * 4}], "which is no position"),
        ("annotations", [{"image_id": 1, "category_id": 1, "keypoints": [float("nan"), 0, 2] * 4}], "is no number"),
        ("images", [{"id": 1, "frame_index": 10**12}], "no video has"),
        ("images", [{"id": 1, "frame_index": 0}] * 2, "two images of one id"),
    ],
)
def test_what_is_wrong_is_told(key: str, value: Any, words: str, tmp_path: Path):
    held = written(tmp_path / "a.json", corner_clip())
    held[key] = value
    for image in held["images"] or ():
        image.pop("video_id", None)
    (tmp_path / "a.json").write_text(json.dumps(held))
    with pytest.raises(FormatError, match=words):
        list(read_clips(tmp_path / "a.json", ReadOptions()))
