"""lightning-pose: predictions of a video, or a training set with its pictures.

As `dlc_file`, for one individual, without HDF5; a training set (`images`) has one index column, the path of the picture
beside the table: `labeled-data/<video>/img00000007.png`. Pixels, whole numbers are pixels; frames from 0. Source:
lightning-pose's documentation, and its files as sleap-io and pandas read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ...errors import FormatError
from ..clip import TrackedClip
from ..options import ReadOptions, WriteOptions
from ..output_files import check_free, complete_file
from ..pictures import complete_folder, write_pictures
from .dlc_file import FOLDER, clip_of_table, table_of
from .poses import poses_of
from .scorer_table import write_table


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes one clip.

    Raises:
        FormatError: if names are not unique, or there are several individuals
        VideoError: if pictures are asked for and the video cannot be read
        OutputError
    """
    (clip,) = clips
    individuals = poses_of(clip, options.names).individuals
    if len(individuals) > 1:
        raise FormatError(
            f"lightning-pose holds one individual, and these tracks are of {len(individuals)}: "
            f"{', '.join(individuals[:5])}. Choose one by a view, or use format='dlc'"
        )
    header, places, values = table_of(clip, options, "lightning-pose")
    check_free(path, overwrite=options.overwrite)
    if options.images:
        kept = np.isfinite(values).any(axis=1)
        values, frames = values[kept], clip.frames[kept]
        names = [f"img{number:08d}.png" for number in (frames + options.first_frame).tolist()]
        places = [(f"{FOLDER}/{path.stem}/{name}",) for name in names]
        with complete_folder(path.parent / FOLDER / path.stem, overwrite=options.overwrite) as folder:
            write_pictures(clip.path, frames, folder, names)
    with complete_file(path, overwrite=options.overwrite) as file:
        write_table(file, header, places, values)


def read_clips(path: Path, options: ReadOptions) -> Iterator[TrackedClip]:
    """Yields the clip of a .csv file, of predictions or of a training set.

    Raises:
        FormatError: if it is no such table; names what is missing, or the row
    """
    yield clip_of_table(path, options, "lightning-pose")
