"""Being told to end: SIGTERM becomes an exception, so that a run can store what it has."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def orderly_termination() -> Iterator[None]:
    """Makes SIGTERM end the block like Ctrl-C does; a handler that is there already stays.

    Raises:
        SystemExit: when the signal comes, with the status a killed process has
    """
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    def end(number: int, _frame: Any) -> None:
        raise SystemExit(128 + number)

    if ours:
        signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def kept_termination() -> Iterator[None]:
    """Leaves SIGTERM with whoever has it, where a library takes it for itself inside the block."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread can give it away
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # not set from Python
            signal.signal(signal.SIGTERM, before)
