"""COLMAP: a database of images, keypoints and verified matches of a static scene, and the model that they give.

A track is one keypoint in each image in which it is seen, so every pair of images that shares enough tracks is matched.
Pixels from the outer corner of the first pixel: its centre is (0.5, 0.5). An image per frame, `<frame>.png` from 0; the
pictures themselves are written where asked for (`images`, into `<name>_images`), and COLMAP needs them for colours
alone. Points that are hidden, and those that move against the rest, are left out. `reconstruct` runs COLMAP's
incremental mapper and keeps the model of most images, in `<name>_model/0`. Source: pycolmap 4.2 (BSD).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError
from ..clip import TrackedClip
from ..conventions import CONVENTIONS
from ..extras import needed
from ..options import WriteOptions
from ..output_files import check_free, library_path
from ..pictures import complete_folder, write_pictures
from .static_points import moving_points

_LEAST_COMMON = 15
# pairs of frames further apart than this are matched every tenth frame only: all pairs of a long clip are too many
_NEAR = 40
_EVERY = 10
# a match is kept as found and as verified
_BYTES_PER_MATCH = 24
_FOCAL_BY_SIDE = 1.2  # COLMAP's own guess; the mapper refines it


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> list[str]:
    """Writes one clip.

    Returns:
        what became of it, in words

    Raises:
        FormatError: if too few points are seen in common, or there is no model
        VideoError: if pictures are asked for and the video cannot be read
        OutputError
        DependencyError: without pycolmap
    """
    colmap = needed("pycolmap", "colmap")
    (clip,) = clips
    if clip.size_px is None:
        raise FormatError("The size of the video is not known, and COLMAP needs it")
    check_free(path, overwrite=options.overwrite)
    moving = moving_points(clip.tracks.xy, clip.tracks.visible)
    clip = clip.chosen(~moving)
    visible = clip.tracks.visible
    names = [f"{number:06d}.png" for number in (clip.frames + options.first_frame).tolist()]
    told = [f"{int(moving.sum())} tracks that move against the rest were left out"] if moving.any() else []
    if options.images:
        with complete_folder(_beside(path, "images"), overwrite=options.overwrite) as folder:
            write_pictures(clip.path, clip.frames, folder, names)
    expected_bytes = 2**20 + _BYTES_PER_MATCH * len(_pairs(len(names))) * int(visible.sum(axis=1).max(initial=0))
    with library_path(path, overwrite=options.overwrite, expected_bytes=expected_bytes) as part, _quiet(colmap):
        with colmap.Database.open(str(part)) as database:
            matched = _fill(colmap, database, clip, names, visible)
        if not matched:
            raise FormatError(
                f"No two frames share {_LEAST_COMMON} tracks, so there is nothing to match. Track more points, or take "
                "frames that are closer together"
            )
        _verify(colmap, part, matched)
        if options.reconstruct:
            told.append(_reconstruct(colmap, part, path, options.overwrite))
    return told


@contextmanager
def _quiet(colmap: Any) -> Iterator[None]:
    """Keeps what COLMAP says of each step, and of each picture that is not there, off the screen; errors stay."""
    before = colmap.logging.minloglevel
    colmap.logging.minloglevel = max(before, int(colmap.logging.Level.ERROR))
    try:
        yield
    finally:
        colmap.logging.minloglevel = before


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{path.stem}_{what}")


def _fill(
    colmap: Any, database: Any, clip: TrackedClip, names: list[str], visible: np.ndarray
) -> list[tuple[str, str]]:
    """Writes camera, images, keypoints and matches; returns the pairs of images that are matched."""
    width, height = clip.size_px or (1, 1)
    # few long tracks do not determine a lens's distortion
    model = colmap.CameraModelId.SIMPLE_PINHOLE
    focal = _FOCAL_BY_SIDE * max(width, height)
    camera = colmap.Camera.create_from_model_id(1, model, focal, width, height)
    camera_id = database.write_camera(camera)
    sensor = colmap.sensor_t(colmap.SensorType.CAMERA, camera_id)
    rig = colmap.Rig()
    rig.add_ref_sensor(sensor)
    rig_id = database.write_rig(rig)
    xy = CONVENTIONS["colmap"].to_file(clip.tracks.xy, (width, height)).astype(np.float32)
    place = np.cumsum(visible, axis=1) - 1  # (T, N): which keypoint of its image a track is
    ids = []
    for row, name in enumerate(names):
        image_id = database.write_image(colmap.Image(name=name, camera_id=camera_id))
        frame = colmap.Frame()
        frame.rig_id = rig_id
        frame.add_data_id(colmap.data_t(sensor, image_id))
        database.write_frame(frame)
        database.write_keypoints(image_id, xy[row, visible[row]])
        ids.append(image_id)
    matched = []
    for i, j in _pairs(len(names)):
        both = visible[i] & visible[j]
        if both.sum() >= _LEAST_COMMON:
            matches = np.stack([place[i, both], place[j, both]], axis=1).astype(np.uint32)  # (M, 2)
            database.write_matches(ids[i], ids[j], matches)
            matched.append((names[i], names[j]))
    return matched


def _pairs(number: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(number) for j in range(i + 1, number) if j - i <= _NEAR or (j - i) % _EVERY == 0]


def _verify(colmap: Any, database_path: Path, matched: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pairs = Path(folder) / "pairs.txt"
        pairs.write_text("\n".join(" ".join(pair) for pair in matched) + "\n", encoding="utf-8")
        colmap.verify_matches(str(database_path), str(pairs))


def _reconstruct(colmap: Any, database_path: Path, path: Path, overwrite: bool) -> str:
    options = colmap.IncrementalPipelineOptions()
    options.random_seed = 0
    options.num_threads = 1
    with tempfile.TemporaryDirectory() as scratch:
        # without pictures the points have no colours
        images = _beside(path, "images") if _beside(path, "images").is_dir() else Path(scratch)
        made = colmap.incremental_mapping(str(database_path), str(images), scratch, options)
    if not made:
        raise FormatError(
            "COLMAP found no model: the camera hardly moves, or most of what is tracked does. Take frames that are "
            "further apart, or choose tracks of what stands still by a view"
        )
    best = max(made.values(), key=lambda model: model.num_reg_images())
    with complete_folder(_beside(path, "model"), overwrite=overwrite) as folder:
        (folder / "0").mkdir()
        best.write(str(folder / "0"))
    best.update_point_3d_errors()
    with colmap.Database.open(str(database_path)) as database:
        total = database.num_images()
    return (
        f"COLMAP registered {best.num_reg_images()} of {total} images with {best.num_points3D()} points, mean "
        f"reprojection error {best.compute_mean_reprojection_error():.2f} px"
    )
