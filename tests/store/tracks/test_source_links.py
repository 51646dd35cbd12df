"""Where copies come from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest

from point_tracking.store.tracks import source_links
from point_tracking.store.tracks.source_links import (
    SourceLink,
    check_copy,
    check_source,
    declare_source_link,
    media_fields_with_copies,
    read_source_links,
    source_dataset,
    source_id_field,
    source_ids,
    source_link_document,
    source_link_field_of,
)
from point_tracking.tracker.errors import CollectionError, FieldError, VideoError
from point_tracking.tracker.transcoding.provenance import Provenance, SourceFacts
from point_tracking.tracker.types import FrameMap

NUMBERS = [1, 4, 7]


def _provenance(path: Path | str = "/s.mp4", size_bytes: int = 10, mtime_ns: int = 2**60) -> Provenance:
    source = SourceFacts(str(path), size_bytes, mtime_ns, 64, 48, 10.0, "h264")
    return Provenance(source, {"crf": 20}, FrameMap(np.array(NUMBERS) - 1, 9), 3.3)


@pytest.fixture(scope="module")
def sources() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/{k}.mp4") for k in range(2)])
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def copies(sources: fo.Dataset) -> Iterator[fo.Dataset]:
    """A copy of the first source, and a video that is none."""
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath="/copy.mp4"), fo.Sample(filepath="/other.mp4")])
    declare_source_link(dataset, "filepath")
    document = source_link_document(_provenance(), sources, sources.first().id)
    dataset.set_values("source_video", [document, None], validate=False)
    yield dataset
    dataset.delete()


def test_links_come_back_from_the_database(sources: fo.Dataset, copies: fo.Dataset) -> None:
    links = read_source_links(copies, "filepath")
    assert set(links) == {copies.first().id}
    link = links[copies.first().id]
    assert (link.dataset, link.sample_id) == (sources.name, sources.first().id)
    assert (link.filepath, link.size_bytes, link.mtime_ns) == ("/s.mp4", 10, 2**60)
    assert (link.size_px, link.num_frames, link.frame_numbers.tolist()) == ((64, 48), 9, NUMBERS)
    assert read_source_links(copies.limit(0), "filepath") == {}


def test_copies_know_their_sources_and_where_they_are(sources: fo.Dataset, copies: fo.Dataset) -> None:
    assert source_dataset(copies) == sources
    assert source_ids(copies) == [sources.first().id]
    assert source_id_field(copies) == "source_video.sample_id"
    assert media_fields_with_copies(copies) == ["filepath"]
    assert media_fields_with_copies(sources) == []


def test_media_that_was_not_preprocessed_is_refused(sources: fo.Dataset) -> None:
    for read in (lambda: read_source_links(sources, "filepath"), lambda: source_dataset(sources)):
        with pytest.raises(CollectionError, match="not made by preprocessing"):
            read()


def test_sources_in_several_datasets_or_in_one_that_is_gone_are_refused(
    copies: fo.Dataset, sources: fo.Dataset
) -> None:
    more = copies.add_sample(fo.Sample(filepath="/more.mp4"))
    document = {**source_link_document(_provenance(), sources, sources.last().id), "dataset": "no-such-dataset"}
    copies.set_values("source_video", {more: document}, key_field="id", validate=False)
    with pytest.raises(CollectionError, match="in 2 datasets"):
        source_dataset(copies)
    with pytest.raises(CollectionError, match=r"'no-such-dataset'.*deleted or renamed"):
        source_dataset(copies.select(more))
    with pytest.raises(CollectionError, match="unknown"):
        source_dataset(copies.limit(0))
    copies.delete_samples([more])


def test_a_field_of_somebody_else_is_not_taken(sources: fo.Dataset) -> None:
    assert [source_link_field_of(name) for name in ("filepath", "small")] == ["source_video", "small_source"]
    declare_source_link(sources, "small")
    declare_source_link(sources, "small")
    assert media_fields_with_copies(sources) == ["small"]
    sources.delete_sample_field("small_source")
    sources.add_sample_field("theirs_source", fo.StringField)
    with pytest.raises(FieldError, match="'theirs_source' exists and is not ours"):
        declare_source_link(sources, "theirs")


def _link(path: Path, **facts: int) -> SourceLink:
    status = path.stat()
    known = {"size_bytes": status.st_size, "mtime_ns": status.st_mtime_ns, **facts}
    return SourceLink("d", "s", 9, (64, 48), np.array(NUMBERS), str(path), **known)


def test_a_source_is_known_by_its_size_and_its_time(tmp_path: Path) -> None:
    path = tmp_path / "source.mp4"
    path.write_bytes(b"x" * 10)
    warnings: list[str] = []
    check_source(_link(path), warnings)
    assert warnings == []
    check_source(_link(path, mtime_ns=1), warnings)
    assert "touched since it was preprocessed" in warnings.pop()
    with pytest.raises(VideoError, match="has 10 bytes now, and had 1,000"):
        check_source(_link(path, size_bytes=1000), warnings)
    link = _link(path)
    os.unlink(path)  # copies may be tracked where the sources are not
    check_source(link, warnings)
    assert warnings == []


def test_a_copy_is_known_by_its_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = media.video(tmp_path / "plain.mp4", 3)
    link = _link(path)
    check_copy(str(path), 3, link)  # one without its own note is believed
    with pytest.raises(VideoError, match="was replaced since"):
        check_copy(str(path), 4, link)
    monkeypatch.setattr(source_links, "read_provenance", lambda _path: _provenance())
    check_copy(str(path), 3, link)
    with pytest.raises(VideoError, match="was replaced since"):
        check_copy(str(path), 3, replace(link, frame_numbers=np.array([1, 4, 8])))
