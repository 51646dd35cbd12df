"""Where a person hid tracks."""

from __future__ import annotations

from point_tracking.store.corrections.hidden_spans import hidden_spans, is_hidden, with_hidden, without_hidden


def test_spans_are_kept_by_track_and_swallow_those_within() -> None:
    spans = with_hidden([], [1, 2], 5, 9)
    assert spans == [(1, 5, 9), (2, 5, 9)]
    assert with_hidden(spans, [1], 0, 12) == [(1, 0, 12), (2, 5, 9)]
    assert with_hidden(spans, [1], 7, 12) == [(1, 5, 9), (1, 7, 12), (2, 5, 9)]
    assert hidden_spans({"hidden": [[1, 5, 9]]}) == [(1, 5, 9)]
    assert hidden_spans(None) == hidden_spans({}) == []


def test_a_later_correction_within_takes_the_span_away() -> None:
    spans = [(1, 5, 9), (1, 20, 30), (2, 5, 9)]
    assert without_hidden(spans, [(1, 8), (2, 9)]) == [(1, 20, 30), (2, 5, 9)]


def test_the_frame_to_stop_before_is_not_hidden() -> None:
    assert [is_hidden([(1, 5, 9)], 1, t) for t in (4, 5, 8, 9)] == [False, True, True, False]
    assert not is_hidden([(1, 5, 9)], 2, 6)
