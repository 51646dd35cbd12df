"""An open sample is closed while new fields are loaded, and opened anew when its labels are there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from point_tracking.operators.shared import refresh
from point_tracking.operators.shared.refresh import OpenSample


class Ops:
    def __getattr__(self, name: str) -> Any:
        return lambda **params: (name, params)


@pytest.fixture
def ctx(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(refresh, "_RELOAD_S", 0.01)
    return SimpleNamespace(current_sample="id", ops=Ops(), trigger=lambda uri, params: (uri, params))


def test_new_fields_are_loaded_before_the_sample_opens_again(ctx: Any) -> None:
    is_open = OpenSample(ctx)
    assert [name for name, _ in is_open.before_new_fields()] == ["close_sample", "reload_dataset"]
    told = list(is_open.after())
    assert [name for name, _ in told[:-1]] == ["reload_samples"]
    assert told[-1] == ("@fo-video/point-tracking/open_sample_anew", {"id": "id"})
