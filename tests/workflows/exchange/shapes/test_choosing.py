"""Which labels of a sample are exported to files of shapes."""

from __future__ import annotations

from collections import Counter

import numpy as np

from point_tracking.store.tracks.source_links import SourceLink
from point_tracking.store.tracks.videos import VideoShape
from point_tracking.tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape
from point_tracking.workflows.exchange.options import ExportOptions
from point_tracking.workflows.exchange.shapes.choosing import chosen_tracks
from point_tracking.workflows.exchange.shapes.notes import made_track, never_there, with_ends

VIDEO = VideoShape((80, 60), 8)


def box(*frames: int, confidence: float | None = None, kind: str = "Detections", occluded: bool = False) -> ShapeTrack:
    """A thing in some frames."""
    notes = {} if confidence is None else {"confidence": confidence}
    corners = np.array([[8.0, 6.0], [16.0, 12.0]])
    shapes = [TrackedShape(t, "box", corners + t, occluded=occluded, notes=notes) for t in frames]
    return made_track("thing", with_ends(shapes, VIDEO.num_frames), {"kind": kind, "index": frames[0]})


def chosen(*tracks: ShapeTrack, link: SourceLink | None = None, **options):
    left_out: Counter[str] = Counter()
    kept, video = chosen_tracks(tracks, VIDEO, link, ExportOptions("cvat", **options), left_out)
    return kept, video, left_out


def told(track: ShapeTrack) -> dict[int, bool]:
    """Frame -> whether the object is there."""
    return {shape.frame_index: not shape.outside for shape in track.shapes}


def test_without_options_all_stays_as_it_is():
    tracks = [box(0, 1, 2), ShapeTrack(0, "never", (never_there(),))]
    assert chosen(*tracks) == (tracks, VIDEO, {})


def test_frames_between_say_that_nothing_is_there():
    (track,), _, left_out = chosen(box(0, 1, 2, 3, 4), every=2)
    assert told(track) == {0: True, 1: False, 2: True, 3: False, 4: True, 5: False}
    assert (track.notes, left_out) == ({"kind": "Detections", "index": 0}, {})
    assert [one.label for one in chosen(ShapeTrack(0, "never", (never_there(),)), every=2)[0]] == ["never"]


def test_long_sure_and_seen_tracks_are_chosen():
    unsure, short, hidden = box(1, 2, 3, confidence=0.3), box(4), box(5, 6, 7, occluded=True)
    assert chosen(unsure, short, hidden, min_length=2) == ([unsure], VIDEO, {"tracks shorter than min_length": 2})
    assert chosen(unsure, short, hidden, top=1) == ([short], VIDEO, {"tracks beyond top": 2})
    (sure,), _, left_out = chosen(unsure, short, min_confidence=0.5)
    assert (told(sure), sure.notes, left_out) == (told(short), short.notes, {"positions below min_confidence": 3})


def test_labels_of_a_copy_are_told_in_frames_and_pixels_of_its_source():
    numbers = np.arange(8) * 2 + 1
    link = SourceLink("source", "1", 16, (160, 180), numbers, "/source.mp4", 1, 1)
    (thing, point), video, left_out = chosen(box(0, 1), box(0, 1, kind="tracks"), link=link)
    assert (video, left_out) == (VideoShape((160, 180), 16), {"frames that were not tracked": 8})
    assert told(thing) == {0: True, 1: False, 2: True, 3: False}
    np.testing.assert_allclose(thing.shapes[0].xy, [[16, 18], [32, 36]])
    np.testing.assert_allclose(point.shapes[0].xy[0], [16.5, 19])
