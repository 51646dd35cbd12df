"""Labels to CVAT's XML and back: what comes back, what FiftyOne reads of it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from exchanged import assert_same, random_tracks, stored, with_fields

import point_tracking as pt
from point_tracking.store.database.fields import check_label_field
from point_tracking.tracker.errors import FieldError, FieldExistsError, FormatError

MakeDataset = Callable[..., fo.Dataset]
WIDTH, HEIGHT = media.SIZE


@pytest.fixture
def dataset(make_dataset: MakeDataset, clip: Path) -> fo.Dataset:
    """One clip of 12 frames."""
    return make_dataset(clip)


@pytest.mark.parametrize("num_points", [0, 1, 9])
@pytest.mark.parametrize("keep_hidden", [False, True])
def test_point_tracks_come_back_exactly(
    dataset: fo.Dataset, tmp_path: Path, rng: np.random.Generator, num_points: int, keep_hidden: bool
) -> None:
    made = random_tracks(rng, 12, num_points, media.SIZE)
    pt.write_tracks(dataset.first(), "tracks", made, keep_hidden=keep_hidden)
    before, documents = pt.read_tracks(dataset.first(), "tracks"), stored(dataset, "tracks")
    pt.export_tracks(dataset, "tracks", tmp_path / "a.xml", format="cvat")
    report = pt.import_tracks(dataset, {"tracks": "back"} if num_points else None, tmp_path / "a.xml", format="cvat")
    assert (report.failures, report.warnings, report.left_out) == ([], [], {})
    if not num_points:
        assert not dataset.has_frame_field("back")
        return
    after = pt.read_tracks(dataset.first(), "back")
    for name in ("xy", "visible", "confidence"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name), err_msg=name)
    assert_same(stored(dataset, "back"), documents, ids=False)
    assert dataset.first()["back_info"].num_points == num_points
    assert dataset.first()["back_info"].layout == "points"


def test_labels_objects_and_corrections_of_points_come_back(
    dataset: fo.Dataset, tmp_path: Path, rng: np.random.Generator
) -> None:
    made = random_tracks(rng, 12, 3, media.SIZE, labels=["goat", "größe <&>", None], objects=[4, None, 7])
    with_fields(dataset, tracks=made)
    frame = dataset.first().frames[1]
    corrected = next(k for k in frame["tracks"].keypoints if k.index == 1)
    corrected["keyframe"], corrected["corrected"] = True, True
    frame.save()
    documents = stored(dataset, "tracks")
    pt.export_tracks(dataset, "frames.tracks", tmp_path / "a.xml")
    pt.import_tracks(dataset, {"tracks": "back"}, tmp_path / "a.xml")
    assert_same(stored(dataset, "back"), documents, ids=False)
    back = pt.read_tracks(dataset.first(), "back")
    assert back.labels is not None
    assert back.objects is not None
    assert list(back.labels) == ["goat", "größe <&>", "point"]
    assert list(back.objects) == [4, None, 7]


def test_the_layout_objects_comes_back_with_its_labels_and_instances(
    dataset: fo.Dataset, tmp_path: Path, drift
) -> None:
    sample = dataset.first()
    goat = fo.Keypoint(label="goat", index=4, points=[(0.1, 0.25), (0.3, 0.3)], instance=fo.Instance())
    kid = fo.Keypoint(label="kid", index=7, points=[(0.1, 0.5), (0.2, 0.5), (0.9, 0.5)])
    sample.frames[2]["joints"] = fo.Keypoints(keypoints=[goat, kid])
    sample.save()
    pt.track_dataset(dataset, "tracks", tracker=drift, points="frames.joints", layout="objects")
    documents = stored(dataset, "tracks")
    assert documents[4][0]["instance"]
    pt.export_tracks(dataset, "tracks", tmp_path / "a.xml")
    report = pt.import_tracks(dataset, {"tracks": "back"}, tmp_path / "a.xml")
    assert report.failures == []
    assert_same(stored(dataset, "back"), documents, ids=False)
    assert dataset.first()["back_info"].layout == "objects"


def test_the_layout_frame_comes_back(dataset: fo.Dataset, tmp_path: Path, rng: np.random.Generator) -> None:
    pt.write_tracks(dataset.first(), "tracks", random_tracks(rng, 12, 5, media.SIZE), layout="frame")
    pt.export_tracks(dataset, "tracks", tmp_path / "a.xml")
    pt.import_tracks(dataset, {"tracks": "back"}, tmp_path / "a.xml")
    assert_same(stored(dataset, "back"), stored(dataset, "tracks"), ids=False)


def drawn(dataset: fo.Dataset) -> fo.Dataset:
    """Boxes, polylines and hand-made keypoints of every kind, in frames with gaps."""
    goat, sample = fo.Instance(), dataset.first()
    for number in (1, 2, 3, 7, 12):
        x = 0.1 + 0.0123456789 * number
        frame = fo.Frame()
        said = {} if number == 2 else {"keyframe": number == 1, "occluded": number == 3}
        frame["box"] = fo.Detections(
            detections=[
                fo.Detection(
                    label="goat", bounding_box=[x, 0.2, 1 / 3, 0.25], index=3, instance=goat, confidence=0.3, **said
                ),
                fo.Detection(
                    label="goat", bounding_box=[0, 0, 1, 1], tags=["a", "b"], speed=2.0, kind="é<1>", n=number
                ),
                fo.Detection(bounding_box=[0.5, 0.5, 0.1, 0.1], index=3),
            ]
        )
        line = [[x, 0.1], [0.3, 0.777777], [0.9, 0.9]]
        frame["line"] = fo.Polylines(
            polylines=[
                fo.Polyline(label="open", points=[line], index=1),
                fo.Polyline(label="closed", points=[line], closed=True, index=2),
                fo.Polyline(label="filled", points=[line], closed=True, filled=True, index=3),
                fo.Polyline(label="two", points=[line, line[:2]], index=4, confidence=0.5),
            ]
        )
        skeleton = [[x, 0.1], [float("nan"), float("nan")], [0.5, 0.5]]
        frame["joints"] = fo.Keypoints(
            keypoints=[fo.Keypoint(label="goat", points=skeleton, confidence=[0.5, 0.0, 0.25], index=3, keyframe=True)]
        )
        sample.frames[number] = frame
    sample.save()
    dataset.add_dynamic_frame_fields()
    return dataset


def test_boxes_polylines_and_keypoints_come_back_with_all_that_is_said_of_them(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    drawn(dataset)
    fields = ["box", "line", "joints"]
    documents = {name: stored(dataset, name) for name in fields}
    exported = pt.export_tracks(dataset, fields, tmp_path / "a.xml")
    assert exported.left_out == {}
    with pytest.raises(FieldExistsError, match="already holds 15 labels"):
        pt.import_tracks(dataset, None, tmp_path / "a.xml")
    report = pt.import_tracks(dataset, None, tmp_path / "a.xml", overwrite=True)
    assert (report.failures, report.warnings) == ([], [])
    for name in fields:
        assert_same(stored(dataset, name), documents[name])
    pt.import_tracks(dataset, {name: f"{name}_b" for name in fields}, tmp_path / "a.xml")
    for name in fields:
        assert_same(stored(dataset, f"{name}_b"), documents[name])


def test_points_and_boxes_share_a_file(dataset: fo.Dataset, tmp_path: Path, rng: np.random.Generator) -> None:
    with_fields(drawn(dataset), tracks=random_tracks(rng, 12, 4, media.SIZE))
    before = {name: stored(dataset, name) for name in ("tracks", "box")}
    report = pt.export_tracks(dataset, ["tracks", "box"], tmp_path / "a.xml")
    assert report.outcomes[0].num_tracks == 7
    pt.import_tracks(dataset, {"tracks": "t", "box": "b"}, tmp_path / "a.xml")
    assert_same(stored(dataset, "t"), before["tracks"], ids=False)
    assert_same(stored(dataset, "b"), before["box"])


def test_what_a_file_cannot_hold_is_counted(dataset: fo.Dataset, tmp_path: Path) -> None:
    sample = dataset.first()
    mask = fo.Detection(label="a", bounding_box=[0.1, 0.1, 0.5, 0.5], mask=np.ones((4, 4), dtype=bool), scores=[1, 2])
    nowhere = fo.Detection(label="b", bounding_box=[float("nan"), 0, 1, 1])
    sample.frames[1] = fo.Frame(box=fo.Detections(detections=[mask, nowhere]))
    sample.save()
    report = pt.export_tracks(dataset, "box", tmp_path / "a.xml")
    assert report.left_out == {"instance masks": 1, "attribute 'scores' (list)": 1, "labels without a position": 1}
    assert "left out: 1 x instance masks" in str(report)


def test_a_view_chooses_what_is_exported(dataset: fo.Dataset, tmp_path: Path) -> None:
    drawn(dataset)
    view = dataset.filter_labels("frames.box", fo.ViewField("index") == 3).match_frames(
        fo.ViewField("frame_number") < 4
    )
    pt.export_tracks(view, "box", tmp_path / "a.xml")
    pt.import_tracks(dataset, {"box": "back"}, tmp_path / "a.xml")
    found = stored(dataset, "back")
    assert sorted(found) == [1, 2, 3]
    assert {label["index"] for labels in found.values() for label in labels} == {3}


# FiftyOne's own


def read_by_fiftyone(folder: Path, clip: Path, xml: Path) -> fo.Dataset:
    """What FiftyOne's importer makes of a file."""
    (folder / "cvat" / "data").mkdir(parents=True)
    (folder / "cvat" / "labels").mkdir()
    (folder / "cvat" / "data" / "clip.mp4").symlink_to(clip)
    (folder / "cvat" / "labels" / "clip.xml").write_bytes(xml.read_bytes())
    return fo.Dataset.from_dir(str(folder / "cvat"), dataset_type=fo.types.CVATVideoDataset, label_field="cvat")


