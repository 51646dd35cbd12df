"""Adapted trackers on disk: names, terms, and files that are none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from adaptable import drifting_start
from hypothesis import given
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.tracker.errors import OptionError, UnknownTrackerError
from point_tracking.tracker.models import adapted
from point_tracking.tracker.models.adapted import Lineage, WeightsTerms, find_adapted, list_adapted, save_adapted
from point_tracking.tracker.models.registry import check_new_name, shipped_trackers

FREE = WeightsTerms("pt-small", "Apache-2.0", True)
CLASSICAL = WeightsTerms("optical-flow", None, True)
BOUND = WeightsTerms("cotracker3-offline", "CC-BY-NC-4.0", False)


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))
    return tmp_path / "weights" / "adapted"


@pytest.mark.parametrize(
    ("start", "teachers", "license_", "commercial"),
    [
        (FREE, (FREE,), "Apache-2.0", True),
        (FREE, (CLASSICAL,), "Apache-2.0", True),
        (CLASSICAL, (), "Apache-2.0", True),
        (FREE, (FREE, BOUND), "Apache-2.0 AND CC-BY-NC-4.0", False),
        (BOUND, (FREE,), "CC-BY-NC-4.0 AND Apache-2.0", False),
        (WeightsTerms("mine", "Apache-2.0 AND CC-BY-NC-4.0", False), (BOUND,), "Apache-2.0 AND CC-BY-NC-4.0", False),
    ],
)
def test_the_terms_of_all_parts_hold(
    start: WeightsTerms, teachers: tuple[WeightsTerms, ...], license_: str, commercial: bool
) -> None:
    lineage = Lineage(start, teachers, "pt-small")
    assert (lineage.license, lineage.commercial_use) == (license_, commercial)
    assert Lineage.from_json(lineage.to_json()) == lineage


@given(st.text(max_size=80))
def test_only_good_names_are_taken(name: str) -> None:
    good = bool(name) and len(name) <= 64 and name[0].islower() and name.isascii()
    good = good and all(letter.islower() or letter.isdigit() or letter in "-_" for letter in name)
    good = good and not name.startswith("pt-") and name not in shipped_trackers()
    if good:
        assert check_new_name(name) == name
    else:
        with pytest.raises(OptionError, match="Invalid name of a tracker"):
            check_new_name(name)


def test_files_that_are_no_adapted_tracker_are_left_out(weights: Path) -> None:
    assert list_adapted() == {}
    path = save_adapted("good", drifting_start().model, Lineage(FREE, (FREE,), "pt-small"))
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])

    def write(name: str, metadata: object) -> None:
        text = json.dumps({**header, "__metadata__": metadata}).encode()
        (weights / name).write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])

    write("other.safetensors", {"format": "pt"})
    write("broken.safetensors", {adapted.LINEAGE_KEY: '{"start": 1}'})
    write("list.safetensors", ["x"])
    write("Bad Name.safetensors", header["__metadata__"])
    write("optical-flow.safetensors", header["__metadata__"])
    (weights / "cut.safetensors").write_bytes(content[:20])
    (weights / "empty.safetensors").touch()
    (weights / "huge.safetensors").write_bytes(b"\xff" * 64)
    (weights / ".good.safetensors.1.tmp").write_bytes(content)
    assert list(list_adapted()) == ["good", "optical-flow"]
    assert pt.list_trackers() == [*shipped_trackers(), "good"], "names of ours are not taken over"
    assert pt.tracker_info("optical-flow").weights_license is None
    for name in ("other", "Bad Name", "../adapted/good", "good.safetensors"):
        with pytest.raises(UnknownTrackerError, match="good"):
            pt.load_tracker(name)


def test_a_file_brings_its_terms_to_another_machine(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_adapted("mine", drifting_start().model, Lineage(FREE, (BOUND,), "pt-small", {"steps": 3}))
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "other"))
    assert "mine" not in pt.list_trackers()
    adapted.adapted_dir().mkdir(parents=True)
    adapted.adapted_path("renamed").write_bytes(path.read_bytes())
    assert pt.tracker_info("renamed").terms.endswith("Apache-2.0 AND CC-BY-NC-4.0: NON-COMMERCIAL use only")
    found = find_adapted("renamed")
    assert found is not None
    assert found.facts == {"steps": 3}
    assert pt.load_tracker("renamed", device="cpu").name == "renamed"


def test_the_manifest_of_the_zoo_lists_what_ships_only() -> None:
    from point_tracking.workflows.model_zoo.source import manifest

    save_adapted("mine", drifting_start().model, Lineage(FREE, (FREE,), "pt-small"))
    assert [model["base_name"] for model in manifest()["models"]] == shipped_trackers()


def test_listing_needs_no_torch() -> None:
    save_adapted("mine", drifting_start().model, Lineage(FREE, (FREE,), "pt-small"))
    code = "import sys, point_tracking as pt; assert 'mine' in pt.list_trackers(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
