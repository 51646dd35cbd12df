"""What every writer and reader of a format is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WriteOptions:
    """How a file is written; each format heeds what it has a place for.

    Args:
        first_frame: the number that the video's first frame has in the file
        overwrite: replace a file that is there
        names: "labels", what tracks are called, or "index", by their numbers
        images: also write the pictures of the frames
        scorer: who made the positions, where a format asks
        reconstruct: also make the model that the correspondences give
    """

    first_frame: int = 0
    overwrite: bool = False
    names: str = "labels"
    images: bool = False
    scorer: str = "point_tracking"
    reconstruct: bool = False


@dataclass(frozen=True)
class ReadOptions:
    """How a file is read.

    Args:
        first_frame: the number that the video's first frame has in the file
    """

    first_frame: int = 0
