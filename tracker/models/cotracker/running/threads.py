"""How many threads a small model computes on.

Torch shares every operation among threads and waits for the slowest. With
operations as small as these, that costs more than it gains as soon as anything
else runs on the machine: a thread that has to wait for its turn holds all
others up, tens of thousands of times per clip.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_users = 0
_threads_before = 0
_own = threading.local()  # `depth`: how often the calling thread is inside


@contextmanager
def one_thread() -> Iterator[None]:
    """Lets torch compute on the calling thread alone, for a while; it may be nested, and several threads may do so."""
    global _users, _threads_before
    with _lock:
        if _users == 0:
            _threads_before = torch.get_num_threads()
        _users += 1
        torch.set_num_threads(1)
    _own.depth = getattr(_own, "depth", 0) + 1
    try:
        yield
    finally:
        _own.depth -= 1
        with _lock:
            _users -= 1
            if _own.depth == 0:  # torch keeps the number for each thread, so each sets its own back
                torch.set_num_threads(_threads_before)
