"""Points that move together."""

from __future__ import annotations

import numpy as np
from known_cameras import described, drifting_tracks

from point_tracking.tracker.motion.groups import _components
from point_tracking.tracker.types import Tracks


def two_things() -> tuple[Tracks, np.ndarray]:
    """A pan with two things that go their own ways, and which point is of which."""
    xy = drifting_tracks((0.5, 0.0)).xy.astype(float)
    t = np.arange(len(xy))[:, None, None]
    left = (np.abs(xy[0] - [60, 72]) < 20).all(axis=1)
    right = (np.abs(xy[0] - [130, 72]) < 20).all(axis=1)
    xy[:, left] += t * [0.0, 0.8]
    xy[:, right] += t * [0.2, -1.0]
    visible = ((xy >= 0) & (xy <= [191, 143])).all(axis=2)
    return Tracks(xy, visible, visible.astype(float)), left + 2 * right


def test_two_things_are_two_groups_beside_the_background():
    tracks, truth = two_things()
    found = described(tracks).groups
    assert len(set(found[truth == 1])) == len(set(found[truth == 2])) == 1
    assert {found[truth == 1][0], found[truth == 2][0]} == {1, 2}
    assert (found[truth == 0] <= 0).all()
    assert described(tracks).figures["num_groups"] == 2


def test_nothing_that_moves_is_no_group():
    assert described(drifting_tracks((1.0, 0.0))).figures["num_groups"] == 0


def test_components_are_what_hangs_together():
    linked = np.zeros((5, 5), dtype=bool)
    linked[0, 3] = linked[3, 4] = linked[1, 2] = True
    assert _components(linked).tolist() == [0, 1, 1, 0, 0]
