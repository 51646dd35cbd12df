"""Labels carried by tracks: one object's shapes at a few keyframes become its shapes in all frames.

    options = PropagationOptions(direction="both")
    for keyframe in keyframes:                                   # boxes, masks, polylines, keypoints, in pixels
        seeds = seed_points(keyframe.shape, size_px, options)    # what is to be tracked from this frame
    frames = fill_frames(keyframes, tracks, num_frames, size_px, options)

Reads best in this order: `shapes`, `keyframes` (with the stretches between them, and what each was computed from),
`seeds` (points for a shape), `carrying` (one keyframe followed through the clip), `ownership` (which points lie on the
object), `blending` (two paths made one), `filling` (the way in). Beside it lie `motion`, `masks`, `polylines`,
`clipping` and `options`, which holds the constants. numpy and OpenCV alone; the method and what was measured stand in
`docs/propagation.md`.

Adding a kind of shape: a dataclass in `shapes` with `vector` and `with_vector`, its points in `seeds`, its motion in
`carrying`.
"""

from .filling import FilledFrame, fill_frames, fill_stretch
from .keyframes import Keyframe, Stretch, digest_stretch, find_stretches
from .options import PropagationOptions, Rules
from .seeds import Seeds, seed_points
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
    "Seeds",
    "Shape",
    "Stretch",
    "digest_stretch",
    "fill_frames",
    "fill_stretch",
    "find_stretches",
    "seed_points",
]
