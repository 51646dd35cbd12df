"""3DEqualizer's 2-D tracks as text, which SynthEyes, PFTrack and Blender's add-ons read too.

First line: how many points. Of each point: its name, a colour (0), how many keys, and a line "frame x y" for each.
Pixels from the bottom-left corner, y up; frames from 1. A frame without a line is a gap. Source: 3DEqualizer's
"Import 2D Tracks"; not opened in the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..clip import TrackedClip
from ..options import WriteOptions
from ..output_files import complete_file
from .track_texts import number, track_paths


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes one clip.

    Raises:
        OutputError
    """
    (clip,) = clips
    tracks = list(track_paths(clip, "3de", options.first_frame))
    with complete_file(path, overwrite=options.overwrite) as file:
        file.write(f"{len(tracks)}\n")
        for track in tracks:
            file.write(f"{track.name.replace(' ', '_')}\n0\n{len(track.frames)}\n")
            for frame, (x, y) in zip(track.frames.tolist(), track.xy.tolist(), strict=True):
                file.write(f"{frame} {number(x)} {number(y)}\n")
