"""What tracks are called."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.store.tracks.track_names import PromptLabel, TrackNames, names_of
from point_tracking.tracker.errors import ShapeError


def test_names_of_some_tracks_leave_labels_without_any() -> None:
    prompts = (PromptLabel("a", 1, None, (0, 2, None)), PromptLabel("b", 2, None, (1,)))
    names = TrackNames(("a", "b", "a"), (1, 2, 1), ("left", None, "right"), prompts)
    chosen = names.chosen(np.array([False, False, True]))
    assert chosen == TrackNames(("a",), (1,), ("right",), (PromptLabel("a", 1, None, (None, 0, None)),))


def test_a_name_is_needed_for_each_track() -> None:
    with pytest.raises(ShapeError, match="one per track"):
        TrackNames(("a", "b"), (1,))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1, 2, None])), min_size=1, max_size=9))
def test_tracks_that_share_label_and_object_are_one_labels_points(pairs: list[tuple[str | None, int | None]]) -> None:
    names = names_of([label for label, _ in pairs], [number for _, number in pairs])
    assert names is not None
    assert names.prompts is not None
    columns = [column for prompt in names.prompts for column in prompt.columns]
    assert sorted(columns) == list(range(len(pairs)))  # type: ignore[type-var]
    for prompt in names.prompts:
        assert {pairs[k] for k in prompt.columns if k is not None} <= {
            (prompt.label, prompt.index),
            (None, prompt.index),
        }
    assert len(names.prompts) == len({(label or "point", number) for label, number in pairs})


def test_without_labels_and_objects_there_are_no_names() -> None:
    assert names_of(None, None) is None
    only_objects = names_of(None, [3, 3])
    assert only_objects is not None
    assert only_objects.labels == ("point", "point")
