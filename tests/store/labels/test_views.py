"""What a view shows of its samples' labels, one sample at a time."""

from __future__ import annotations

from collections.abc import Callable

import fiftyone as fo
import pytest
from fiftyone import ViewField as F

from point_tracking.store.labels.views import (
    hides_frames,
    hides_labels,
    shown_samples,
    view_document,
    view_from_document,
)


@pytest.fixture
def dataset(make_dataset: Callable[..., fo.Dataset]) -> fo.Dataset:
    """Two videos with a nose in frame 1 and a tail in frame 2."""
    dataset = make_dataset()
    dataset.media_type = "video"
    samples = [fo.Sample(filepath=f"/absent/{k}.mp4") for k in range(2)]
    for sample in samples:
        for number, label in ((1, "nose"), (2, "tail")):
            keypoint = fo.Keypoint(label=label, points=[(0.5, 0.5)], index=number)
            sample.frames[number] = fo.Frame(joints=fo.Keypoints(keypoints=[keypoint]))
    dataset.add_samples(samples)
    return dataset


# name -> view, labels it shows, whether it hides labels, whether frames
VIEWS: dict[str, tuple[Callable[[fo.Dataset], fo.Dataset | fo.DatasetView], list[str], bool, bool]] = {
    "dataset": (lambda d: d, ["nose", "tail"], False, False),
    "samples": (lambda d: d.sort_by("filepath", reverse=True).skip(1).limit(1), ["nose", "tail"], False, False),
    "fields": (lambda d: d.select_fields(), ["nose", "tail"], False, False),
    "labels": (lambda d: d.skip(0).filter_labels("frames.joints", F("label") == "tail"), ["tail"], True, False),
    "frames": (lambda d: d.match_frames(F("frame_number") == 1), ["nose"], True, True),
    "names": (lambda d: d.map_labels("frames.joints", {"nose": "muzzle"}), ["muzzle", "tail"], True, False),
    "mongo": (lambda d: d.mongo([{"$limit": 1}]), ["nose", "tail"], True, False),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_sample_is_seen_as_its_view_shows_it_also_elsewhere(dataset: fo.Dataset, name: str) -> None:
    make, expected, labels, frames = VIEWS[name]
    view = make(dataset)
    sample_id = view.values("id")[0]
    for samples in (view, view_from_document(dataset, view_document(view))):
        shown = shown_samples(samples, sample_id)
        assert shown.values("id") == [sample_id]
        assert shown.distinct("frames.joints.keypoints.label") == expected
    assert (hides_labels(view), hides_frames(view)) == (labels, frames)
    assert dataset.count("frames.joints.keypoints") == 4


def test_samples_are_not_chosen_anew(dataset: fo.Dataset) -> None:
    view = dataset.sort_by("filepath").skip(1).filter_labels("frames.joints", F("label") == "tail")
    kinds = [type(stage).__name__ for stage in shown_samples(view, view.values("id"))._stages]
    assert kinds == ["Select", "FilterLabels"]
