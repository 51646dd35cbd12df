"""What `apply_model` takes from labels is what `track_dataset` takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from ffmpeg import needs_ffmpeg
from fiftyone import ViewField as F
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError
from point_tracking.tracker.models.base import Capabilities

MakeDataset = Callable[..., fo.Dataset]


def _names(dataset: fo.Dataset, field: str) -> list[list[tuple[str, int, int | None]]]:
    """Per frame (label, index, object) of the first sample's keypoints."""
    dataset.first().reload()
    frames = dataset.first().frames
    return [
        [(k.label, k.index, getattr(k, "object", None)) for k in frames[n][field].keypoints]
        for n in sorted(frames)
        if frames[n][field] is not None
    ]


def _prompted(dataset: fo.Dataset) -> fo.Dataset:
    sample = dataset.first()
    for number, labels in ((1, {"nose": 7, "tail": 9}), (4, {"ear": 3})):
        points = {"nose": (0.1, 0.2), "tail": (0.2, 0.2), "ear": (1.0, 0.2)}
        keypoints = [fo.Keypoint(label=label, index=index, points=[points[label]]) for label, index in labels.items()]
        sample.frames[number]["joints"] = fo.Keypoints(keypoints=keypoints)
    sample.save()
    return dataset


@needs_ffmpeg
@pytest.mark.parametrize("options", [{}, {"store_in": "tracks"}], ids=["FiftyOne writes", "the model writes"])
@pytest.mark.parametrize("kind", ["all", "labels", "frames"])
def test_views_and_names_are_those_of_track_dataset(
    make_dataset: MakeDataset, clip: Path, drift: DriftTracker, kind: str, options: dict[str, Any]
) -> None:
    dataset = _prompted(make_dataset(clip))
    view = {
        "all": dataset,
        "labels": dataset.filter_labels("frames.joints", F("label") == "tail"),
        "frames": dataset.match_frames(F("frame_number") > 2),
    }[kind]
    pt.track_dataset(view, "expected", tracker=drift, points="frames.joints")
    model = pt.load_model(drift, **options)
    if kind == "frames" and not options:
        # FiftyOne would replace the hidden frames by new ones
        with pytest.raises(CollectionError, match="store_in"):
            view.apply_model(model, label_field="tracks", points="frames.joints", skip_failures=False)
        assert dataset.count("frames.joints.keypoints") == 3
        return
    view.apply_model(model, label_field="tracks", points="frames.joints", skip_failures=False)
    assert _names(dataset, "tracks") == _names(dataset, "expected")
    assert [name[0] for name in _names(dataset, "tracks")[3]] == {
        "all": ["nose", "tail", "ear"],
        "labels": ["tail"],
        "frames": ["ear"],
    }[kind]
    assert dataset.count("frames.joints.keypoints") == 3
    assert [text[:39] for _, text in model.warnings] == (
        [] if kind == "labels" else [f"1 of {3 if kind == 'all' else 1} points in 'frames.joints' lie in"]
    )


@needs_ffmpeg
def test_a_sample_without_a_prompt_is_no_failure(
    make_dataset: MakeDataset, clip: Path, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(clip, media.video(tmp_path / "bare.mp4", num_frames=4))
    _prompted(dataset)
    model = pt.load_model(drift)
    dataset.apply_model(model, label_field="tracks", points="frames.joints", skip_failures=False)
    assert (model.failures, drift.clips) == ([], 1)
    ((path, text),) = model.without_prompt
    assert (path, "holds no points" in text) == (str(tmp_path / "bare.mp4"), True)


@needs_ffmpeg
def test_many_query_frames_are_told_where_each_costs_a_pass(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(media.video(tmp_path / "one.mp4", num_frames=10))
    monkeypatch.setattr(drift, "capabilities", Capabilities(pass_per_query_frame=True))
    model = pt.load_model(drift, points=[(t, 20, 20) for t in range(9)])
    dataset.apply_model(model, label_field="tracks", skip_failures=False)
    ((path, warning),) = model.warnings
    assert path == str(tmp_path / "one.mp4")
    assert warning.startswith("The points lie in 9 frames, and drift goes through the video once for each")