@pytest.mark.usefixtures("no_datasets_stay")
def test_fiftyones_importer_reads_our_files(
    dataset: fo.Dataset, clip: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    with_fields(drawn(dataset), tracks=random_tracks(rng, 12, 4, media.SIZE))
    pt.export_tracks(dataset, ["tracks", "box", "line"], tmp_path / "a.xml")
    other = read_by_fiftyone(tmp_path, clip, tmp_path / "a.xml")
    sample = other.first()
    tracks = pt.read_tracks(dataset.first(), "tracks")
    for number in range(1, 13):
        known = np.isfinite(tracks.xy[number - 1]).all(axis=1)
        found = {int(k.index): k for k in (sample.frames[number]["cvat_keypoints"] or fo.Keypoints()).keypoints}
        assert sorted(found) == (np.flatnonzero(known) + 1).tolist()
        for index, keypoint in found.items():
            off = np.abs(np.array(keypoint.points[0]) * media.SIZE - tracks.xy[number - 1, index - 1])
            assert off.max() <= 0.5 + 1e-3  # it rounds what it reads
            assert bool(keypoint.get_attribute_value("occluded", False)) != tracks.visible[number - 1, index - 1]
    assert sorted(f for f in sample.frames if sample.frames[f]["cvat_detections"]) == [1, 2, 3, 7, 12]
    assert len(sample.frames[7]["cvat_polylines"].polylines) == 5
    assert [d.label for d in sample.frames[1]["cvat_detections"].detections] == ["goat", "goat", "unlabelled"]


@pytest.mark.usefixtures("no_datasets_stay")
def test_we_read_what_fiftyone_exports(dataset: fo.Dataset, clip: Path, tmp_path: Path) -> None:
    drawn(dataset)
    # it cannot write labels without a name, and writes attributes that are no XML
    named = dataset.filter_labels("frames.box", (fo.ViewField("label") == "goat") & (fo.ViewField("index") == 3))
    named.export(
        export_dir=str(tmp_path / "out"),
        dataset_type=fo.types.CVATVideoDataset,
        frame_labels_field={"box": "box", "line": "line"},
    )
    (xml,) = (tmp_path / "out" / "labels").glob("*.xml")
    report = pt.import_tracks(dataset, {"boxes": "b", "polylines": "l"}, xml)
    assert report.failures == []
    goat = next(label for label in stored(dataset, "b")[1] if label["label"] == "goat")
    sides_px = np.array(goat["bounding_box"]) * [WIDTH, HEIGHT, WIDTH, HEIGHT]
    np.testing.assert_allclose(sides_px, np.round(sides_px))  # it rounds what it writes
    assert sorted(stored(dataset, "l")) == [1, 2, 3, 7, 12]


# other people's files

HEAD = (
    "<annotations><meta><task><size>12</size><labels><label><name>goat</name></label></labels>"
    f"<original_size><width>{WIDTH}</width><height>{HEIGHT}</height></original_size></task></meta>"
)


def saved(folder: Path, text: str, head: str = HEAD) -> Path:
    path = folder / "a.xml"
    path.write_text(head + text + "</annotations>")
    return path


KEYFRAMES = (
    '<track id="0" label="goat"><points frame="1" points="10,20" keyframe="1"/>'
    '<points frame="5" points="14,40" keyframe="1" occluded="1"/><points frame="8" points="14,40" outside="1"/></track>'
    '<track id="1" label="goat"><box frame="2" xtl="1" ytl="2" xbr="11" ybr="12"/>'
    '<box frame="4" xtl="3" ytl="4" xbr="13" ybr="14"/></track>'
)


def test_keyframes_of_cvat_are_filled_as_cvat_draws_them(dataset: fo.Dataset, tmp_path: Path) -> None:
    report = pt.import_tracks(dataset, None, saved(tmp_path, KEYFRAMES))
    assert "one higher" in report.warnings[0][1]
    tracks = pt.read_tracks(dataset.first(), "tracks")
    expected = [[10, 20], [11, 25], [12, 30], [13, 35], [14, 40], [14, 40], [14, 40]]
    np.testing.assert_allclose(tracks.xy[1:8, 0], expected, atol=1e-5)
    assert np.isnan(tracks.xy[[0, 8, 9, 10, 11], 0]).all()
    assert tracks.visible[:, 0].tolist() == [False] + [True] * 4 + [False] * 7
    assert tracks.labels is not None
    assert list(tracks.labels) == ["goat"]
    boxes = stored(dataset, "boxes")
    assert sorted(boxes) == list(range(3, 13))  # nothing ends it
    np.testing.assert_allclose(boxes[4][0]["bounding_box"], [2 / WIDTH, 3 / HEIGHT, 10 / WIDTH, 10 / HEIGHT])
    assert {n: (b[0]["keyframe"], b[0].get("interpolated")) for n, b in boxes.items()} == {
        n: (n in (3, 5), None if n in (3, 5) else True) for n in range(3, 13)
    }
    assert report.outcomes[0].num_filled == 3 + 2 + 1 + 7
    keyframes = [n for n, k in stored(dataset, "tracks").items() if k[0].get("keyframe")]
    assert keyframes == [2, 6]


def test_keyframes_alone_are_read_where_asked(dataset: fo.Dataset, tmp_path: Path) -> None:
    pt.import_tracks(dataset, {"tracks": "t", "boxes": "b"}, saved(tmp_path, KEYFRAMES), interpolate=False)
    assert (sorted(stored(dataset, "t")), sorted(stored(dataset, "b"))) == ([2, 6], [3, 5])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<track id="1" label="goat"><points frame="12" points="1,2"/></track>', "the video has 12 frames"),
        ('<track id="1" label="goat"><points frame="1" points="1,1e300"/></track>', "position"),
        (
            '<track id="1" label="goat"><box frame="1" xtl="1" ytl="2" xbr="3" ybr="4"/></track>'
            '<track id="2" label="goat"><points frame="2" points="1,2" /><points frame="99" points="1,2"/></track>',
            "the video has 12 frames",
        ),
        ('<track id="1" label="goat"><points frame="1" points="1,x"/></track>', "cannot be read"),
    ],
)
def test_nothing_of_a_bad_file_is_written(dataset: fo.Dataset, tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pt.import_tracks(dataset, None, saved(tmp_path, text), interpolate=False)
    assert not any(dataset.has_frame_field(name) for name in ("tracks", "boxes"))


@pytest.mark.parametrize(("size", "words"), [((64, 48), "64 x 48"), ((HEIGHT, WIDTH), "turned")])
def test_files_of_other_videos_are_refused(dataset: fo.Dataset, tmp_path: Path, size, words: str) -> None:
    head = HEAD.replace(f"h>{WIDTH}<", f"h>{size[0]}<").replace(f"t>{HEIGHT}<", f"t>{size[1]}<")
    with pytest.raises(FormatError, match=words):
        pt.import_tracks(dataset, None, saved(tmp_path, "", head))


def test_other_counts_and_labels_are_told(dataset: fo.Dataset, tmp_path: Path) -> None:
    text = '<track id="1" label="kid"><points frame="1" points="1,2"/></track>'
    report = pt.import_tracks(dataset, None, saved(tmp_path, text, HEAD.replace("<size>12", "<size>30")))
    assert [words for _, words in report.warnings] == [
        "the file says 30 frames, and the video has 12",
        "labels that the file uses and does not declare: kid",
    ]


def test_one_name_for_several_fields_is_refused(dataset: fo.Dataset, tmp_path: Path) -> None:
    path = saved(tmp_path, KEYFRAMES)
    with pytest.raises(FormatError, match="holds tracks, boxes"):
        pt.import_tracks(dataset, "all", path)
    with pytest.raises(FormatError, match="into one field"):
        pt.import_tracks(dataset, {"tracks": "a", "boxes": "a"}, path)
    with pytest.raises(FormatError, match="but not lines"):
        pt.import_tracks(dataset, {"lines": "a"}, path)


def test_fields_that_hold_something_else_are_refused_before_anything_is_written(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    drawn(dataset)
    with pytest.raises(FieldError, match="holds Polylines"):
        pt.import_tracks(dataset, {"tracks": "t", "boxes": "line"}, saved(tmp_path, KEYFRAMES))
    assert not dataset.has_frame_field("t")
    check_label_field(dataset, "t")


def test_labels_behind_the_end_of_the_video_are_refused(dataset: fo.Dataset, tmp_path: Path) -> None:
    sample = dataset.first()
    sample.frames[13] = fo.Frame(box=fo.Detections(detections=[fo.Detection(bounding_box=[0, 0, 1, 1])]))
    sample.save()
    with pytest.raises(FieldError, match="frame 13, but the video has 12"):
        pt.export_tracks(dataset, "box", tmp_path / "a.xml")
    assert not (tmp_path / "a.xml").exists()


def test_a_rotated_video_is_exported_as_it_is_displayed(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = make_dataset(media.video(tmp_path / "r.mp4", 5, rotation=90))
    xy = np.array([[[0, 0], [HEIGHT - 1, WIDTH - 1]]] * 5, dtype=np.float32)
    pt.write_tracks(dataset.first(), "tracks", pt.Tracks(xy, np.ones((5, 2), bool), np.ones((5, 2))))
    pt.export_tracks(dataset, "tracks", tmp_path / "a.xml")
    assert f"<width>{HEIGHT}</width><height>{WIDTH}</height>" in (tmp_path / "a.xml").read_text()
    pt.import_tracks(dataset, "back", tmp_path / "a.xml")
    np.testing.assert_array_equal(pt.read_tracks(dataset.first(), "back").xy, xy)


def test_an_attribute_of_another_type_is_left_out_of_points(
    dataset: fo.Dataset, tmp_path: Path, rng: np.random.Generator
) -> None:
    with_fields(dataset, tracks=random_tracks(rng, 12, 1, media.SIZE))
    dataset.add_frame_field("tracks.keypoints.speed", fo.FloatField)
    text = (
        '<track id="1" label="point"><points frame="1" points="1,2"><attribute name="speed">fast</attribute>'
        '<attribute name="kind">car</attribute></points></track>'
    )
    report = pt.import_tracks(dataset, "tracks", saved(tmp_path, text), overwrite=True, interpolate=False)
    (label,) = stored(dataset, "tracks")[2]
    assert ("speed" in label, label["kind"]) == (False, "car")
    assert any("the attribute 'speed' has another type" in words for _, words in report.warnings)
