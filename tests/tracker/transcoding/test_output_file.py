"""Unfinished files: whose they are, and when they are removed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from point_tracking.tracker.errors import OutputExistsError
from point_tracking.tracker.transcoding.output_file import part_file, publish, remove_abandoned_parts

_WRITER = """
import sys
from pathlib import Path
from point_tracking.tracker.transcoding.output_file import part_file
with part_file(Path(sys.argv[1])) as part:
    part.write_bytes(b"half")
    print(part.name, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
def test_only_parts_whose_process_is_gone_are_removed(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path / name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for name in ("killed.mp4", "alive.mp4")
    ]
    try:
        killed, alive = (tmp_path / writer.stdout.readline().decode().strip() for writer in writers if writer.stdout)
        foreign = [tmp_path / name for name in (".mine.part", "movie.0123abcd.part", ".a.0123abcd.mp4")]
        for path in foreign:
            path.write_bytes(b"mine")
        writers[0].kill()
        writers[0].wait()
        with part_file(tmp_path / "own.mp4") as own:
            assert remove_abandoned_parts(tmp_path) == 1
            assert sorted(tmp_path.iterdir()) == sorted([alive, own, *foreign])
        assert not killed.exists()
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()


def test_a_finished_file_replaces_another_only_when_told_to(tmp_path: Path) -> None:
    target = tmp_path / "made.mp4"
    target.write_bytes(b"mine")
    with part_file(target) as part:
        part.write_bytes(b"whole")
        with pytest.raises(OutputExistsError, match="someone else"):
            publish(part, target, overwrite=False)
        assert target.read_bytes() == b"mine"
        publish(part, target, overwrite=True)
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]
