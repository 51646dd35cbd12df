"""Memory that was freed goes back to the system, so that a long run stays as small as a short one."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from functools import lru_cache


def give_back_memory() -> None:
    """Collects what is no longer used, and makes the C library return it.

    FiftyOne's documents are cycles that Python alone frees late, and glibc keeps a
    heap per thread, in which frames of all sizes leave gaps.
    """
    gc.collect()
    trim = _trim()
    if trim is not None:
        trim(0)


def free_after(error: BaseException) -> None:
    """Gives back what a tracker held when it ran out of memory; other errors need nothing.

    Args:
        error: that ended the work on a sample
    """
    if not isinstance(error, MemoryError) and "OutOfMemory" not in type(error).__name__:
        return
    error.__traceback__ = None  # its frames hold the arrays
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], int] | None:
    """glibc's malloc_trim; None with another C library."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
