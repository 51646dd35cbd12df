"""What a run takes from labels: what a view shows of them, and what the points are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
import torch
from fiftyone import ViewField as F
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.tracks.track_names import TrackNames
from point_tracking.workflows.lifecycle.kinds import load_report

MakeDataset = Callable[..., fo.Dataset]
WIDTH, HEIGHT = media.SIZE


def keypoint(x: float, y: float = 0.25, **facts: Any) -> fo.Keypoint:
    return fo.Keypoint(points=[(x, y)], **facts)


def prompted(dataset: fo.Dataset, frames: dict[int, list[fo.Keypoint]], field: str = "joints") -> fo.Dataset:
    """Gives the first sample keypoints on some frames."""
    sample = dataset.first()
    for number, keypoints in frames.items():
        sample.frames[number][field] = fo.Keypoints(keypoints=keypoints)
    sample.save()
    return dataset


def stored(dataset: fo.Dataset, field: str = "tracks") -> dict[int, list[fo.Keypoint]]:
    """frame number -> keypoints of the first sample."""
    dataset.first().reload()
    frames = dataset.first().frames
    return {n: frames[n][field].keypoints for n in sorted(frames) if frames[n][field] is not None}


def starts(dataset: fo.Dataset, field: str = "tracks") -> list[tuple[int, float, str, int | None]]:
    """(frame number, x in pixels, label, object) of each track where it is seen first, by index."""
    first: dict[int, tuple[int, float, str, int | None]] = {}
    for number, keypoints in stored(dataset, field).items():
        for k in keypoints:
            thing = getattr(k, "object", None)
            first.setdefault(k.index, (number, round(k.points[0][0] * WIDTH, 3), k.label, thing))
    return [first[index] for index in sorted(first)]


JOINTS = {
    1: [keypoint(0.1, label="nose", index=1), keypoint(0.2, label="tail", index=2)],
    4: [keypoint(0.3, label="ear", index=3)],
}
VIEWS: dict[str, tuple[Callable[[fo.Dataset], fo.DatasetView], list[str]]] = {
    "labels": (lambda d: d.filter_labels("frames.joints", F("label") == "tail"), ["tail"]),
    "frames": (lambda d: d.match_frames(F("frame_number") > 2), ["ear"]),
    "selected": (lambda d: d.select_labels(tags="good", fields="frames.joints"), ["nose"]),
    "renamed": (lambda d: d.map_labels("frames.joints", {"nose": "muzzle"}), ["muzzle", "tail", "ear"]),
    "sorted": (lambda d: d.sort_by("filepath").limit(1).filter_labels("frames.joints", F("index") < 3), ["n", "t"]),
    "hidden": (lambda d: d.select_fields("tags"), ["nose", "tail", "ear"]),
    "own": (lambda d: d.mongo([{"$match": {}}]).filter_labels("frames.joints", F("label") == "ear"), ["ear"]),
}


class TestAView:
    """A view chooses prompts, never which frames are tracked or written."""

    @pytest.mark.parametrize("name", VIEWS)
    def test_its_labels_are_the_prompt_and_all_frames_are_written(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker, name: str
    ) -> None:
        dataset = prompted(make_dataset(clip), JOINTS)
        sample = dataset.first()
        sample.frames[1]["joints"].keypoints[0].tags.append("good")
        sample.save()
        view, expected = VIEWS[name]
        report = pt.track_dataset(view(dataset), "tracks", tracker=drift, points="frames.joints", backward=True)
        assert report.failures == []
        assert [label[: len(e)] for (_, _, label, _), e in zip(starts(dataset), expected, strict=True)] == expected
        assert sorted(stored(dataset)) == list(range(1, 13))
        assert dataset.count("frames.joints.keypoints") == 3

    def test_it_chooses_masks_on_samples_and_frames(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        dataset = make_dataset(clip)
        sample = dataset.first()
        full = np.ones((10, 10), dtype=bool)
        halves = [
            fo.Detection(label=label, bounding_box=box, mask=full)
            for label, box in {"left": [0, 0, 0.5, 1], "right": [0.5, 0, 0.5, 1]}.items()
        ]
        sample["parts"] = fo.Detections(detections=halves)
        sample.frames[1]["parts"] = fo.Detections(detections=[half.copy() for half in halves])
        sample.save()
        for field in ("parts", "frames.parts"):
            view = dataset.filter_labels(field, F("label") == "right")
            pt.track_dataset(view, "tracks", tracker=drift, grid_size=4, mask_field=field, overwrite=True)
            xs = [x for _, x, _, _ in starts(dataset)]
            assert len(xs) == 8, field
            assert min(xs) >= WIDTH / 2 - 1, field

    def test_all_hidden_is_no_prompt(self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
        dataset = prompted(make_dataset(clip), JOINTS)
        view = dataset.filter_labels("frames.joints", F("label") == "wing", only_matches=False)
        report = pt.track_dataset(view, "tracks", tracker=drift, points="frames.joints")
        assert [o.status for o in report.outcomes] == ["no prompt"]


class TestNames:
    """A track keeps the label it was asked for with; the prompt's index becomes `object`."""

    def test_label_is_kept_and_the_index_is_the_object(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        dataset = prompted(
            make_dataset(clip), {1: [keypoint(0.1, label="nose", index=7), keypoint(0.2, label="tail", index=9)]}
        )
        pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert starts(dataset) == [(1, 16.0, "nose", 7), (1, 32.0, "tail", 9)]
        assert [k.index for k in stored(dataset)[12]] == [1, 2]
        assert isinstance(dataset.get_field("frames.tracks.keypoints.object"), fo.IntField)
        assert dataset.filter_labels("frames.tracks", F("object") == 9).count("frames.tracks.keypoints") == 12
        pt.track_dataset(dataset, "whole", tracker=drift, points="frames.joints", layout="frame")
        assert stored(dataset, "whole")[1][0].label == "point"

    def test_a_skeleton_gives_its_label_and_index_to_every_joint(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        animal = fo.Keypoint(label="goat", index=3, points=[(0.1, 0.2), (0.2, 0.2), (0.3, 0.2)])
        dataset = prompted(make_dataset(clip), {1: [animal], 2: [animal.copy()]})
        pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert starts(dataset) == [(1, x, "goat", 3) for x in (16.0, 32.0, 48.0)]
        pt.track_dataset(dataset, "whole", tracker=drift, points="frames.joints", layout="frame")
        (kept,) = stored(dataset, "whole")[1]
        assert (kept.label, kept["object"], kept.index) == ("goat", 3, 1)

    def test_a_grid_has_points(self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
        dataset = make_dataset(clip)
        pt.track_dataset(dataset, "tracks", tracker=drift, grid_size=2)
        assert {(label, thing) for _, _, label, thing in starts(dataset)} == {("point", None)}
        assert dataset.get_field("frames.tracks.keypoints.object") is None

    def test_common_names_of_some_tracks(self) -> None:
        names = TrackNames(("a", "b", "a"), (1, None, 1))
        assert names.common() == ("point", None)
        assert names.chosen(np.array([0, 2])).common() == ("a", 1)
        assert names.chosen(np.array([False, True, False])) == TrackNames(("b",), (None,))


class TestWhereAPointIsAskedFor:
    """Which keypoints of a field are one object, and where it is known first."""

    def test_each_joint_starts_where_it_is_known_first(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        nan = float("nan")
        seen = {1: [(0.1, 0.2), (nan, nan), (nan, nan)], 3: [(0.5, 0.2), (0.2, 0.2), (nan, 0.5)], 6: [(0.5, 0.2)] * 3}
        frames = {n: [fo.Keypoint(label="goat", index=1, points=points)] for n, points in seen.items()}
        dataset = prompted(make_dataset(clip), frames)
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert report.failures == []
        assert starts(dataset) == [(1, 16.0, "goat", 1), (3, 32.0, "goat", 1), (6, 80.0, "goat", 1)]
        assert media.besides_ground(report) == []

    @pytest.mark.parametrize("facts", [{}, {"label": None}], ids=["labels", "no labels"])
    def test_without_index_a_label_seen_once_per_frame_is_one_object(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker, facts: dict[str, Any]
    ) -> None:
        labels = ["nose", "ear", "tail"] if not facts else [None]
        frames = {
            n: [keypoint(0.1 * (k + 1) + 0.001 * n, label=label) for k, label in enumerate(labels)]
            for n in range(1, 13)
        }
        dataset = prompted(make_dataset(clip), frames)
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert report.failures == []
        assert [label for _, _, label, _ in starts(dataset)] == [label or "point" for label in labels]
        assert media.besides_ground(report) == []

    def test_without_index_several_of_a_label_are_each_their_own_with_a_warning(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        pair = [(0.1, "leg"), (0.2, "leg"), (0.3, "nose")]
        frames = {n: [keypoint(x, label=label) for x, label in pair] for n in (1, 2, 3)}
        dataset = prompted(make_dataset(clip), frames)
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert report.failures == []
        assert sorted(label for _, _, label, _ in starts(dataset)) == ["leg"] * 6 + ["nose"]
        (warning,) = media.besides_ground(report)
        assert warning.startswith("6 labels have neither an index nor an instance")
        assert "the same index" in warning

    def test_points_of_one_frame_need_no_index(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        dataset = prompted(make_dataset(clip), {2: [keypoint(0.1), keypoint(0.2)]})
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert report.failures == []
        assert (len(starts(dataset)), media.besides_ground(report)) == (2, [])

    def test_an_instance_is_one_object(self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
        one, two = fo.Instance(), fo.Instance()
        frames = {n: [keypoint(0.1, instance=one), keypoint(0.2, instance=two)] for n in (1, 2, 3)}
        dataset = prompted(make_dataset(clip), frames)
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert report.failures == []
        assert (len(starts(dataset)), media.besides_ground(report)) == (2, [])

    def test_the_same_index_under_two_labels_is_two_objects(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        frames = {n: [keypoint(0.1, label="nose", index=1), keypoint(0.2, label="tail", index=1)] for n in (1, 2)}
        dataset = prompted(make_dataset(clip), frames)
        pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert [(label, thing) for _, _, label, thing in starts(dataset)] == [("nose", 1), ("tail", 1)]

    def test_joints_marked_as_hidden_are_not_known_yet(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        first = fo.Keypoint(label="goat", index=1, points=[(0.1, 0.2), (0.2, 0.2)], occluded=[False, True])
        later = fo.Keypoint(label="goat", index=1, points=[(0.5, 0.2), (0.6, 0.2)], occluded=[False, False])
        dataset = prompted(make_dataset(clip), {1: [first], 5: [later]})
        pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert [(number, x) for number, x, _, _ in starts(dataset)] == [(1, 16.0), (5, 96.0)]


class TestTheBorders:
    """Labels in the last pixel are in the frame; what is beyond the video is left out, and said."""

    @pytest.mark.parametrize("place", [(1.0, 0.5), (0.5, 1.0), (1.0, 1.0), ((WIDTH - 0.5) / WIDTH, 0.5)])
    def test_the_last_pixel_is_inside(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker, place: tuple[float, float]
    ) -> None:
        dataset = prompted(make_dataset(clip), {1: [keypoint(*place, label="tip", index=1), keypoint(0.1, index=2)]})
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert report.failures == []
        x, y = stored(dataset)[1][0].points[0]
        assert x * WIDTH == pytest.approx(min(place[0] * WIDTH, WIDTH - 1), abs=1e-4)
        assert y * HEIGHT == pytest.approx(min(place[1] * HEIGHT, HEIGHT - 1), abs=1e-4)
        (warning,) = media.besides_ground(report)
        assert warning.startswith("1 of 2 points in 'frames.joints' lie in the last pixel")

    def test_beyond_it_is_outside_and_a_sample_with_nothing_else_says_so(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        dataset = prompted(make_dataset(clip), {1: [keypoint(1.001, index=1), keypoint(-0.001, index=2)]})
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        ((_, message),) = [(f.kind, f.message) for f in report.failures]
        assert "None of the 2 points in 'frames.joints' lies in the video" in message
        assert "outside the frame" in message

    @pytest.mark.parametrize("make", [media.video, media.overdeclared_video], ids=["sound", "declares too many"])
    @pytest.mark.parametrize("sampling", [None, {"every_nth": 2}])
    def test_labels_past_the_end_are_left_out(
        self,
        make_dataset: MakeDataset,
        tmp_path: Path,
        drift: DriftTracker,
        make: Callable[..., Path],
        sampling: Any,
    ) -> None:
        path = make(tmp_path / "clip.mp4", num_frames=12)
        dataset = prompted(make_dataset(path), {1: [keypoint(0.1, index=1)], 13: [keypoint(0.2, index=2)]})
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints", sampling=sampling)
        assert report.failures == []
        assert len(starts(dataset)) == 1
        assert "1 of 2 points in 'frames.joints' lie past the end of the video (12 frames)" in [
            warning for _, warning in report.warnings
        ]

    def test_only_labels_past_the_end_are_a_failure_in_words(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker
    ) -> None:
        dataset = prompted(make_dataset(clip), {40: [keypoint(0.2, index=2)]})
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints")
        assert "past the end of the video" in report.failures[0].message


class TestNoPrompt:
    """Samples that hold nothing to track from are neither failed nor skipped."""

    @pytest.mark.parametrize("kind", ["mask", "empty mask", "points", "list", "given"])
    def test_it_is_an_outcome_of_its_own(
        self, make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker, kind: str
    ) -> None:
        paths = [media.video(tmp_path / f"{k}.mp4", num_frames=4) for k in range(2)]
        dataset = make_dataset(*paths, tmp_path / "gone.mp4")
        first, second, _ = dataset
        mask = np.ones((12, 16), dtype=np.uint8)
        options: dict[str, Any] = {}
        if kind in ("mask", "empty mask"):
            first["object"] = fo.Segmentation(mask=mask)
            if kind == "empty mask":
                second["object"] = fo.Segmentation(mask=0 * mask)
            options = {"mask_field": "object", "grid_size": 2}
        elif kind == "points":
            first["seeds"] = fo.Keypoints(keypoints=[keypoint(0.5)])
            options = {"points": "seeds"}
        elif kind == "list":
            first["seeds"] = [[0, 5.0, 5.0]]
            options = {"points": "seeds"}
        else:
            options = {"points": {first.id: [(0, 5, 5)], dataset.last().id: [(0, 5, 5)]}}
        first.save()
        second.save()
        report = pt.track_dataset(dataset, "tracks", tracker=drift, **options)
        assert [o.status for o in report.outcomes] == ["done", "no prompt", "failed"]
        assert (report.num_no_prompt, len(report.failures), report.num_skipped) == (1, 1, 0)
        assert "1 sample without a prompt" in str(report)
        assert report.outcomes[1].message
        assert load_report(dataset, report.run_key) == report
        again = pt.track_dataset(dataset, "tracks", tracker=drift, skip_existing=True, **options)
        assert [o.status for o in again.outcomes] == ["skipped", "no prompt", "failed"]
        failed = pt.track_dataset(
            dataset, "tracks", tracker=drift, skip_existing=True, only_failed_of=report.run_key, **options
        )
        assert [o.status for o in failed.outcomes] == ["failed"]


class TestNumbersAsPeopleHoldThem:
    """Arrays and tensors are taken where lists are."""

    HOLD = (np.array, lambda rows: torch.tensor(rows, requires_grad=True))

    @pytest.mark.parametrize("hold", HOLD, ids=["numpy", "torch"])
    def test_points_for_all_for_one_and_in_a_field(
        self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker, hold: Callable[[Any], Any]
    ) -> None:
        dataset = make_dataset(clip)
        sample, rows = dataset.first(), hold([[0.0, 16.0, 6.0], [3.0, 32.0, 8.0]])
        for points in (rows, {sample.id: rows}, list(rows)):
            report = pt.track_dataset(dataset, "tracks", tracker=drift, points=points, overwrite=True)
            assert [(number, x) for number, x, _, _ in starts(dataset)] == [(1, 16.0), (4, 32.0)]
        assert load_report(dataset, report.run_key) == report
        options = pt.load_model(drift, points=rows)._options
        assert options.points == [[0.0, 16.0, 6.0], [3.0, 32.0, 8.0]]
        assert options == pt.load_model(drift, points=rows)._options

    def test_an_array_in_a_field(self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
        dataset = make_dataset(clip)
        sample = dataset.first()
        sample["clicks"] = np.array([[0.0, 16.0, 6.0], [3.0, 32.0, 8.0]])
        sample.save()
        report = pt.track_dataset(dataset, "tracks", tracker=drift, points="clicks")
        assert report.failures == []
        assert [(number, x) for number, x, _, _ in starts(dataset)] == [(1, 16.0), (4, 32.0)]

    def test_numpy_numbers_as_options(self, make_dataset: MakeDataset, clip: Path, drift: DriftTracker) -> None:
        dataset = make_dataset(clip)
        sampling = {"every_nth": np.int64(2)}
        report = pt.track_dataset(
            dataset, tracker=drift, grid_size=np.int64(2), frame_index=np.int32(2), sampling=sampling
        )
        assert report.failures == []
        config = dataset.get_run_info(report.run_key).config
        assert (config.grid_size, config.frame_index, config.sampling) == (2, 2, {"every_nth": 2})
