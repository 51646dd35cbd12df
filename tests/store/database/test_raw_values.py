"""Values without conversion."""

from __future__ import annotations

import fiftyone as fo
from bson import ObjectId
from fiftyone import ViewField as F

from point_tracking.store.database.raw_values import raw_values


def test_labels_come_as_documents_with_what_is_not_declared_as_a_view_shows_them() -> None:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    sample = fo.Sample(filepath="/absent.mp4")
    boxes = [fo.Detection(label=label, bounding_box=[0, 0, 1, 1], keyframe=True) for label in ("goat", "kid")]
    boxes[0].instance = fo.Instance()
    sample.frames[3] = fo.Frame(boxes=fo.Detections(detections=boxes))
    dataset.add_sample(sample, dynamic=False)
    ((numbers,), (labels,)) = raw_values(dataset, ["frames.frame_number", "frames.boxes"])
    assert numbers == [3]
    stored = labels[0]["detections"]
    assert [label["keyframe"] for label in stored] == [True, True]
    assert isinstance(stored[0]["instance"]["_id"], ObjectId)
    view = dataset.filter_labels("frames.boxes", F("label") == "kid")
    (((shown,),),) = raw_values(view, ["frames.boxes.detections.label"])
    assert shown == ["kid"]
    dataset.delete()
