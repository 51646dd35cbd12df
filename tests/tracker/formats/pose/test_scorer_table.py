"""The CSV of DeepLabCut and lightning-pose: every form of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.pose.scorer_table import read_table

PREDICTED = "scorer,s,s,s\nbodyparts,a,a,a\ncoords,x,y,likelihood\n0,1.5,2,0.9\n1,,,\n"
OLD_TRAINING = "scorer,s,s\nbodyparts,a,a\ncoords,x,y\nlabeled-data/v/img0007.png,1,2\n"
NEW_TRAINING = "scorer,,,s,s\nbodyparts,,,a,a\ncoords,,,x,y\nlabeled-data,v,img0007.png,1,2\n"
SEVERAL = "scorer,s,s,s,s\nindividuals,i,i,j,j\nbodyparts,a,a,a,a\ncoords,x,y,x,y\n3,1,2,3,4\n"


def read(tmp_path: Path, text: str):
    (tmp_path / "a.csv").write_text(text)
    return read_table(tmp_path / "a.csv")


def test_predictions_and_training_sets_of_any_age_are_read(tmp_path: Path):
    table = read(tmp_path, PREDICTED)
    assert (table.frames.tolist(), table.poses.nodes, table.poses.individuals) == ([0, 1], ["a"], [""])
    assert table.poses.xy[0, 0, 0].tolist() == [1.5, 2]
    assert np.isnan(table.poses.xy[1]).all()
    for text in (OLD_TRAINING, NEW_TRAINING, OLD_TRAINING.replace("/", "\\")):
        table = read(tmp_path, text)
        assert (table.frames.tolist(), table.poses.xy[0, 0, 0].tolist()) == ([7], [1, 2])
        assert np.isnan(table.poses.score).all()
    assert read(tmp_path, SEVERAL).poses.individuals == ["i", "j"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lacks the header rows scorer, bodyparts, coords"),
        (PREDICTED.replace("coords", "cords"), "lacks the header rows coords"),
        (PREDICTED.replace("x,y", "x,z"), "column 'z'"),
        (PREDICTED.replace("x,y,likelihood", "x,x,likelihood"), "column a x twice"),
        (OLD_TRAINING.replace("x,y", "x,likelihood"), "lacks the column a y"),
        (PREDICTED.replace("1.5", "here"), "row 1: a x is 'here'"),
        (PREDICTED.replace("1,,,", "1,,"), "row 2: 3 values for 4 columns"),
        (OLD_TRAINING.replace("img0007", "img"), "does not say which frame"),
        (PREDICTED.replace("\n1,", "\n99999999999,"), "does not say which frame"),
        (PREDICTED.replace("bodyparts,a,a,a", "bodyparts,a,a"), "different lengths"),
    ],
)
def test_what_is_wrong_is_told(text: str, words: str, tmp_path: Path):
    with pytest.raises(FormatError, match=words):
        read(tmp_path, text)


def test_hdf5_is_never_read(tmp_path: Path):
    (tmp_path / "a.h5").touch()
    with pytest.raises(FormatError, match=r"Give the \.csv"):
        read_table(tmp_path / "a.h5")
