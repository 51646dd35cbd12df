"""Makes the animated picture at the top of the README: tracks of one of the demo's own clips, drawn by `render_trails`.

python scripts/animated_picture.py docs/pictures/trails.webp
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import fiftyone as fo

import point_tracking as pt
from point_tracking.demo.clips import make_clips

_CLIP = "cat_and_cup"
_GRID = 16
_TAIL = 20


def main(path: str) -> None:
    """Writes the picture to a file whose ending, .webp or .gif, says of which kind it is."""
    dataset = fo.Dataset()
    try:
        with tempfile.TemporaryDirectory() as folder:
            clip = next(clip for clip in make_clips(folder, grid_size=_GRID) if clip.path.stem == _CLIP)
            dataset.add_sample(fo.Sample(filepath=str(clip.path)))
            points = [(t, x, y) for t, (x, y) in zip(clip.queries.t.tolist(), clip.queries.xy.tolist(), strict=True)]
            report = pt.track_dataset(dataset, points=points, keep_hidden=True)
            print(report)
            made = pt.render_trails(dataset.first(), "tracks", path, tail=_TAIL, overwrite=True)
    finally:
        dataset.delete()
    width, height = made.size_px
    size_mb = Path(made.path).stat().st_size / 1e6
    print(f"{made.path}: {made.num_frames} frames of {width} x {height}, {size_mb:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1])
