"""Memory goes back to the system."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from point_tracking.tracker.errors import OutOfMemoryError
from point_tracking.workflows.tracking import free_memory
from point_tracking.workflows.tracking.free_memory import free_after, give_back_memory


class _Circle:
    def __init__(self) -> None:
        self.me = self


def test_circles_are_freed_and_the_c_library_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(free_memory, "_trim", lambda: asked.append)
    gc.disable()
    try:
        left = weakref.ref(_Circle())
        assert left() is not None
        give_back_memory()
        assert left() is None
    finally:
        gc.enable()
    assert asked == [0]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "_trim", lambda: None)
    give_back_memory()


def test_only_linux_has_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert free_memory._trim.__wrapped__() is None


def test_after_running_out_of_memory_nothing_holds_what_the_tracker_had() -> None:
    for error, kept in ((MemoryError, False), (OutOfMemoryError, False), (ValueError, True)):
        with pytest.raises(error) as caught:
            raise error
        free_after(caught.value)
        assert (caught.value.__traceback__ is not None) is kept
