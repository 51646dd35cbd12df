"""Labels carried by tracks: one object's shapes at a few keyframes become its shapes in all frames.

    options = PropagationOptions(direction="both")
    keyframes = [Keyframe(0, Box(...)), Keyframe(30, Box(...)), Keyframe(60, None)]     # None: gone
    seeds = query_seeds({("goat", one.t): one.shape for one in keyframes if one.shape}, size_px, options)
    tracks = seeds.split(tracker.track(frames, seeds.queries, backward=True))
    filled = fill_frames(keyframes, tracks["goat"], num_frames, size_px, options)

Reads best in this order: `shapes`, `keyframes` (with the stretches between them, and what each was computed from),
`seeds` (points for a shape), `carrying` (one keyframe followed through the clip), `ownership` (which points lie on the
object), `blending` (two paths made one), `filling` (the way in). Beside it lie `motion`, `masks`, `polylines`
and `options`, which holds the constants. numpy and OpenCV alone; the method and what was measured stand in
`docs/propagation.md`.

Adding a kind of shape: a dataclass in `shapes` with `vector` and `with_vector`, its points in `seeds`, its motion in
`carrying`.
"""

from .filling import FilledFrame, fill_frames, fill_stretch
from .keyframes import Keyframe, Stretch, digest_stretch, find_stretches
from .options import PropagationOptions, Rules
from .seeds import SeedQueries, Seeds, query_seeds, seed_points
from .shapes import Box, MaskedBox, PointSet, Polyline, Shape

__all__ = [
    "Box",
    "FilledFrame",
    "Keyframe",
    "MaskedBox",
    "PointSet",
    "Polyline",
    "PropagationOptions",
    "Rules",
    "SeedQueries",
    "Seeds",
    "Shape",
    "Stretch",
    "digest_stretch",
    "fill_frames",
    "fill_stretch",
    "find_stretches",
    "query_seeds",
    "seed_points",
]
