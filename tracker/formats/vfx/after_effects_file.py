"""After Effects: keyframe data as text, to be pasted onto a layer; each track is a Point Control.

Pixels from the top-left corner of the layer, y down; frames of the composition, from 0. After Effects draws lines
between keys, so each stretch in which a point is seen is a Point Control of its own. The format has no names. Source:
text that After Effects and mocha put on the clipboard; not opened in the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...errors import FormatError
from ..clip import TrackedClip
from ..options import WriteOptions
from ..output_files import complete_file
from .track_texts import number, track_paths


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes one clip.

    Raises:
        FormatError: if its rate is not known
        OutputError
    """
    (clip,) = clips
    if not clip.fps:
        raise FormatError(f"The frames per second of {clip.path} are not known, and After Effects needs them")
    width, height = clip.size_px or (0, 0)
    with complete_file(path, overwrite=options.overwrite) as file:
        file.write("Adobe After Effects 8.0 Keyframe Data\n\n")
        facts = {
            "Units Per Second": number(clip.fps),
            "Source Width": width,
            "Source Height": height,
            "Source Pixel Aspect Ratio": 1,
            "Comp Pixel Aspect Ratio": 1,
        }
        for name, value in facts.items():
            file.write(f"\t{name}\t{value}\n")
        control = 0
        for track in track_paths(clip, "after-effects", options.first_frame):
            for run in track.runs:
                control += 1
                file.write(f"\nEffects\tPoint Control #{control}\tPoint #2\n\tFrame\tX pixels\tY pixels\t\n")
                for frame, (x, y) in zip(track.frames[run].tolist(), track.xy[run].tolist(), strict=True):
                    file.write(f"\t{frame}\t{number(x)}\t{number(y)}\t\n")
        file.write("\n\nEnd of Keyframe Data\n")
