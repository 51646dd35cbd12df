"""What a person changed on the server."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.workflows.exchange.cvat_tasks.comparing import (
    ReturnedShape,
    SentShape,
    by_track,
    changes_of_track,
    has_moved,
)


def sent(**frames: tuple[float, bool]) -> dict[int, SentShape]:
    """t3=(x, keyframe)"""
    return {int(name[1:]): SentShape(np.array([[x, 0.0]]), key) for name, (x, key) in frames.items()}


def back(x: float, keyframe: bool = True, occluded: bool = False) -> ReturnedShape:
    return ReturnedShape(np.array([[x, 0.0]]), keyframe, occluded, "point")


SENT = sent(t0=(0.3, True), t1=(1.3, False), t2=(2.3, False), t3=(3.3, True))


def test_rounding_and_what_lies_between_keyframes_is_no_change():
    returned = {0: back(0), 1: back(40, False), 2: back(70, False), 3: back(3)}
    changes = changes_of_track(SENT, returned)
    assert changes.is_empty
    assert (changes.num_moved, changes.num_added, changes.num_deleted) == (0, 0, 0)


@given(xy=st.lists(st.tuples(*[st.floats(-1000, 5000)] * 2), min_size=1, max_size=4))
def test_rounded_or_exact_positions_were_not_moved(xy):
    exact = np.array(xy)
    assert not has_moved(exact, np.round(exact))
    assert not has_moved(exact, np.round(exact, 2))
    assert has_moved(exact, exact + 2)
    assert has_moved(exact, np.concatenate([exact, exact]))


def test_moved_added_and_deleted_keyframes_are_told():
    returned = {0: back(0), 1: back(30), 2: back(31, False), 3: back(9, False)}
    changes = changes_of_track(SENT, returned)
    assert {t: shape.xy[0, 0] for t, shape in changes.placed.items()} == {1: 30, 3: 9}
    assert (changes.num_moved, changes.num_added, changes.num_deleted) == (0, 1, 1)
    moved = changes_of_track(SENT, {**returned, 1: back(1, False), 3: back(9)})
    assert (moved.num_moved, sorted(moved.placed)) == (1, [3])


def test_a_deleted_keyframe_whose_line_says_the_same_changes_nothing():
    changes = changes_of_track(SENT, {0: back(0), 1: back(1, False), 2: back(2, False), 3: back(3, False)})
    assert (changes.is_empty, changes.num_deleted) == (True, 1)


def test_where_an_object_was_said_to_be_gone_and_where_it_was_drawn_anew():
    changes = changes_of_track(SENT, {0: back(0), 3: back(3), 5: back(8)})
    assert (changes.gone, sorted(changes.placed)) == ([[1, 2]], [5])
    assert changes_of_track(SENT, {}).removed


def test_occlusion_lasts_until_the_next_keyframe():
    returned = {0: back(0, occluded=True), 1: back(1, False), 2: back(2, False), 3: back(3)}
    assert changes_of_track(SENT, returned).occluded == [[0, 2]]
    hidden = {**SENT, 3: SentShape(np.array([[3.3, 0]]), True, occluded=True)}
    changes = changes_of_track(hidden, {**returned, 0: back(0)})
    assert (changes.occluded, sorted(changes.placed), changes.num_moved) == ([], [3], 1)


def test_labels_are_put_together_by_track():
    found, doubles = by_track([(1, 0, back(1)), (1, 0, back(2)), (None, 0, back(3)), (2, 0, back(4))])
    assert ({n: shapes[0].xy[0, 0] for n, shapes in found.items()}, doubles) == ({1: 1, 2: 4}, 1)
