"""Clips with a truth file each, as datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import (
    TruthError,
    VideoError,
)

pytestmark = pytest.mark.usefixtures("no_datasets_stay")
WIDTH, HEIGHT = media.SIZE


NUM_FRAMES = 7


def known_clip(folder: Path, name: str, **changes: Any) -> None:
    rng = np.random.default_rng(3)
    tracks = rng.uniform(5, 100, (3, NUM_FRAMES, 2))
    query_t = np.array([0, 2, 4])
    arrays: dict[str, Any] = {
        "kind": np.array("made_up"),
        "hw": np.array([HEIGHT, WIDTH]),
        "query_t": query_t,
        "query_xy": tracks[np.arange(3), query_t],
        "tracks": tracks,
        "visible": np.ones((3, NUM_FRAMES), bool),
        "valid": np.ones((3, NUM_FRAMES), bool),
        **changes,
    }
    np.savez(folder / f"{name}.npz", **{key: value for key, value in arrays.items() if value is not None})
    media.video(folder / f"{name}.mp4", num_frames=NUM_FRAMES)


def test_clips_with_truth_become_a_data_set(tmp_path: Path) -> None:
    valid = np.ones((3, NUM_FRAMES), bool)
    valid[0, 3:] = False
    hidden = np.ones((3, NUM_FRAMES), bool)
    hidden[1, 5] = False
    known_clip(tmp_path, "sparse", valid=valid, visible=hidden)
    known_clip(tmp_path, "dense")
    masks = np.zeros((NUM_FRAMES, 6, 8), bool)
    masks[:, 2:4, 3:5] = True
    bits = {"mask_bits": np.packbits(masks.reshape(NUM_FRAMES, -1), axis=1), "mask_hw": np.array([6, 8])}
    known_clip(tmp_path, "masked", tracks=None, visible=None, valid=None, **bits)
    dataset = pt.load_known_clips(tmp_path, gt_field="gt")
    assert dataset.values("clip") == ["dense", "masked", "sparse"]
    assert dataset.values("kind") == ["made_up"] * 3
    assert dataset.values("gt_sparse") == [False, None, True]
    assert dataset.values("gt_query_frames") == [[0, 2, 4], None, [0, 2, 4]]
    sparse = pt.read_tracks(dataset.last(), "gt")
    assert np.isfinite(sparse.xy[..., 0]).sum() == 3 * NUM_FRAMES - 4
    assert sparse.visible.sum() == 3 * NUM_FRAMES - 4 - 1
    sample = dataset.match(fo.ViewField("clip") == "masked").first()
    np.testing.assert_array_equal(sample.frames[4]["object"].mask != 0, masks[3])
    assert len(sample["queries"]) == 3
    report = pt.track_dataset(
        dataset, "tracks", tracker="optical-flow", points="queries", tracker_options={"resolution": 64}
    )
    assert report.failures == []
    judged = pt.evaluate_dataset(dataset, "tracks", "gt", group_by="kind")
    assert [o.matched_by for o in judged.outcomes] == ["index", None, "index"]
    assert judged.outcomes[2].num_points == 3


def test_clips_that_do_not_fit_leave_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match="no clips"):
        pt.load_known_clips(tmp_path)
    known_clip(tmp_path, "clip")
    media.video(tmp_path / "clip.mp4", num_frames=NUM_FRAMES + 2)
    with pytest.raises(TruthError, match="has 9 frames, its truth 7"):
        pt.load_known_clips(tmp_path, "none")
    media.text_file(tmp_path / "clip.mp4")
    with pytest.raises(VideoError):
        pt.load_known_clips(tmp_path, "none")
    assert not fo.dataset_exists("none")


def test_the_real_clips_are_loaded(eval_dir: Path) -> None:
    dataset = pt.load_known_clips(eval_dir)
    assert set(dataset.distinct("kind")) >= {"composite_exact_dense", "object_mask_only"}
    sample = dataset.match(fo.ViewField("kind") == "composite_exact_dense").first()
    pt.write_tracks(sample, "again", pt.read_tracks(sample, "ground_truth"), keep_hidden=True)
    report = pt.evaluate_dataset(dataset.select(sample.id), "again", "ground_truth")
    assert (report.outcomes[0].figures["delta_avg"], report.outcomes[0].figures["aj"]) == (1.0, 1.0)
    assert report.outcomes[0].figures["outside"] == 0.0
