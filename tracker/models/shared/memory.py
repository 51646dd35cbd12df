"""What a device has free, and how running out of it is met, for every family."""

from __future__ import annotations

from ..cotracker.errors import OutOfMemoryError
from ..cotracker.running.memory_plan import available_bytes, run_within_memory

__all__ = ["OutOfMemoryError", "available_bytes", "run_within_memory"]
