"""What is surely known of the videos of some samples: not what metadata declare, but what was decoded or counted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fiftyone.core.collections import SampleCollection

from ...tracker.errors import VideoError
from ...tracker.video.probe import count_packets, probe
from ..database.fields import owner_of
from ..database.frame_documents import MARK_DONE
from .source_links import FILEPATH

# videos whose files are looked at, and up to which size their frames are counted: a form waits for it
_LOOKED_AT = 24
_COUNTED_UP_TO_BYTES = 64 * 2**20


@dataclass(frozen=True)
class KnownVideo:
    """What is surely known of one video.

    Args:
        size_px: (width, height) of the displayed frame; None where not known
        num_frames: frames that it has at most; None where not known
    """

    size_px: tuple[int, int] | None = None
    num_frames: int | None = None

    def can_hold(self, points: Sequence[Sequence[float]]) -> bool:
        """Whether positions may be in this video, as far as is known.

        Args:
            points: rows (t, x, y): frame index from 0, pixels; or (t,) alone
        """
        return all(self._may_have(*point) for point in points)

    def _may_have(self, t: float, x: float = 0.0, y: float = 0.0) -> bool:
        if self.num_frames is not None and t >= self.num_frames:
            return False
        if self.size_px is None:
            return True
        return 0 <= x <= self.size_px[0] - 1 and 0 <= y <= self.size_px[1] - 1


def known_videos(samples: SampleCollection, media_field: str = FILEPATH, *, last_frame: int = 0) -> list[KnownVideo]:
    """What earlier runs decoded of the videos of some samples, and what a quick look at their files tells.

    Metadata are not asked: they may be of another program, which counted wrongly or did not turn the picture.

    Args:
        samples: a dataset or view
        media_field: with the paths of the videos
        last_frame: frame index up to which frames are counted, where no run has decoded the video

    Returns:
        one per sample, in the order of the collection
    """
    paths = samples.values(media_field)
    counts = _decoded_frames(samples) if media_field == FILEPATH else [None] * len(paths)
    known = []
    for number, (path, count) in enumerate(zip(paths, counts, strict=True)):
        seen = KnownVideo()
        if path and number < _LOOKED_AT:
            seen = _look_at(path, last_frame if count is None else 0)
        known.append(KnownVideo(seen.size_px, seen.num_frames if count is None else count))
    return known


def _decoded_frames(samples: SampleCollection) -> list[int | None]:
    """The frames that runs which tracked these samples decoded; None where none did."""
    schema = samples._dataset.get_field_schema(flat=False)
    infos = [name for name, field in schema.items() if "label_field" in (owner_of(field) or {})]
    found: list[int | None] = [None] * len(samples.values("id"))
    for info in infos:
        columns = samples.values([f"{info}.state", f"{info}.num_frames"])
        for number, (state, count) in enumerate(zip(*columns, strict=True)):
            if state == MARK_DONE and count:
                found[number] = count
    return found


def _look_at(path: str, last_frame: int) -> KnownVideo:
    try:
        status = os.stat(path)
        return _seen(path, status.st_size, status.st_mtime_ns, last_frame)
    except (OSError, VideoError):
        return KnownVideo()


@lru_cache(maxsize=1024)
def _seen(path: str, size_bytes: int, mtime_ns: int, last_frame: int) -> KnownVideo:
    """As `KnownVideo`; remembered, since a form asks with every change."""
    del mtime_ns
    size_px, num_frames = probe(path).size_px, None
    if last_frame and size_bytes <= _COUNTED_UP_TO_BYTES:
        # no packet holds more than one shown frame
        count = count_packets(path, last_frame + 1)
        num_frames = count if count <= last_frame else None
    return KnownVideo(size_px, num_frames)
