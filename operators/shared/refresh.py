"""Making the App show what an operator writes: in the grid, and in a sample that is open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

# what the App needs to load a dataset's fields anew; a sample that is opened before is shown without them
_RELOAD_S = 4.0
# both in assets/app.js
_OPEN_ANEW = "@fo-video/point-tracking/open_sample_anew"
_LOAD_OPENED = "@fo-video/point-tracking/load_opened_samples"


def show_what_is_stored(ctx: Any) -> Iterator[Any]:
    """Makes the App show new labels and fields: in the grid, and in samples that were opened before.

    Args:
        ctx: FiftyOne's execution context
    """
    yield ctx.ops.reload_dataset()
    yield ctx.trigger(_LOAD_OPENED)


class OpenSample:
    """The sample that is open while an operator works.

    The App draws an open sample with the labels and fields it had when it was opened; it is
    closed and opened again around the work.

    Args:
        ctx: FiftyOne's execution context
    """

    def __init__(self, ctx: Any) -> None:
        self._ctx = ctx
        self.sample_id: str | None = ctx.current_sample
        self._reloaded = 0.0

    def before_new_fields(self) -> Iterator[Any]:
        """Loads fields that were declared just now, while there is time: during the work."""
        yield self._ctx.ops.close_sample()
        yield self._ctx.ops.reload_dataset()
        self._reloaded = time.monotonic()

    def after(self) -> Iterator[Any]:
        """Shows what was written; the sample opens in its first frame."""
        if self._reloaded:
            time.sleep(max(self._reloaded + _RELOAD_S - time.monotonic(), 0.0))
        yield self._ctx.ops.reload_samples()
        # it closes the sample itself, to know its place; FiftyOne's own `open_sample` keeps the fields that were open
        yield self._ctx.trigger(_OPEN_ANEW, {"id": self.sample_id})
