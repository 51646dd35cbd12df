"""The bytes made by column are the bytes that the driver makes of the objects."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from bson import decode
from hypothesis import given
from hypothesis import strategies as st
from trackers import random_tracks

from point_tracking.store.tracks.keypoint_bytes import encoded_frame_documents
from point_tracking.store.tracks.keypoints import frame_documents
from point_tracking.store.tracks.track_names import TrackNames


def _without_ids(document: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        (document["_cls"], [list(item) for k in document["keypoints"] for item in k.items() if item[0] != "_id"]),
    ]


def random_names(rng: np.random.Generator, num_points: int) -> TrackNames:
    labels = rng.choice(["point", "nose", "Schnäuzchen"], num_points).tolist()
    numbers = (0, 7, 2**31, -(2**40), None)
    nodes = rng.choice(["", "left ear", None], num_points).tolist()  # type: ignore[arg-type]
    return TrackNames(tuple(labels), tuple(numbers[k] for k in rng.integers(0, len(numbers), num_points)), tuple(nodes))


@given(
    seed=st.integers(0, 10**6),
    num_points=st.sampled_from([0, 1, 9, 10, 11, 99, 100, 101, 1005]),
    keep_hidden=st.booleans(),
    mark=st.booleans(),
    named=st.booleans(),
)
def test_encoded_documents_equal_the_objects(
    seed: int, num_points: int, keep_hidden: bool, mark: bool, named: bool
) -> None:
    tracks = random_tracks(np.random.default_rng(seed), 3, num_points, (64, 48))
    options: dict[str, Any] = {
        "keep_hidden": keep_hidden,
        "interpolated": np.array([False, True, False]) if mark else None,
    }
    if named:
        options["names"] = random_names(np.random.default_rng(seed), num_points)
    expected = frame_documents(tracks, (64, 48), **options)
    encoded = encoded_frame_documents(tracks, (64, 48), **options)
    decoded = [decode(document.raw) for document in encoded]
    assert [_without_ids(d) for d in decoded] == [_without_ids(d) for d in expected]
    ids = [k["_id"] for d in decoded for k in d["keypoints"]]
    assert len(set(ids)) == len(ids)


def test_rows_choose_frames() -> None:
    tracks = random_tracks(np.random.default_rng(0), 5, 7, (64, 48))
    part = encoded_frame_documents(tracks, (64, 48), rows=slice(2, 4))
    assert len(part) == 2
    whole = encoded_frame_documents(tracks, (64, 48))
    assert _without_ids(decode(part[0].raw)) == _without_ids(decode(whole[2].raw))


def test_ids_carry_the_time() -> None:
    tracks = random_tracks(np.random.default_rng(0), 1, 3, (64, 48), share_visible=1)
    (document,) = encoded_frame_documents(tracks, (64, 48))
    made = decode(document.raw)["keypoints"][0]["_id"].generation_time.timestamp()
    assert made == pytest.approx(time.time(), abs=60)
