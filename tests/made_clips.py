"""Clips of tracks for tests of file formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from point_tracking.tracker.formats.clip import TrackedClip
from point_tracking.tracker.types import Tracks

SIZE = (160, 120)
CORNERS = ((0.0, 0.0), (159.0, 0.0), (0.0, 119.0), (159.0, 119.0))
LABELS = ("links oben", "rechts oben ä", "左下", "rechts, unten")


def corner_clip(path: str = "/videos/größe.mp4", **more: Any) -> TrackedClip:
    """Four named points of 6 frames that start in the corners and move inward; the second is hidden in frames 2 and 3,
    the third is not known there, and the fourth is seen in frame 0 alone."""
    step = np.array([[1, 1], [-1, 1], [1, -1], [-1, -1]]) * 0.25
    xy = np.array(CORNERS)[None] + np.arange(6)[:, None, None] * step[None]  # (6, 4, 2)
    visible = np.ones((6, 4), dtype=bool)
    visible[2:4, 1:3] = False
    visible[1:, 3] = False
    known = visible.copy()
    known[2:4, 1] = True
    confidence = np.where(known, 0.5 + np.arange(6)[:, None] / 16, 0).astype(np.float32)
    tracks = Tracks(np.where(known[..., None], xy, np.nan), visible, confidence, labels=np.array(LABELS, dtype=object))
    facts: dict[str, Any] = {"num_frames": 6, "fps": 10.0, "path": path, "sample_id": "a" * 24}
    return TrackedClip(tracks, np.arange(6), np.array([1, 2, 3, 7]), SIZE, **{**facts, **more})


def mice(path: str = "/videos/mice.mp4") -> TrackedClip:
    """Two individuals with two named points each, connected; the second individual's tail is never seen."""
    clip = corner_clip(path)
    tracks = clip.tracks
    visible, xy, confidence = tracks.visible.copy(), tracks.xy.copy(), tracks.confidence.copy()
    visible[:, 3], xy[:, 3], confidence[:, 3] = False, np.nan, 0
    named = Tracks(xy, visible, confidence, labels=["mouse"] * 4, objects=[1, 1, 2, 2])  # type: ignore[arg-type]
    nodes = np.array(["nose", "tail", "nose", "tail"], dtype=object)
    keyframes = np.zeros((6, 4), dtype=bool)
    keyframes[1, :2] = True
    return replace(clip, tracks=named, nodes=nodes, edges=(("nose", "tail"),), keyframes=keyframes)


def empty_clip() -> TrackedClip:
    """A clip without tracks."""
    clip = corner_clip()
    return clip.chosen(np.zeros(4, dtype=bool))


def assert_seen_alike(found: TrackedClip, wanted: TrackedClip, atol: float = 0.0) -> None:
    """The same visible positions in the same frames, track by track."""
    there = np.isin(wanted.frames, found.frames)
    assert not wanted.tracks.visible[~there].any()
    np.testing.assert_array_equal(found.frames, wanted.frames[there])
    np.testing.assert_array_equal(found.tracks.visible, wanted.tracks.visible[there])
    pair = [np.where(clip.tracks.visible[..., None], clip.tracks.xy, 0) for clip in (found, wanted.rows(there))]
    np.testing.assert_allclose(pair[0], pair[1], rtol=0, atol=atol)


def assert_same(found: TrackedClip, wanted: TrackedClip) -> None:
    """The same tracks in all that formats of our own hold, bit by bit."""
    for name in ("frames", "indices"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    for name in ("xy", "visible", "confidence"):
        np.testing.assert_array_equal(getattr(found.tracks, name), getattr(wanted.tracks, name))
    assert found.labels() == wanted.labels()
    assert found.object_list() == wanted.object_list()
    assert found.node_list() == wanted.node_list()
    marked = [np.zeros(0) if clip.keyframes is None else clip.keyframes for clip in (found, wanted)]
    np.testing.assert_array_equal(marked[0], marked[1])


@st.composite
def clips(draw: st.DrawFn) -> TrackedClip:
    """Any clip: gaps between frames and numbers, names of any kind, positions anywhere."""
    num_frames, num_points = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    shape = (num_frames, num_points)
    places = st.floats(-1000, 1000, width=32).filter(lambda value: value != 0 or not np.signbit(value))
    xy = draw(arrays.arrays(np.float32, (*shape, 2), elements=places))
    known = draw(arrays.arrays(bool, shape))
    # tables hold tracks and frames that have a position
    known[0], known[:, 0] = True, True
    visible = draw(arrays.arrays(bool, shape)) & known
    confidence = np.where(known, draw(arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32))), 0)
    names = st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8)
    labels = draw(st.lists(names, min_size=num_points, max_size=num_points))
    objects = draw(st.lists(st.none() | st.integers(0, 9), min_size=num_points, max_size=num_points))
    frames = np.cumsum(draw(st.lists(st.integers(1, 4), min_size=num_frames, max_size=num_frames))) - 1
    indices = np.cumsum(draw(st.lists(st.integers(1, 4), min_size=num_points, max_size=num_points)))
    tracks = Tracks(np.where(known[..., None], xy, np.nan), visible, confidence, labels=labels, objects=objects)  # type: ignore[arg-type]
    return TrackedClip(tracks, frames, indices, SIZE, num_frames=int(frames[-1]) + 1, path="/a.mp4", sample_id="1")


def files_in(folder: Path) -> list[str]:
    """Everything below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
