"""The form of `import_tracks`: what it finds at a path, and what is refused before Execute."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
from operator_forms import form_of, invalid_in

import point_tracking as pt

URI = "@fo-video/point-tracking/import_tracks"


def test_it_says_how_many_clips_are_of_the_chosen_videos(dataset: fo.Dataset, tmp_path: Path):
    pt.export_tracks(dataset, "tracks", tmp_path / "all.csv", format="csv")
    form = form_of(URI, dataset, path=str(tmp_path / "all.csv"))
    assert form["files"].view.label == "2 clips for 2 videos"
    assert invalid_in(form) == {}
    wrong = invalid_in(form_of(URI, dataset, path=str(tmp_path / "nothing.csv")))
    assert "There is no file or folder" in wrong["path"]


def test_pose_formats_ask_for_a_likelihood_and_offer_a_skeleton(dataset: fo.Dataset):
    form = form_of(URI, dataset, format="dlc")
    assert "min_confidence" in form
    assert form["layout"].default == "objects"
    assert "layout" not in form_of(URI, dataset, format="cvat", layout="points", min_confidence=0.5)
