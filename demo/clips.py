"""Short videos whose every point is known exactly.

A scene is a stack of flat, textured layers: a background photograph and cut-outs
of others in front of it. Every layer has one affine map per frame, from its own
pixels to the pixels of the frame, in which a moving camera (pan, zoom, roll) and
the motion of the object are already multiplied together. From the same maps come

- the picture: layers are drawn back to front at twice the resolution, then averaged,
- the tracks: a point fixed on a layer, sent through the map of every frame,
- the visibility: a point is visible where its layer is the topmost one and the
  position lies in the frame.

So truth is computed, not estimated, and the picture agrees with it to a few
hundredths of a pixel (the warp rounds its weights). Pixel (0, 0) is the centre of the
top-left pixel throughout.

    clips = make_clips("some/folder")
    clips[0].path, clips[0].queries, clips[0].truth, clips[0].mask
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..tracker.queries import grid_queries
from ..tracker.types import Queries
from .layers import (
    EDGE_STEPS,
    FRAME_SIZE,
    NUM_FRAMES,
    DemoClip,
    PhotoScene,
    render,
    topmost_layer,
    true_tracks,
    write_video,
)

"""(width, height) of every clip, pixels."""


"""Around a point, x and y in pixels."""


def demo_queries(scene: PhotoScene, grid_size: int) -> Queries:
    """A grid in frame 0, without the points that lie on an edge between layers.

    Args:
        scene: the layers
        grid_size: points per side before any are left out

    Returns:
        Queries with origin "points"
    """
    width, height = FRAME_SIZE
    xy = grid_queries(grid_size, height=height, width=width).xy
    top = topmost_layer(scene, 0, xy)
    clear = np.logical_and.reduce([topmost_layer(scene, 0, xy + np.array(step)) == top for step in EDGE_STEPS])
    xy = xy[clear]
    return Queries(t=np.zeros(len(xy), dtype=np.int64), xy=xy, origin="points")


def subject_mask(scene: PhotoScene) -> np.ndarray:
    """The visible part of the subject in frame 0, as an (H, W) bool mask."""
    width, height = FRAME_SIZE
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    xy = np.stack([x, y], axis=-1).reshape(-1, 2)  # (H * W, 2)
    return (topmost_layer(scene, 0, xy) == scene.subject).reshape(height, width)  # (H, W)


def make_clips(folder: str | os.PathLike[str], *, seed: int = 0, grid_size: int = 16) -> list[DemoClip]:
    """Makes the demo videos. The same seed makes the same videos.

    Args:
        folder: where to put the mp4 files; made if missing, files of the same name are replaced
        seed: of the camera's shake before photographs
        grid_size: points per side in frame 0; those on the edge of an object are left out

    Returns:
        one clip per scene, then those of the generator
    """
    from .generated import generated_clips
    from .scenes import demo_scenes

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for scene in demo_scenes(seed=seed, num_frames=NUM_FRAMES, frame_size=FRAME_SIZE):
        path = folder / f"{scene.name}.mp4"
        write_video(path, (render(scene, t) for t in range(scene.num_frames)))
        queries = demo_queries(scene, grid_size)
        clips.append(DemoClip(path, queries, true_tracks(scene, queries.xy), subject_mask(scene)))
    return [*clips, *generated_clips(folder, grid_size)]
