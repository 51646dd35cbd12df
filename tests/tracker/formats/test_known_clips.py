"""Clips with truth beside them: made-up files, and the real ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from point_tracking import VideoFrames
from point_tracking.tracker.errors import TruthError
from point_tracking.tracker.formats.known_clips import known_clips, read_known_clip


def arrays(num_points: int = 3, num_frames: int = 8) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    tracks = rng.uniform(0, 39, (num_points, num_frames, 2))
    query_t = np.array([1, 5, 2])[:num_points]
    return {
        "kind": np.array("made_up"),
        "hw": np.array([30, 40]),
        "query_t": query_t,
        "query_xy": tracks[np.arange(num_points), query_t],
        "tracks": tracks,
        "visible": rng.random((num_points, num_frames)) < 0.7,
        "valid": rng.random((num_points, num_frames)) < 0.7,
    }


def saved(folder: Path, name: str = "clip", **values: np.ndarray) -> Path:
    path = folder / f"{name}.npz"
    np.savez_compressed(path, **values)
    return path


def test_tracks_are_read_frame_first(tmp_path: Path):
    known = arrays()
    clip = read_known_clip(saved(tmp_path, **known))
    assert (clip.name, clip.kind, clip.size_px) == ("clip", "made_up", (40, 30))
    assert clip.truth is not None
    np.testing.assert_array_equal(clip.truth.xy[4, 1], known["tracks"][1, 4])
    np.testing.assert_array_equal(clip.truth.known, known["valid"].T)
    np.testing.assert_array_equal(clip.queries.xy, known["query_xy"])


def test_thinning_keeps_the_phase_of_most_queries(tmp_path: Path):
    known = arrays()
    clip = read_known_clip(saved(tmp_path, **known)).every(4)
    # frames 1 and 5: the queries of points 0 and 1
    assert clip.source_indices.tolist() == [1, 5]
    assert clip.queries.t.tolist() == [0, 1]
    assert clip.truth is not None
    np.testing.assert_array_equal(clip.truth.xy, np.moveaxis(known["tracks"][:2][:, [1, 5]], 1, 0))


def test_masks_are_unpacked(tmp_path: Path):
    masks = np.random.default_rng(1).random((6, 5, 7)) < 0.5
    bits = np.packbits(masks.reshape(6, -1), axis=1)
    known = {name: value for name, value in arrays().items() if name not in ("tracks", "visible", "valid")}
    clip = read_known_clip(saved(tmp_path, **known, mask_bits=bits, mask_hw=np.array([5, 7])))
    assert clip.truth is None
    np.testing.assert_array_equal(clip.masks, masks)


def test_bad_files_are_named(tmp_path: Path):
    known = arrays()
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"not a zip file")
    with pytest.raises(TruthError, match=r"broken\.npz cannot be read"):
        read_known_clip(broken)
    with pytest.raises(TruthError, match="cannot be read"):
        read_known_clip(tmp_path / "absent.npz")
    with pytest.raises(TruthError, match="lacks the arrays visible"):
        read_known_clip(saved(tmp_path, **{k: v for k, v in known.items() if k != "visible"}))
    with pytest.raises(TruthError, match="do not fit together"):
        read_known_clip(saved(tmp_path, **{**known, "valid": known["valid"][:, :3]}))
    with pytest.raises(TruthError, match="cannot be read"):
        read_known_clip(saved(tmp_path, **{**known, "tracks": np.array([{"a": 1}], dtype=object)}))


MASKS = {"mask_bits": np.zeros((6, 5), np.uint8), "mask_hw": np.array([5, 7])}


@pytest.mark.parametrize(
    "changes",
    [
        {"hw": np.array([48, 64, 3])},
        {"hw": np.array(48)},
        {"hw": np.array([0, 64])},
        {"tracks": np.ones(3)},
        {"tracks": np.array(3.0)},
        {"query_t": np.array([0.5, 0.0, 0.0])},
        {"query_t": np.array([0, 0, 99])},
        {"tracks": None, **MASKS, "query_t": np.array([0, 0, 99])},
        {"tracks": None, **MASKS, "mask_bits": np.zeros((6, 5))},
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path: Path, changes: dict):
    held = {name: value for name, value in {**arrays(), **changes}.items() if value is not None}
    with pytest.raises(TruthError, match=r"The arrays in .*clip\.npz do not fit together"):
        read_known_clip(saved(tmp_path, **held))


def test_masks_need_their_size(tmp_path: Path):
    held = {name: value for name, value in {**arrays(), **MASKS}.items() if name not in ("tracks", "mask_hw")}
    with pytest.raises(TruthError, match="lacks the arrays mask_hw"):
        read_known_clip(saved(tmp_path, **held))


def test_any_damage_to_an_archive_is_told(tmp_path: Path):
    path = saved(tmp_path, **arrays())
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(TruthError):
            read_known_clip(path)


def test_clips_need_their_video(tmp_path: Path):
    saved(tmp_path, "with", **arrays())
    saved(tmp_path, "without", **arrays())
    with pytest.raises(TruthError, match="no clips"):
        known_clips(tmp_path)
    (tmp_path / "with.mp4").touch()
    assert [path.stem for path in known_clips(tmp_path)] == ["with"]


def test_the_real_clips_fit_their_videos(eval_dir: Path):
    for path in known_clips(eval_dir):
        clip = read_known_clip(path)
        video = VideoFrames(clip.video_path)
        assert video.size_px == clip.size_px, clip.name
        assert video.num_frames == len(clip.source_indices), clip.name
        assert (clip.truth is None) == (clip.kind == "object_mask_only")
        if clip.truth is not None:
            at_query = clip.truth.xy[clip.queries.t, np.arange(len(clip.queries))]
            np.testing.assert_allclose(at_query, clip.queries.xy, atol=1e-3)
