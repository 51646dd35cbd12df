"""All that is told of a clip."""

from __future__ import annotations

import numpy as np
import pytest
from known_cameras import FPS, SIZE, described, drifting_tracks

from point_tracking.tracker.errors import MotionError
from point_tracking.tracker.motion.description import FIGURES, describe
from point_tracking.tracker.motion.trajectories import trajectories_of
from point_tracking.tracker.types import Tracks


def test_every_figure_is_told_and_of_its_kind():
    figures = described(drifting_tracks((1.0, 0.0), object_by=(0.0, 1.0))).figures
    assert list(figures) == [figure.name for figure in FIGURES]
    assert all(isinstance(figures[figure.name], figure.kind) for figure in FIGURES)
    assert figures["camera"] == "pan"
    assert figures["speed"] == pytest.approx(FPS / np.hypot(*SIZE), rel=0.02)
    assert figures["num_points"] == 144


def test_pieces_of_a_clip_tell_what_the_whole_does():
    tracks = drifting_tracks((1.0, 0.5))
    whole = trajectories_of(tracks, SIZE, FPS)
    pieces = [
        type(whole)(whole.xy[a:b], whole.seen[a:b], whole.rows[a:b], SIZE, FPS)
        for a, b in ((0, 15), (14, 30), (29, 40))
    ]
    one, three = describe([whole]), describe(pieces)
    for name in ("camera", "num_cuts", "num_groups"):
        assert one.figures[name] == three.figures[name]
    for name in ("pan", "tilt", "speed"):
        assert one.figures[name] == pytest.approx(three.figures[name], rel=0.02)
    assert three.figures["track_length_s"] is None
    assert one.rows.tolist() == three.rows.tolist()


def test_one_frame_or_nothing_seen_is_refused():
    tracks = drifting_tracks((0, 0))
    with pytest.raises(MotionError, match="two tracked frames"):
        described(Tracks(tracks.xy[:1], tracks.visible[:1], tracks.confidence[:1]))
    with pytest.raises(MotionError, match="ever seen"):
        described(Tracks(tracks.xy, np.zeros_like(tracks.visible), tracks.confidence))


def test_one_point_tells_its_own_fate_but_nothing_of_the_camera():
    tracks = drifting_tracks((1.0, 0.0))
    figures = described(Tracks(tracks.xy[:, :1], tracks.visible[:, :1], tracks.confidence[:, :1])).figures
    assert (figures["camera"], figures["pan"], figures["moving_share"]) == ("unknown", None, None)
    assert figures["visible_share"] == 1.0
