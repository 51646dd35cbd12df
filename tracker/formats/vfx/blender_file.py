"""Blender: a Python script that adds the tracks to a movie clip; run it in Blender's text editor.

Shares of width and height from the bottom-left corner, y up; frames of the clip, from 1. A marker of each frame in
which a point is seen; the frame after such a stretch has a muted one, so that Blender draws nothing further. Source:
Blender's Python API (bpy.types.MovieTrackingMarkers); not opened in the program.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ..clip import TrackedClip
from ..options import WriteOptions
from ..output_files import complete_file
from .track_texts import number, track_paths

_DIGITS = 8
_SCRIPT = """
clip = bpy.data.movieclips.load(VIDEO)
for name, markers in TRACKS:
    track = clip.tracking.tracks.new(name=name, frame=markers[0][0])
    for frame, u, v, muted in markers:
        marker = track.markers.insert_frame(frame, co=(u, v))
        marker.mute = bool(muted)
"""


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes one clip.

    Raises:
        OutputError
    """
    (clip,) = clips
    with complete_file(path, overwrite=options.overwrite) as file:
        # as JSON texts and numbers are Python's too: nothing that a name holds is code
        file.write(f"import bpy\n\nVIDEO = {json.dumps(clip.path, ensure_ascii=False)}\nTRACKS = [\n")
        for track in track_paths(clip, "blender", options.first_frame):
            markers: list[str] = []
            for run in track.runs:
                frames, places = track.frames[run].tolist(), track.xy[run].tolist()
                shares = [f"{number(x, _DIGITS)}, {number(y, _DIGITS)}" for x, y in places]
                markers += [f"({frame}, {share}, 0)" for frame, share in zip(frames, shares, strict=True)]
                markers.append(f"({frames[-1] + 1}, {shares[-1]}, 1)")
            file.write(f"    ({json.dumps(track.name, ensure_ascii=False)}, [{', '.join(markers)}]),\n")
        file.write(f"]\n{_SCRIPT}")
