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
from ..video.decoding import open_stream
from ..video.probe import VideoProbe

TAG = "comment"
_FORMAT = "point_tracking"
_VERSION = 2


@dataclass(frozen=True)
class SourceFacts:
    """By what a source is known again.

    Args:
        path: absolute
        size_bytes: its size
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
        fps: of its frames, whatever the last one's length where they are regular
        warnings: what was found wrong with the source, in words
    """

    source: SourceFacts
    options: dict[str, Any]
    frame_map: FrameMap
    fps: float
    warnings: tuple[str, ...] = ()

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
                "fps": self.fps,
                "warnings": self.warnings,
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
            source, fps, warnings = SourceFacts(**values["source"]), float(values["fps"]), tuple(values["warnings"])
            return cls(source, values["options"], frame_map, fps, warnings)
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


def is_whole(path: str | os.PathLike[str]) -> bool:
    """Whether a file of ours is as long as its boxes say, which one that was cut off is not.

    Args:
        path: of an mp4
    """
    size, start = os.path.getsize(path), 0
    with open(path, "rb") as file:
        while start < size:
            file.seek(start)
            head = file.read(16)
            if len(head) < 8:
                return False
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # the length comes behind the box's name, in 64 bits
                length = int.from_bytes(head[8:], "big") if len(head) == 16 else 0
            if length < 8:
                return False
            start += length
    return start == size
