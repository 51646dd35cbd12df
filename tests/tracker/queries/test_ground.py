"""Which points that are asked for lie on featureless ground."""

from __future__ import annotations

import numpy as np

from point_tracking.tracker.queries import point_queries
from point_tracking.tracker.queries.ground import Ground, featureless_queries
from point_tracking.tracker.queries.texture import FEATURELESS

SIZE = (160, 120)
PLAIN_LEFT = np.where(np.arange(160) < 80, 0.0, 10 * FEATURELESS) * np.ones((120, 1))


def test_points_are_looked_at_in_the_frame_they_are_asked_for_in():
    maps = {0: PLAIN_LEFT, 7: PLAIN_LEFT[:, ::-1]}
    queries = point_queries([(0, 20, 60), (7, 20, 60), (0, 130, 60), (7, 130, 60)])
    found, ground = featureless_queries(queries, SIZE, maps.__getitem__)
    assert found.tolist() == [True, False, False, True]
    assert ground == Ground(2, 4)


def test_of_many_frames_those_with_most_points_are_looked_at():
    read: list[int] = []

    def texture_of(index: int) -> np.ndarray:
        read.append(index)
        return PLAIN_LEFT

    queries = point_queries([(9, 20, 60), (4, 20, 60), (4, 30, 60), (2, 130, 60), (2, 20, 9)])
    found, ground = featureless_queries(queries, SIZE, texture_of, most_frames=2)
    assert read == [2, 4]
    assert found.tolist() == [False, True, True, False, True]
    assert ground == Ground(3, 4)


def test_few_points_are_not_worth_saying():
    assert str(Ground(23, 400)) == "23 of 400 points lie on featureless ground"
    assert Ground(23, 400).is_worth_saying
    assert not (Ground(10, 400) + Ground(5, 400)).is_worth_saying
    assert not Ground().is_worth_saying
