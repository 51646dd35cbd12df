"""Which file belongs to which sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from point_tracking.tracker.errors import CollectionError, FormatError, OptionError
from point_tracking.workflows.exchange.files import (
    SampleFile,
    file_stem,
    found_files,
    planned_files,
    read_index,
    write_index,
)

A, B, C = (digit * 24 for digit in "abc")
SAMPLES = [(A, "/videos/goat.mp4"), (B, "/other/goat.mov"), (C, "/videos/größe 1.mp4")]


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("")
    return folder


def test_a_folder_has_a_file_per_sample_and_equal_names_stay_apart(tmp_path: Path):
    planned = planned_files(tmp_path / "out", ".xml", SAMPLES)
    assert [one.path.name for one in planned] == ["goat_aaaaaaaa.xml", "goat_bbbbbbbb.xml", "größe_1_cccccccc.xml"]
    assert planned[1] == SampleFile(tmp_path / "out" / "goat_bbbbbbbb.xml", B, "/other/goat.mov")


def test_a_file_holds_one_sample(tmp_path: Path):
    assert planned_files(tmp_path / "a.XML", ".xml", SAMPLES[:1])[0].path == tmp_path / "a.XML"
    with pytest.raises(CollectionError, match="one video, and there are 3"):
        planned_files(tmp_path / "a.xml", ".xml", SAMPLES)
    with pytest.raises(OptionError, match=r"Expected a \.xml file"):
        planned_files(tmp_path / "a.csv", ".xml", SAMPLES[:1])
    with pytest.raises(CollectionError, match="no samples"):
        planned_files(tmp_path / "a.xml", ".xml", [])


def test_files_are_matched_by_the_index_then_by_names(tmp_path: Path):
    folder = touched(tmp_path, "renamed.xml", f"{file_stem(*SAMPLES[0])}.xml", "größe 1.xml", "notes.txt")
    write_index(folder, "cvat", [SampleFile(folder / "renamed.xml", B, SAMPLES[1][1])])
    found = {one.path.name: one.sample_id for one in found_files(folder, ".xml", SAMPLES).files}
    assert found == {"renamed.xml": B, "goat_aaaaaaaa.xml": A, "größe 1.xml": C}


def test_one_file_and_one_sample_need_no_names(tmp_path: Path):
    touched(tmp_path, "annotations.xml")
    for path in (tmp_path, tmp_path / "annotations.xml"):
        assert [one.sample_id for one in found_files(path, ".xml", SAMPLES[:1]).files] == [A]


def test_a_video_of_that_name_is_found_in_another_dataset_too(tmp_path: Path):
    touched(tmp_path, "goat_00000000.xml")  # the id is of where it was exported
    assert [one.sample_id for one in found_files(tmp_path, ".xml", [SAMPLES[0], SAMPLES[2]]).files] == [A]


def test_what_cannot_be_told_is_listed(tmp_path: Path):
    touched(tmp_path, "goat.xml", "cow.xml")
    with pytest.raises(CollectionError, match=r"cow\.xml, goat\.xml"):
        found_files(tmp_path, ".xml", SAMPLES)


def test_half_written_files_of_an_export_that_was_killed_are_no_files(tmp_path: Path):
    touched(tmp_path, "goat_aaaaaaaa.xml", ".goat_bbbbbbbb.77.part.xml")
    assert [one.sample_id for one in found_files(tmp_path, ".xml", SAMPLES).files] == [A]


def test_files_below_are_found_through_the_index_and_none_outside(tmp_path: Path):
    folder = tmp_path / "out"
    (folder / "below").mkdir(parents=True)
    touched(tmp_path, "outside.xml")
    touched(folder / "below", "x.xml")
    write_index(folder, "cvat", [SampleFile(folder / "below" / "x.xml", B, SAMPLES[1][1])])
    index = (
        (folder / "index.json")
        .read_text()
        .replace("]", ', {"file": "../outside.xml", "sample_id": "1", "filepath": ""}]')
    )
    (folder / "index.json").write_text(index)
    assert [(one.path.name, one.sample_id) for one in found_files(folder, ".xml", SAMPLES).files] == [("x.xml", B)]


def test_clips_of_a_file_are_told_by_what_it_says_of_each(tmp_path: Path):
    touched(tmp_path, "all.csv")
    keys = [(C, "/elsewhere/x.mp4"), ("", "/else where/goat.mp4")]
    found = found_files(tmp_path / "all.csv", ".csv", [SAMPLES[0], SAMPLES[2]], lambda path: keys).files
    assert [(one.entry, one.sample_id) for one in found] == [(0, C), (1, A)]
    with pytest.raises(CollectionError, match=r"all\.csv, clip 2"):
        found_files(tmp_path / "all.csv", ".csv", SAMPLES, lambda path: keys)


def test_clips_of_other_videos_are_left_alone_where_one_is_meant(tmp_path: Path):
    touched(tmp_path, "all.csv")

    def found(keys: list[tuple[str, str]], *samples: tuple[str, str], elsewhere: tuple[str, ...] = ()):
        made = found_files(tmp_path / "all.csv", ".csv", samples, lambda path: keys, elsewhere)
        return [one.sample_id for one in made.files], made.others

    table = [(A, "/videos/goat.mp4"), (B, "/other/goat.mov"), ("d" * 24, "/x/cow.mp4")]
    assert found(table, SAMPLES[0]) == ([A], ["goat.mov", "cow.mp4"])
    # told by its name alone it would be of the first
    assert found(table[1:], SAMPLES[0]) == ([A], ["cow.mp4"])
    with pytest.raises(CollectionError, match=r"not clear .*all\.csv, clip 1, all\.csv, clip 2"):
        found(table[1:], SAMPLES[0], elsewhere=(B,))
    # two of one name, and neither has an id that is known
    with pytest.raises(CollectionError, match="same sample"):
        found([("1", "/a/goat.mp4"), ("2", "/b/goat.mp4")], SAMPLES[0])


def test_two_files_of_one_sample_are_refused(tmp_path: Path):
    touched(tmp_path, "goat.xml", "goat_aaaaaaaa.xml")
    with pytest.raises(CollectionError, match="the same sample"):
        found_files(tmp_path, ".xml", [SAMPLES[0], SAMPLES[2]])


@pytest.mark.parametrize(
    ("name", "words"), [("none.xml", "no file or folder"), ("a.zip", "unpack an archive"), ("empty", r"no \.xml files")]
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, name: str, words: str):
    (tmp_path / "empty").mkdir()
    touched(tmp_path, "a.zip")
    with pytest.raises(FormatError, match=words):
        found_files(tmp_path / name, ".xml", SAMPLES)


def test_the_index_grows_and_a_damaged_one_is_told(tmp_path: Path):
    for sample, media in SAMPLES[:2]:
        write_index(tmp_path, "cvat", [SampleFile(tmp_path / f"{sample}.xml", sample, media)])
    assert [entry["sample_id"] for entry in read_index(tmp_path)] == [A, B]
    (tmp_path / "index.json").write_text('{"files": [1]}')
    with pytest.raises(FormatError, match="is damaged"):
        read_index(tmp_path)
