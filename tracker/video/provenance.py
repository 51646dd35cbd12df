"""What a preprocessed file remembers of its source: kept inside the file, in the mp4's comment tag.

Not in a file beside it: the tag is written, renamed, copied and deleted with the
video itself, so the two cannot disagree.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import zlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import VideoError
from ..types import FrameMap
from .probe import VideoProbe
from .stream import open_stream

TAG = "comment"
_FORMAT = "point_tracking"
_VERSION = 1


@dataclass(frozen=True)
class SourceFacts:
    """By what a source is known again.

    Args:
        path: absolute
        size_bytes: of the file
        mtime_ns: when it was last changed
        width, height: pixels of the displayed frame
        fps: average frames per second
        codec: FFmpeg's name
    """

    path: str
    size_bytes: int
    mtime_ns: int
    width: int
    height: int
    fps: float
    codec: str

    @classmethod
    def of(cls, facts: VideoProbe) -> SourceFacts:
        """Looks at a source now.

        Args:
            facts: its probe

        Returns:
            the facts

        Raises:
            VideoError: if the file is gone
        """
        try:
            status = os.stat(facts.path)
        except OSError as error:
            raise VideoError(f"{facts.path} went away while it was being read: {error.strerror}") from error
        path = os.path.abspath(facts.path)
        fps = round(facts.fps, 6)
        return cls(path, status.st_size, status.st_mtime_ns, facts.width, facts.height, fps, facts.codec)


@dataclass(frozen=True, eq=False)
class Provenance:
    """Where a preprocessed file comes from.

    Args:
        source: the file it was made from
        options: with which it was made, as JSON values
        frame_map: the source frame that each of its frames shows
    """

    source: SourceFacts
    options: dict[str, Any]
    frame_map: FrameMap

    def matches(self, source: SourceFacts, options: dict[str, Any]) -> bool:
        """Whether the same source and options would give the same file."""
        return self.source == source and self.options == options

    def to_tag(self) -> str:
        """The text that is stored in the file."""
        steps = np.diff(self.frame_map.source_indices, prepend=0).astype("<i4")
        frames = base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode("ascii")
        return json.dumps(
            {
                _FORMAT: _VERSION,
                "source": asdict(self.source),
                "options": self.options,
                "num_source_frames": self.frame_map.num_source_frames,
                "frames": frames,
            }
        )

    @classmethod
    def from_tag(cls, text: str) -> Provenance | None:
        """Reads a tag.

        Args:
            text: what the file's comment says

        Returns:
            None where the text is no record of ours
        """
        try:
            values = json.loads(text)
            if values[_FORMAT] != _VERSION:
                return None
            steps = np.frombuffer(zlib.decompress(base64.b64decode(values["frames"])), dtype="<i4")
            frame_map = FrameMap(np.cumsum(steps, dtype=np.int64), int(values["num_source_frames"]))
            return cls(SourceFacts(**values["source"]), values["options"], frame_map)
        except (ValueError, KeyError, TypeError, binascii.Error, zlib.error):
            return None  # someone else's comment


def read_provenance(path: str | os.PathLike[str]) -> Provenance | None:
    """Reads where a file comes from.

    Args:
        path: of any video

    Returns:
        None where the file is no preprocessed one, or cannot be opened
    """
    try:
        with open_stream(path) as (container, _):
            return Provenance.from_tag(container.metadata.get(TAG, ""))
    except VideoError:
        return None
