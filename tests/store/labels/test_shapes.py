"""Labels as shapes, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.store.labels.shapes import check_shapes_field, geometry_of, list_of, shape_of, without_mask
from point_tracking.tracker.errors import FieldError, MaskError, ShapeError
from point_tracking.tracker.propagation import Box, MaskedBox, PointSet, Polyline

SIZE_PX = (160, 120)


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    kinds = (fo.Detections, fo.Polylines, fo.Keypoints, fo.Detection, fo.Classifications)
    for kind in kinds:
        dataset.add_frame_field(kind.__name__.lower(), fo.EmbeddedDocumentField, embedded_doc_type=kind)
    dataset.add_frame_field("number", fo.IntField)
    dataset.add_sample_field("on_sample", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    yield dataset
    dataset.delete()


@pytest.mark.parametrize("name", ["detections", "polylines", "keypoints"])
def test_lists_of_shapes_on_frames_are_taken(dataset: fo.Dataset, name: str) -> None:
    assert check_shapes_field(dataset, name) == check_shapes_field(dataset, f"frames.{name}") == name
    assert list_of(dataset, name) == f"{name}.{name}"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("detection", "holds Detection"),
        ("classifications", "holds Classifications"),
        ("number", "holds IntField"),
        ("on_sample", "no field 'on_sample' on frames"),
        ("absent", "no field 'absent' on frames"),
    ],
)
def test_other_fields_are_refused_in_words(dataset: fo.Dataset, name: str, words: str) -> None:
    with pytest.raises(FieldError, match=f"{words}.*Supported are Detections, Polylines and Keypoints"):
        check_shapes_field(dataset, name)


_UNIT = st.floats(-0.5, 1.5)


@given(_UNIT, _UNIT, st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_box_comes_back_as_it_was(x: float, y: float, width: float, height: float) -> None:
    document = fo.Detection(bounding_box=[x, y, width, height]).to_dict()
    shape = shape_of(document, SIZE_PX)
    assert type(shape) is Box
    np.testing.assert_allclose(shape.xyxy, np.array([x, y, x + width, y + height]) * [160, 120, 160, 120])
    np.testing.assert_allclose(geometry_of(shape, SIZE_PX)["bounding_box"], [x, y, width, height], atol=1e-12)


def test_masks_come_back_as_they_were_inline_and_from_files(tmp_path: Path) -> None:
    mask = np.zeros((6, 8), np.uint8)
    mask[2:, 3:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    for told in ({"mask": mask > 0}, {"mask": mask}, {"mask_path": str(tmp_path / "mask.png")}):
        shape = shape_of(fo.Detection(bounding_box=[0.1, 0.1, 0.5, 0.5], **told).to_dict(), SIZE_PX)
        assert isinstance(shape, MaskedBox)
        np.testing.assert_array_equal(shape.mask, mask > 0)
        back = fo.Detection.from_dict({"_cls": "Detection", **geometry_of(shape, SIZE_PX)})
        np.testing.assert_array_equal(back.mask, mask > 0)


@pytest.mark.parametrize("closed", [False, True])
def test_polylines_come_back_as_they_were(closed: bool) -> None:
    points = [[[0.1, 0.2], [0.3, 0.4], [0.5, 0.1]], [[0.7, 0.7], [0.9, 0.8]]]
    shape = shape_of(fo.Polyline(points=points, closed=closed).to_dict(), SIZE_PX)
    assert isinstance(shape, Polyline)
    assert ([len(line) for line in shape.lines], shape.closed) == ([3, 2], closed)
    back = geometry_of(shape, SIZE_PX)
    assert back["closed"] is closed
    for line, expected in zip(back["points"], points, strict=True):
        np.testing.assert_allclose(line, expected)


def test_keypoints_come_back_as_they_were_with_what_is_not_known() -> None:
    points = [[0.1, 0.2], [float("nan"), float("nan")], [0.5, 0.9]]
    shape = shape_of(fo.Keypoint(points=points).to_dict(), SIZE_PX)
    assert isinstance(shape, PointSet)
    np.testing.assert_allclose(geometry_of(shape, SIZE_PX)["points"], points)
    # what FiftyOne's legacy export makes of NaN
    exported = {"_cls": "Keypoint", "points": [[0.1, 0.2], [{"$numberDouble": "NaN"}] * 2, [0.5, 0.9]]}
    np.testing.assert_allclose(geometry_of(shape_of(exported, SIZE_PX), SIZE_PX)["points"], points)


@pytest.mark.parametrize(
    "document",
    [
        {"_cls": "Detection"},
        {"_cls": "Detection", "bounding_box": [0.1, 0.1, 0.2]},
        {"_cls": "Detection", "bounding_box": [0.1, 0.1, 0, 0.2]},
        {"_cls": "Detection", "bounding_box": [0.1, 0.1, -0.1, 0.2]},
        {"_cls": "Detection", "bounding_box": [0.1, float("nan"), 0.1, 0.2]},
        {"_cls": "Detection", "bounding_box": [0.1, float("inf"), 0.1, 0.2]},
        {"_cls": "Detection", "bounding_box": ["a", 0.1, 0.1, 0.2]},
        {"_cls": "Polyline"},
        {"_cls": "Polyline", "points": [[]]},
        {"_cls": "Polyline", "points": [[[0.1, 0.1]]]},
        {"_cls": "Polyline", "points": [[[0.1, 0.1], [float("nan"), 0.1]]]},
        {"_cls": "Polyline", "points": [[[0.1, 0.1, 0.1], [0.1, 0.1, 0.1]]]},
        {"_cls": "Polyline", "points": [[[0.1, 0.1], [0.1]]]},
        {"_cls": "Keypoint", "points": []},
        {"_cls": "Keypoint", "points": [[float("nan"), 0.1]]},
        {"_cls": "Keypoint", "points": [[0.1, 0.1, 0.1]]},
    ],
    ids=str,
)
def test_labels_without_a_place_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ShapeError):
        shape_of(document, SIZE_PX)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"mask": np.zeros((4, 4), bool)}, "empty"),
        ({"mask_path": "/nowhere/mask.png"}, "cannot be read.*Bring the file back"),
    ],
)
def test_masks_that_say_nothing_are_refused(told: dict[str, Any], words: str) -> None:
    document = fo.Detection(bounding_box=[0.1, 0.1, 0.5, 0.5], **told).to_dict()
    with pytest.raises(MaskError, match=words):
        shape_of(document, SIZE_PX)


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_mask_files_that_are_no_pictures_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(content)
    document = fo.Detection(bounding_box=[0.1, 0.1, 0.5, 0.5], mask_path=str(path)).to_dict()
    with pytest.raises(MaskError, match="cannot be read"):
        shape_of(document, SIZE_PX)


def test_damaged_masks_are_refused() -> None:
    document = fo.Detection(bounding_box=[0.1, 0.1, 0.5, 0.5], mask=np.ones((4, 4), bool)).to_dict()
    with pytest.raises(MaskError, match="cannot be read"):
        shape_of({**document, "mask": b"damaged"}, SIZE_PX)


def test_a_label_without_its_mask_has_all_the_rest() -> None:
    document = fo.Detection(label="goat", mask=np.ones((4, 4), bool), mask_path="/x.png", weather="rain").to_dict()
    bare = without_mask(document)
    assert set(document) - set(bare) == {"mask", "mask_path"}
    assert bare["weather"] == "rain"
