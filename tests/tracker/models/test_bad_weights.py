"""Files that hold no weights of the tracker they are loaded as: every family says what was found and what to do."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest

import point_tracking as pt
from point_tracking.tracker.errors import CheckpointError, LicenseError
from point_tracking.tracker.models.registry import tracker_info, weights_are_here

from .shallow import SHALLOW, load_shallow

# of each family, a tracker and another one of the same family
NEIGHBOURS = {
    "alltracker": "alltracker-tiny",
    "bootstapir": "tapir",
    "locotrack-base": "locotrack-small",
    "cotracker3-offline": "cotracker3-online",
}


class _Runs:
    """Something whose unpickling would make a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint of each tracker."""
    folder = tmp_path_factory.mktemp("shallow")
    for name in SHALLOW:
        load_shallow(name, folder)
    return {path.stem: path for path in folder.iterdir()}


def refusal(name: str, path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        pt.load_tracker(name, checkpoint=path, device="cpu")
    return str(caught.value)


@pytest.mark.parametrize("name", sorted(SHALLOW))
def test_a_truncated_file_is_told(name: str, files: dict[str, Path], tmp_path: Path):
    cut = tmp_path / files[name].name
    cut.write_bytes(files[name].read_bytes()[: files[name].stat().st_size // 2])
    assert f"{cut} cannot be read as" in refusal(name, cut)


@pytest.mark.parametrize("name", sorted(SHALLOW))
def test_a_half_downloaded_file_counts_as_none(
    name: str, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path))
    (file,) = tracker_info(name).files
    part = tmp_path / file.family / f"{file.filename}.part"
    part.parent.mkdir()
    part.write_bytes(files[name].read_bytes()[:1000])
    assert not weights_are_here(tracker_info(name))
    with pytest.raises(LicenseError, match=f"put {re.escape(file.filename)} into"):
        pt.load_tracker(name)
    assert f"{part} cannot be read as a checkpoint" in refusal(name, part)


@pytest.mark.parametrize("name", sorted(SHALLOW))
def test_a_file_with_code_in_it_is_refused_and_never_run(name: str, tmp_path: Path):
    path, made = tmp_path / "weights.pth", tmp_path / "made"
    path.write_bytes(pickle.dumps({"model": {"weight": _Runs(made)}}, protocol=2))
    assert refusal(name, path) == (
        f"{path} cannot be read as a checkpoint (UnpicklingError): it is damaged or incomplete, or holds code, which "
        "is never run. Expected a .pth file of tensors, or a .safetensors file"
    )
    assert not made.exists()


@pytest.mark.parametrize("name", sorted(NEIGHBOURS))
def test_a_renamed_file_of_the_same_family_is_told_by_its_name(name: str, files: dict[str, Path], tmp_path: Path):
    other = NEIGHBOURS[name]
    renamed = tmp_path / f"{name}{files[other].suffix}"
    renamed.write_bytes(files[other].read_bytes())
    assert refusal(name, renamed) == (
        f"{renamed} holds weights of {other!r}, not of {name!r}. Load it with load_tracker({other!r}, checkpoint=...)"
    )


@pytest.mark.parametrize("name", sorted(NEIGHBOURS))
@pytest.mark.parametrize("other", sorted(NEIGHBOURS))
def test_a_file_of_another_family_is_told(name: str, other: str, files: dict[str, Path]):
    if name == other:
        return
    assert refusal(name, files[other]).startswith(f"{files[other]} holds no ")
