"""What a copy remembers of its source."""

from __future__ import annotations

import os
import struct
import tempfile
from dataclasses import replace
from pathlib import Path

import media
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.errors import VideoError
from point_tracking.tracker.transcoding.provenance import Provenance, SourceFacts, is_whole, read_provenance
from point_tracking.tracker.types import FrameMap
from point_tracking.tracker.video.probe import probe


@settings(deadline=None)  # other work on the machine is no failure
@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), max_size=50))))
def test_frame_numbers_survive_the_tag(case):
    total, chosen = case
    source = SourceFacts("/a/ä.mp4", 1, 2, 3, 4, 5.0, "h264")
    frame_map = FrameMap(np.array(sorted(chosen), dtype=np.int64), total)
    found = Provenance.from_tag(Provenance(source, {"a": None}, frame_map, 1 / 3, ("ä",)).to_tag())
    assert found is not None
    assert found.matches(source, {"a": None})
    assert (found.fps, found.warnings) == (1 / 3, ("ä",))
    assert found.frame_map.num_source_frames == total
    assert found.frame_map.source_indices.tolist() == sorted(chosen)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"point_tracking": 9}', '{"point_tracking": 1}', "3", "plain words"]
)
def test_other_comments_are_not_taken_for_ours(text):
    assert Provenance.from_tag(text) is None


@settings(deadline=None)  # other work on the machine is no failure
@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=5), st.integers(1, 30))
def test_a_file_is_whole_when_its_boxes_end_with_it(boxes, missing):
    def box(size, large):
        header = struct.pack(">I4sQ", 1, b"mdat", size + 16) if large else struct.pack(">I4s", size + 8, b"free")
        return header + bytes(size)

    data = b"".join(box(*one) for one in boxes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "boxes.mp4"
        path.write_bytes(data)
        assert is_whole(path)
        ends = np.cumsum([len(box(*one)) for one in boxes])
        path.write_bytes(data[:-missing])
        assert is_whole(path) == (max(len(data) - missing, 0) in (0, *ends))


def test_a_source_is_known_again_until_it_changes(tmp_path: Path):
    path = media.video(tmp_path / "clip.mp4", 3)
    before = SourceFacts.of(probe(path))
    assert SourceFacts.of(probe(path)) == before
    assert (before.path, before.size_bytes) == (str(path), path.stat().st_size)
    os.utime(path, ns=(0, before.mtime_ns + 1))
    assert SourceFacts.of(probe(path)) != before
    facts = probe(path)
    path.unlink()
    with pytest.raises(VideoError, match="went away"):
        SourceFacts.of(facts)


def test_other_options_do_not_match():
    source = SourceFacts("/a.mp4", 1, 2, 3, 4, 5.0, "h264")
    made = Provenance(source, {"crf": 20}, FrameMap(np.array([0, 2]), 3), 5.0)
    assert made.matches(source, {"crf": 20})
    assert not made.matches(source, {"crf": 21})
    assert not made.matches(replace(source, size_bytes=2), {"crf": 20})


def test_what_is_no_copy_has_no_provenance(tmp_path: Path):
    assert read_provenance(media.video(tmp_path / "clip.mp4", 2)) is None
    assert read_provenance(media.text_file(tmp_path / "note.mp4")) is None
    assert read_provenance(tmp_path / "missing.mp4") is None
