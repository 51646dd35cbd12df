"""A clip whose frames are decoded in a thread of its own, ahead of whoever reads them.

PyAV decodes outside of Python's lock, so a thread is enough; how much lies decoded
is bounded by a budget of bytes that all clips of a run share.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from time import perf_counter

import numpy as np

from ..video.frame_source import DEFAULT_CHUNK_FRAMES
from ..video.frames import FrameSource

DEFAULT_BUDGET_BYTES = 256 * 2**20
# handed over at a time: enough to make the hand-over cheap, little enough to start soon
_BLOCK_BYTES = 2 * 2**20
_BLOCK_FRAMES = 16


class ByteBudget:
    """How many bytes of decoded frames may wait to be read.

    Args:
        limit: bytes; the clip that is being read may always hold one block more
    """

    def __init__(self, limit: int = DEFAULT_BUDGET_BYTES) -> None:
        self._limit = limit
        self._used = 0
        self._changed = threading.Condition()

    @property
    def used(self) -> int:
        """Bytes taken at the moment."""
        return self._used

    def take(self, size: int, reading: _Reading) -> bool:
        """Waits for room; returns False where the reading was ended meanwhile."""
        with self._changed:
            # a reader without a block would wait for clips that wait for the reader
            self._changed.wait_for(
                lambda: reading.ended or self._used + size <= self._limit or (reading.wanted and not reading.held)
            )
            if reading.ended:
                return False
            self._used += size
            reading.held += size
            return True

    def give(self, size: int, reading: _Reading) -> None:
        """Gives room back."""
        with self._changed:
            self._used -= size
            reading.held -= size
            self._changed.notify_all()

    def wake(self) -> None:
        """Makes waiting threads look again."""
        with self._changed:
            self._changed.notify_all()


class _Reading:
    """One pass over a clip, in a thread."""

    def __init__(self, owner: AheadFrames, start: int, size_px: tuple[int, int]) -> None:
        self.key = (start, size_px)
        self.ended = False
        self.wanted = False
        self.held = 0
        self._owner = owner
        self._blocks: deque[np.ndarray] = deque()
        self._done = False
        self._error: BaseException | None = None
        self._ready = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="decode-ahead", daemon=True)
        self._thread.start()

    def frames(self) -> Iterator[np.ndarray]:
        """Yields the frames; waits for those that are not decoded yet."""
        self.wanted = True
        self._owner.budget.wake()
        while True:
            block = self._next_block()
            if block is None:
                return
            yield from block
            self._owner.budget.give(block.nbytes, self)

    def end(self) -> None:
        """Stops the thread and drops what it decoded."""
        with self._ready:
            self.ended = True
            dropped, self._blocks = self._blocks, deque()
        self._owner.budget.wake()
        self._thread.join()
        for block in (*dropped, *self._blocks):
            self._owner.budget.give(block.nbytes, self)
        self._blocks.clear()
        if self.held:  # the block that was being read
            self._owner.budget.give(self.held, self)

    def _next_block(self) -> np.ndarray | None:
        started = perf_counter()
        with self._ready:
            self._ready.wait_for(lambda: self._blocks or self._done)
            block = self._blocks.popleft() if self._blocks else None
        self._owner.waited_s += perf_counter() - started
        if block is None and self._error is not None:
            raise self._error
        return block

    def _run(self) -> None:
        try:
            self._decode()
        except BaseException as error:  # noqa: BLE001 - raised again in the reader's thread
            self._error = error
        finally:
            with self._ready:
                self._done = True
                self._ready.notify_all()

    def _decode(self) -> None:
        start, (width, height) = self.key
        number = max(min(_BLOCK_FRAMES, _BLOCK_BYTES // (width * height * 3)), 1)
        size = number * width * height * 3
        frames = self._owner.source._iterate(None, start, (width, height))
        began = perf_counter()
        first = next(frames, None)
        while first is not None:
            self._owner.busy_s += perf_counter() - began
            if not self._owner.budget.take(size, self):
                return
            began = perf_counter()
            block = np.empty((number, height, width, 3), dtype=np.uint8)
            block[0] = first
            filled = 1
            while filled < number and not self.ended and (frame := next(frames, None)) is not None:
                block[filled] = frame
                filled += 1
            if filled < number:
                self._owner.budget.give(size - filled * width * height * 3, self)
            with self._ready:
                self._blocks.append(block[:filled])
                self._ready.notify_all()
            first = None if self.ended else next(frames, None)
        self._owner.busy_s += perf_counter() - began


class AheadFrames(FrameSource):
    """Another source, decoded ahead of its reader.

    Frames read in order come from a thread; frames read by index, or from the end,
    come straight from the source.

    Args:
        source: the clip
        budget: shared by the clips of a run

    Attributes:
        busy_s: seconds spent decoding
        waited_s: seconds its reader waited for frames
    """

    def __init__(self, source: FrameSource, budget: ByteBudget) -> None:
        self.source = source
        self.budget = budget
        self.size_px = source.size_px
        self.busy_s = 0.0
        self.waited_s = 0.0
        self._begun: _Reading | None = None

    @property
    def fps(self) -> float | None:  # type: ignore[override]
        return self.source.fps

    @property
    def warnings(self) -> list[str]:  # type: ignore[override]
        return self.source.warnings

    @property
    def num_frames(self) -> int:
        return self.source.num_frames

    @property
    def num_frames_hint(self) -> int:
        return self.source.num_frames_hint

    def begin(self, start: int, size_px: tuple[int, int]) -> None:
        """Starts decoding before anybody reads; a reader that asks for something else gets that.

        Args:
            start: the first frame index that will be read
            size_px: (width, height) it will be read in
        """
        self.close()
        self._begun = _Reading(self, start, size_px)

    def close(self) -> None:
        """Ends decoding and frees what was decoded."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.end()

    def reversed_chunks(
        self, *, stop: int, chunk_frames: int = DEFAULT_CHUNK_FRAMES, size_px: tuple[int, int] | None = None
    ) -> Iterator[np.ndarray]:
        yield from self.source.reversed_chunks(stop=stop, chunk_frames=chunk_frames, size_px=size_px)

    def _iterate(self, indices: Iterable[int] | None, start: int, size_px: tuple[int, int]) -> Iterator[np.ndarray]:
        if indices is not None:
            yield from self.source._iterate(indices, start, size_px)
            return
        reading, self._begun = self._begun, None
        if reading is not None and reading.key != (start, size_px):
            reading.end()
            reading = None
        reading = reading or _Reading(self, start, size_px)
        try:
            yield from reading.frames()
        finally:
            reading.end()
