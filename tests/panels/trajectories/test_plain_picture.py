"""The picture without the script."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import cv2
import fiftyone as fo
import media
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.panels.trajectories.plain_picture import grey_frame, plotly_traces
from point_tracking.panels.trajectories.scene import Choice, build_scene

MakeDataset = Callable[..., fo.Dataset]


@pytest.mark.parametrize("longest_side", [640, 40])
def test_the_first_frame_is_a_grey_picture_of_at_most_that_size(clip: Path, longest_side: int) -> None:
    url = grey_frame(str(clip), longest_side)
    assert url is not None
    head, _, coded = url.partition(",")
    assert head == "data:image/jpeg;base64"
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(coded), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.ndim == 2
    assert max(picture.shape) == min(max(media.SIZE), longest_side)


def test_a_file_that_is_no_video_has_no_picture(tmp_path: Path) -> None:
    assert grey_frame(str(media.text_file(tmp_path / "broken.mp4"))) is None


def test_a_point_of_a_line_says_its_track_and_frame(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    seen = np.ones((12, 2), bool)
    seen[3, 0] = False
    xy = np.tile([[20.0, 10.0], [30.0, 40.0]], (12, 1, 1))
    pt.write_tracks(sample, "tracks", pt.Tracks(np.where(seen[..., None], xy, np.nan), seen, seen * 1.0))
    picture, first, second = plotly_traces(sample, build_scene(sample, Choice("tracks")))
    assert picture["type"] == "image"
    assert (first["ids"][3], first["x"][3], first["x"][4]) == ("1:4", None, 20.0)
    assert (second["ids"][11], second["y"][11]) == ("2:12", 40.0)
