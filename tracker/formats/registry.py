"""The formats of tracks, by name: their files, their modules, and what they cannot hold.

Adding one
1. Its line in `conventions.CONVENTIONS`: units, origin, direction of y, first frame.
2. A module in the room it belongs to with `write_clips(path, clips, options)`, which checks and writes whole or not at
   all (`output_files`), and, where it is to be read, `read_clips(path, options)`, an iterator, and `read_keys(path)`,
   where a file may say which video it is of. Its docstring gives units, origin, first frame and source. No FiftyOne.
3. Its line in `FORMATS` below. Library that not everyone has: an extra in `extras` and pyproject.toml.
4. Tests beside those of its neighbours: a point in each corner, a hidden stretch, an offset first frame, no track and
   one, a name in unicode, what is read back, and the format's own library where there is one. A row in
   docs/exchange.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from ..errors import OptionError
from .clip import TrackedClip
from .options import ReadOptions, WriteOptions

HIDDEN, CONFIDENCE, IDENTITY, LABELS, KEYFRAMES, UNSEEN = (
    "hidden positions",
    "confidences",
    "objects and nodes of tracks",
    "names of tracks",
    "marks of positions that a person gave",
    "tracks without any position",
)


class FormatModule(Protocol):
    """What a module of a format offers; `read_clips` and `read_keys` only where it is read."""

    def write_clips(self, path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> list[str] | None: ...

    def read_clips(self, path: Path, options: ReadOptions) -> Iterator[TrackedClip]: ...

    def read_keys(self, path: Path) -> list[tuple[str, str]]: ...


@dataclass(frozen=True)
class FileFormat:
    """A format of files.

    Args:
        title: for people
        suffix: of its files
        module: that writes and reads it, relative to this package; empty where files hold labels of any kind
        imports: whether it is read
        holds_many: a file may hold many videos
        lost: what it cannot hold
        upright: the program reads the video's file without turning it for display
        every_frame: rows stand for the frames of the video, so that none is left out
        pose: named points of individuals; they are stored as one keypoint per individual
        options: which of `names`, `images`, `scorer` and `reconstruct` it heeds
        min_confidence: positions with less are left out, where nobody says otherwise
        scores: its files hold how sure positions are, so that unsure ones can be told on the way in
        own_frames: its rows are the frames of a video that lies in the file, and all of them
    """

    title: str
    suffix: str
    module: str = ""
    imports: bool = True
    holds_many: bool = False
    lost: tuple[str, ...] = ()
    upright: bool = False
    every_frame: bool = False
    pose: bool = False
    options: tuple[str, ...] = ()
    min_confidence: float = 0.0
    scores: bool = True
    own_frames: bool = False

    def load(self) -> FormatModule:
        """The module, imported."""
        return import_module(self.module, package=__package__)  # type: ignore[return-value]


_SHOWN_ALONE = (HIDDEN, CONFIDENCE, IDENTITY, KEYFRAMES)
FORMATS: Mapping[str, FileFormat] = {
    "npz": FileFormat("NumPy arrays (.npz)", ".npz", ".tables.npz_file", every_frame=True),
    "csv": FileFormat("Table, CSV", ".csv", ".tables.csv_file", holds_many=True, lost=(UNSEEN,)),
    "parquet": FileFormat("Table, parquet", ".parquet", ".tables.parquet_file", holds_many=True, lost=(UNSEEN,)),
    "tapvid": FileFormat(
        "TAP-Vid pickle, with the video",
        ".pkl",
        ".tables.tapvid_file",
        lost=(CONFIDENCE, IDENTITY, LABELS, KEYFRAMES),
        every_frame=True,
        scores=False,
        own_frames=True,
    ),
    "dlc": FileFormat(
        "DeepLabCut",
        ".csv",
        ".pose.dlc_file",
        lost=(HIDDEN, KEYFRAMES),
        pose=True,
        options=("names", "images", "scorer"),
    ),
    "lightning-pose": FileFormat(
        "lightning-pose",
        ".csv",
        ".pose.lightning_pose_file",
        lost=(HIDDEN, KEYFRAMES),
        pose=True,
        options=("names", "images", "scorer"),
    ),
    "slp": FileFormat("SLEAP (.slp)", ".slp", ".pose.slp_file", lost=(HIDDEN,), pose=True, options=("names",)),
    "coco": FileFormat(
        "COCO keypoints", ".json", ".pose.coco_file", lost=(CONFIDENCE, KEYFRAMES), pose=True, options=("names",)
    ),
    "cvat": FileFormat("CVAT for video 1.1", ".xml", scores=False),
    "mot": FileFormat("MOT, boxes", ".txt"),
    "colmap": FileFormat(
        "COLMAP database, static scene",
        ".db",
        ".reconstruction.colmap_file",
        imports=False,
        lost=(*_SHOWN_ALONE, LABELS),
        options=("images", "reconstruct"),
        min_confidence=0.5,
    ),
    "rerun": FileFormat(
        "rerun recording", ".rrd", ".reconstruction.rerun_file", imports=False, lost=(HIDDEN, CONFIDENCE, KEYFRAMES),
        upright=True,
    ),
    "nuke": FileFormat("Nuke Tracker4", ".nk", ".vfx.nuke_file", imports=False, lost=_SHOWN_ALONE, upright=True),
    "after-effects": FileFormat(
        "After Effects keyframes",
        ".txt",
        ".vfx.after_effects_file",
        imports=False,
        lost=(*_SHOWN_ALONE, LABELS),
        upright=True,
    ),
    "blender": FileFormat("Blender script", ".py", ".vfx.blender_file", imports=False, lost=_SHOWN_ALONE, upright=True),
    "3de": FileFormat("3DEqualizer text", ".txt", ".vfx.three_de_file", imports=False, lost=_SHOWN_ALONE, upright=True),
}  # fmt: skip


def file_format(name: str, *, to_import: bool = False) -> FileFormat:
    """A format by its name.

    Args:
        name: of `FORMATS`
        to_import: whether it is to be read

    Raises:
        OptionError: for an unknown one, or one that is only written
    """
    names = [known for known, one in FORMATS.items() if one.imports or not to_import]
    if name not in names:
        only = ": it is only written" if name in FORMATS else ""
        raise OptionError(f"Invalid format ({name!r}){only}. Supported values are {', '.join(names)}")
    return FORMATS[name]
