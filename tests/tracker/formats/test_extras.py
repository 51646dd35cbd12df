"""Optional libraries are told by name where they are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

import point_tracking
from point_tracking.tracker.errors import DependencyError
from point_tracking.tracker.formats.extras import EXTRAS, needed


def test_a_library_that_is_missing_is_named_with_what_installs_it():
    with pytest.raises(DependencyError, match=r"needs no_such_library.*pip install pycolmap"):
        needed("no_such_library.part", "colmap")
    assert needed("json", "colmap").dumps([]) == "[]"


def test_extras_are_those_of_the_package():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    described = tomllib.loads((Path(point_tracking.__file__).parent / "pyproject.toml").read_text())
    extras = described["project"]["optional-dependencies"]
    for name, packages in EXTRAS.items():
        assert [one.split(">=")[0] for one in extras[name]] == packages.split()
