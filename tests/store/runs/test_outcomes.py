"""Words and tables about what became of samples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.store.runs.outcomes import count_of, table_of

CELLS = st.none() | st.integers() | st.floats(-1e6, 1e6) | st.text("a |\n\\", max_size=6)


@pytest.mark.parametrize(
    ("number", "noun", "plural", "text"),
    [
        (0, "sample", None, "0 samples"),
        (1, "sample", None, "1 sample"),
        (1200, "sample", None, "1,200 samples"),
        (2, "copy", "copies", "2 copies"),
        (1, "copy", "copies", "1 copy"),
    ],
)
def test_numbers_come_with_their_noun(number: int, noun: str, plural: str | None, text: str) -> None:
    assert count_of(number, noun, plural) == text


def test_a_table_has_the_columns_that_are_asked_for() -> None:
    rows = [{"path": "a|b\nc", "seconds": 1.26, "kind": None, "more": "x"}]
    assert table_of(rows, ("path", "kind", "seconds")).splitlines() == [
        "| path | kind | seconds |",
        "| --- | --- | --- |",
        "| a\\|b c |  | 1.3 |",
    ]


@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}), max_size=4))
def test_whatever_the_values_a_row_stays_a_row_of_cells(rows: list[dict]) -> None:
    lines = table_of(rows, ("a", "b")).split("\n")
    assert len(lines) == 2 + len(rows)
    assert all(line.replace("\\|", "").count("|") == 3 for line in lines)
