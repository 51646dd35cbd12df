"""Documents made from tracks: their content and their exact size."""

from __future__ import annotations

import numpy as np
import pytest
from bson import ObjectId, encode
from hypothesis import given
from hypothesis import strategies as st
from trackers import random_tracks

from point_tracking import PointTrackingError, Tracks
from point_tracking.store.tracks.keypoints import (
    LAYOUTS,
    MAX_FRAME_BYTES,
    check_document_size,
    check_layout,
    document_bytes,
    frame_documents,
)
from point_tracking.store.tracks.track_names import PromptLabel, TrackNames
from point_tracking.tracker.errors import LimitError, OptionError


def _still(num_points: int) -> Tracks:
    return Tracks(
        xy=np.full((1, num_points, 2), 5.0),
        visible=np.ones((1, num_points), dtype=bool),
        confidence=np.ones((1, num_points)),
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@given(num_points=st.sampled_from([0, 1, 9, 10, 11, 99, 100, 101, 1234]), keep_hidden=st.booleans())
def test_the_predicted_size_is_the_encoded_size(layout: str, num_points: int, keep_hidden: bool) -> None:
    keep_hidden = keep_hidden and layout == "points"
    (document,) = frame_documents(_still(num_points), (64, 48), layout=layout, keep_hidden=keep_hidden)
    assert document_bytes(num_points, layout, keep_hidden) == len(encode(document))
    names = TrackNames(tuple("ear" for _ in range(num_points)), tuple(range(num_points)))
    (document,) = frame_documents(_still(num_points), (64, 48), layout=layout, keep_hidden=keep_hidden, names=names)
    assert document_bytes(num_points, layout, keep_hidden, names=names) == len(encode(document))


def test_a_document_that_does_not_fit_is_refused_with_the_layout_that_does() -> None:
    num_points = 120_000
    assert document_bytes(num_points, "frame") < MAX_FRAME_BYTES < document_bytes(num_points, "points")
    with pytest.raises(LimitError, match=r"16 MiB.*layout='frame'"):
        check_document_size(num_points, "points")
    check_document_size(num_points, "frame")
    with pytest.raises(LimitError, match="fewer points"):
        check_document_size(1_000_000, "frame")


def test_points_outside_the_frame_are_hidden_and_never_moved() -> None:
    xy = np.array([[[-0.5, 5], [0, 0], [63, 47], [63.5, 5], [10, 47.2]]])
    tracks = Tracks(xy=xy, visible=np.ones((1, 5), dtype=bool), confidence=np.ones((1, 5)))
    (document,) = frame_documents(tracks, (64, 48))
    assert [k["index"] for k in document["keypoints"]] == [2, 3]
    assert [k["points"] for k in document["keypoints"]] == [[[0.0, 0.0]], [[63 / 64, 47 / 48]]]
    (document,) = frame_documents(tracks, (64, 48), layout="frame")
    assert np.isfinite(document["keypoints"][0]["points"]).all(axis=1).tolist() == [False, True, True, False, False]
    (document,) = frame_documents(tracks, (64, 48), keep_hidden=True)
    assert next((k["points"][0][0], k["occluded"]) for k in document["keypoints"]) == (-0.5 / 64, True)


@given(seed=st.integers(0, 1000), keep_hidden=st.booleans())
def test_one_keypoint_per_stored_point_with_its_index_and_confidence(seed: int, keep_hidden: bool) -> None:
    tracks = random_tracks(np.random.default_rng(seed), 4, 13, (64, 48))
    x, y = tracks.xy[..., 0], tracks.xy[..., 1]
    inside = (x >= 0) & (y >= 0) & (x <= 63) & (y <= 47)
    for row, document in enumerate(frame_documents(tracks, (64, 48), keep_hidden=keep_hidden)):
        shown = tracks.visible[row] & inside[row]
        stored = np.isfinite(x[row]) if keep_hidden else shown
        columns = np.flatnonzero(stored)
        keypoints = document["keypoints"]
        assert [k["index"] for k in keypoints] == (columns + 1).tolist()
        assert [k["confidence"][0] for k in keypoints] == tracks.confidence[row, columns].astype(float).tolist()
        assert len({k["_id"] for k in keypoints}) == len(columns)
        if keep_hidden:
            assert [k["occluded"] for k in keypoints] == (~shown[columns]).tolist()
        else:
            assert all("occluded" not in k for k in keypoints)


@pytest.mark.parametrize(("layout", "keep_hidden"), [("dots", False), ("frame", True)])
def test_layouts_that_do_not_exist_or_do_not_fit_are_refused(layout: str, keep_hidden: bool) -> None:
    with pytest.raises(OptionError) as error:
        check_layout(layout, keep_hidden)
    assert isinstance(error.value, PointTrackingError)


def test_of_an_object_untracked_points_have_no_position_but_a_place() -> None:
    instance = str(ObjectId())
    prompts = (PromptLabel("goat", 4, instance, (1, None, 0)), PromptLabel("kid", None, None, (2,)))
    names = TrackNames(("goat", "goat", "kid"), (4, 4, None), prompts=prompts)
    xy = np.array([[[8.0, 8], [16, 8], [100, 8]]])  # the last one is outside
    tracks = Tracks(xy=xy, visible=np.ones((1, 3), dtype=bool), confidence=np.full((1, 3), 0.5))
    (document,) = frame_documents(tracks, (64, 32), layout="objects", names=names)
    goat, kid = document["keypoints"]
    np.testing.assert_array_equal(goat["points"], [[0.25, 0.25], [np.nan, np.nan], [0.125, 0.25]])
    assert (goat["label"], goat["index"], str(goat["instance"]["_id"])) == ("goat", 4, instance)
    assert (goat["confidence"], goat["track_numbers"]) == ([0.5, 0, 0.5], [2, 0, 1])
    np.testing.assert_array_equal(kid["points"], [[np.nan, np.nan]])
    assert "index" not in kid
    assert "instance" not in kid
    assert document_bytes(3, "objects", names=names) == len(encode(document))
