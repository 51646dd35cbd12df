"""Masks out of labels: what each kind holds, and what cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.store.labels.masks import (
    _LONGEST_SIDE,
    _thinned,
    check_mask_field,
    mask_of,
    read_mask,
    read_object_masks,
)
from point_tracking.tracker.errors import FieldError, MaskError, NoPromptError

SIZE_PX = (8, 6)
FULL = np.ones((2, 2), dtype=bool)
LEFT = np.arange(8)[None, :].repeat(6, axis=0) < 4


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (fo.Segmentation(mask=np.uint8(LEFT) * 7), LEFT),
        (fo.Segmentation(mask=LEFT[..., None].astype(np.uint8) * np.array([0, 9, 0], np.uint8)), LEFT),
        (fo.Segmentation(), None),
        (fo.Detection(bounding_box=[0, 0, 0.5, 1], mask=FULL), LEFT),
        (fo.Detection(bounding_box=[0, 0, 0.5, 1]), None),
        (fo.Detections(detections=[]), np.zeros_like(LEFT)),
        (fo.Detections(detections=[fo.Detection(bounding_box=[0, 0, 0.5, 1])]), None),
        (
            fo.Detections(
                detections=[
                    fo.Detection(bounding_box=[0, 0, 0.25, 1], mask=FULL),
                    fo.Detection(bounding_box=[0.25, 0, 0.25, 1], mask=FULL),
                    fo.Detection(bounding_box=[0.5, 0, 0.5, 1]),
                ]
            ),
            LEFT,
        ),
    ],
    ids=["values", "colours", "empty", "instance", "box", "none", "boxes", "union"],
)
def test_each_kind_of_label_gives_its_mask(label: Any, expected: np.ndarray | None) -> None:
    mask = mask_of(label, SIZE_PX)
    if expected is None:
        assert mask is None
    else:
        assert mask is not None
        np.testing.assert_array_equal(mask != 0, expected)


@given(st.integers(1, 3000), st.integers(1, 40))
def test_thinning_keeps_the_place_and_bounds_the_size(width: int, height: int) -> None:
    columns = _thinned(np.broadcast_to(np.arange(width) >= width / 2, (height, width)))
    assert columns.shape[1] <= _LONGEST_SIDE
    if columns.size:
        assert abs(columns[0].mean() - 0.5) <= 0.5 / columns.shape[1] + 1e-9
    if max(width, height) <= _LONGEST_SIDE:
        assert columns.shape == (height, width)


def test_what_is_kept_is_the_middle_of_every_step() -> None:
    mask = np.zeros((8, 4 * _LONGEST_SIDE), dtype=bool)
    mask[2::4, 2::4] = True
    assert _thinned(mask).shape == (2, _LONGEST_SIDE)
    assert _thinned(mask).all()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fo.Sample]:
    """Masks on the sample and on frames 2 and 3 (from 0), in several states."""
    dataset = fo.Dataset()
    sample = fo.Sample(filepath="/absent.mp4", person=fo.Segmentation(mask=np.uint8(LEFT)), nothing=None)
    sample["boxes"] = fo.Detections(detections=[fo.Detection(bounding_box=[0, 0, 1, 1])])
    broken = tmp_path_factory.mktemp("masks") / "broken.png"
    broken.write_text("no picture")
    sample["broken"] = fo.Segmentation(mask_path=str(broken))
    sample["lost"] = fo.Segmentation(mask_path=str(Path(broken).with_name("lost.png")))
    for number in (3, 4):
        sample.frames[number] = fo.Frame(
            object=fo.Segmentation(mask=np.uint8(LEFT)),
            other=fo.Segmentation(mask=np.ones((number, 4), np.uint8)),
            points=fo.Keypoints(),
        )
    dataset.add_sample(sample)
    dataset.add_sample_field("nothing", fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation)
    yield sample
    dataset.delete()


def test_masks_of_samples_and_of_frames_are_read(sample: fo.Sample) -> None:
    for field, frame in (("person", 0), ("frames.object", 2), ("object", 3)):
        np.testing.assert_array_equal(read_mask(sample, field, frame, SIZE_PX) != 0, LEFT)


@pytest.mark.parametrize(
    ("field", "frame", "text"),
    [
        ("object", 0, "There is no mask in 'object' in frame 0"),
        ("nothing", 0, "There is no mask in 'nothing' on this sample"),
        ("boxes", 0, "Detections in 'boxes' on this sample has no mask"),
        ("broken", 0, "'broken' cannot be read"),
        ("lost", 0, "'lost' cannot be read"),
    ],
)
def test_a_mask_that_is_not_there_or_not_to_be_read_is_refused(
    sample: fo.Sample, field: str, frame: int, text: str
) -> None:
    # a sample without any is tracked no more than one whose mask is broken, but nothing is wrong with it
    with pytest.raises(NoPromptError if "There is" in text else MaskError, match=text):
        read_mask(sample, field, frame, SIZE_PX)


def test_the_masks_of_a_clip_are_read_together(sample: fo.Sample) -> None:
    masks, valid = read_object_masks(sample._dataset, sample.id, "object", SIZE_PX, num_frames=6)
    assert (masks.shape, masks.dtype) == ((6, 6, 8), bool)
    assert valid.tolist() == [False, False, True, True, False, False]
    np.testing.assert_array_equal(masks[2], LEFT)
    assert not masks[~valid].any()
    # frames behind the end of the video do not count
    assert read_object_masks(sample._dataset, sample.id, "object", SIZE_PX, num_frames=3)[1].sum() == 1


def test_masks_that_do_not_make_a_clip_are_refused(sample: fo.Sample) -> None:
    with pytest.raises(MaskError, match="differ in size"):
        read_object_masks(sample._dataset, sample.id, "other", SIZE_PX, num_frames=6)
    with pytest.raises(MaskError, match="No frame of this sample has a mask"):
        read_object_masks(sample._dataset, sample.id, "object", SIZE_PX, num_frames=2)


def test_a_field_without_masks_on_frames_is_refused(sample: fo.Sample) -> None:
    assert check_mask_field(sample._dataset, "object") == check_mask_field(sample._dataset, "frames.object") == "object"
    for name, text in (("person", "Segmentation on samples"), ("frames.points", "Keypoints on frames")):
        with pytest.raises(FieldError, match=text):
            check_mask_field(sample._dataset, name)
