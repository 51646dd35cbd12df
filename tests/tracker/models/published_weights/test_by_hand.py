"""What docs/trackers.md says of files for machines without a network: that it is so, and that it works as written."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import point_tracking as pt
from point_tracking.tracker.errors import CheckpointError
from point_tracking.tracker.models.registry import shipped_trackers, tracker_info

from ..shallow import load_shallow
from .fake_servers import FakeHub

PAGE = (Path(pt.__file__).parent / "docs" / "trackers.md").read_text()
BY_HAND = PAGE[PAGE.index("By hand it goes like this") :]


@pytest.mark.parametrize("name", [name for name in shipped_trackers() if tracker_info(name).files])
def test_the_page_names_each_file_with_its_terms(name: str):
    (file,) = tracker_info(name).files
    checksum = f"`{file.sha256}`" if file.sha256 else "not known"
    terms = file.license or "none stated"
    row = f"| `{name}` | [{file.filename}]({file.source.url}) | {file.size_mb:g} MB | `{file.family}` | {terms} "
    row += f"| {checksum} |"
    assert row in PAGE.splitlines()


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sha256sum")), reason="needs curl and sha256sum")
def test_a_file_comes_by_hand_as_the_page_says(server: FakeHub, folder: Path, tmp_path: Path):
    load_shallow("alltracker", tmp_path)
    server.content = (tmp_path / "alltracker.pth").read_bytes()
    (tmp_path / "alltracker.pth").unlink()
    (file,) = tracker_info("alltracker").files
    server.file = file.source.url.removeprefix("https://huggingface.co")
    fetching, putting = (
        re.sub(r"(?m)^   ", "", text) for text in re.findall(r"```bash\n(.*?)```", BY_HAND, re.DOTALL)[:2]
    )
    assert file.source.url in fetching

    def run(lines: str) -> None:
        subprocess.run(["bash", "-euc", lines], cwd=tmp_path, check=True, capture_output=True)

    run(fetching.replace("https://huggingface.co", server.url))
    run(putting)
    assert "alltracker" in pt.list_trackers(commercial=True, ready=True)
    tracker = pt.load_tracker("alltracker")
    assert tracker.name == "alltracker"
    digest = hashlib.sha256(server.content).hexdigest()
    (warning,) = tracker.warnings
    assert f"does not have the checksum that others name for the published file: {digest}" in warning, "it is shallow"

    placed = folder / "alltracker" / "alltracker.pth"
    placed.write_bytes(server.content[:-1] + b"x")
    with pytest.raises(CheckpointError, match=r"cannot be read|has changed since it was downloaded"):
        pt.load_tracker("alltracker")
