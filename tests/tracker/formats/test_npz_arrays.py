"""Reading named arrays: what is there, what is damaged, what is too large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from point_tracking.tracker.errors import FormatError, TruthError
from point_tracking.tracker.formats.npz_arrays import read_arrays


def test_only_named_arrays_that_are_there_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", xy=np.arange(3), other=np.zeros(2))
    found = read_arrays(tmp_path / "a.npz", ("xy", "visible"), FormatError, "an .npz of tracks")
    assert found.keys() == {"xy"}
    np.testing.assert_array_equal(found["xy"], [0, 1, 2])


@pytest.mark.parametrize("limit", [None, 10_000])
@pytest.mark.parametrize("damage", ["absent", "text", "cut off", "objects"])
def test_damage_is_told_as_the_error_of_the_reader(tmp_path: Path, damage: str, limit: int | None) -> None:
    path = tmp_path / "a.npz"
    if damage == "text":
        path.write_text("no archive")
    elif damage != "absent":
        np.savez(path, xy=np.array([{}]) if damage == "objects" else np.arange(30))
    if damage == "cut off":
        path.write_bytes(path.read_bytes()[:120])
    with pytest.raises(TruthError, match=r"a\.npz cannot be read as a truth file: "):
        read_arrays(path, ("xy",), TruthError, "a truth file", limit)


def test_what_unpacks_to_more_than_allowed_is_refused_before_it_is_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", xy=np.zeros(100_000))
    with pytest.raises(FormatError, match="more than the tracks of a video can be"):
        read_arrays(tmp_path / "a.npz", ("xy",), FormatError, "an .npz of tracks", most_bytes=10_000)
    assert len(read_arrays(tmp_path / "a.npz", ("xy",), FormatError, "an .npz of tracks", 1_000_000)["xy"]) == 100_000
