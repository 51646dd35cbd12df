"""Named arrays out of .npz files that anybody may have made.

Nothing pickled is read, and whatever a damaged archive fails with is told as one
error, of the type that its reader tells.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from ..errors import PointTrackingError


def read_arrays(
    path: Path, names: Iterable[str], error: type[PointTrackingError], what: str, most_bytes: int | None = None
) -> dict[str, np.ndarray]:
    """Those of some arrays that a file has.

    Args:
        path: of an .npz file
        names: of arrays
        error: type of what is raised
        what: the file should be, as in "an .npz of tracks"
        most_bytes: that the file may unpack to; None = any number

    Raises:
        PointTrackingError: of the given type, if it cannot be read, holds objects, or unpacks to more
    """
    unpacked = 0
    try:
        if most_bytes is not None:
            with ZipFile(path) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
        if most_bytes is None or unpacked <= most_bytes:
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in names if name in file.files}
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error, NotImplementedError) as failure:
        # a damaged archive fails in any of these ways
        raise error(f"{path} cannot be read as {what}: {failure}") from failure
    raise error(f"{path} unpacks to {unpacked / 2**30:.0f} GiB, more than the tracks of a video can be")
