"""Published weights: consent, download from a fake hub on loopback, resume, damage, offline."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.errors import CheckpointError, LicenseError, OptionError, WeightsError
from point_tracking.tracker.models.cotracker.weights.published import PUBLISHED
from point_tracking.tracker.models.published_weights import store as weights
from point_tracking.tracker.models.registry import (
    fetch_tracker_weights,
    needs_consent,
    shipped_trackers,
    weights_are_here,
    weights_state,
)


def fetch(name: str, **options) -> Path:
    """The single file of a tracker's weights."""
    return fetch_tracker_weights(pt.tracker_info(name), **options)[0]


def test_terms_come_before_any_request(hub, folder):
    with pytest.raises(LicenseError) as error:
        fetch("cotracker3-offline")
    message = str(error.value)
    for part in ("scaled_offline.pth", "facebook/cotracker3", "CC-BY-NC-4.0", "accept_license=True", str(folder)):
        assert part in message
    assert hub.requests == []


@pytest.mark.parametrize("name", [name for name in shipped_trackers() if pt.tracker_info(name).files])
def test_a_tracker_without_weights_names_the_file_it_needs(folder, name):
    (file,) = pt.tracker_info(name).files
    with pytest.raises(LicenseError, match=re.escape(file.filename)):
        pt.load_tracker(name)


def test_download_happens_once_and_consent_is_remembered(hub, folder):
    path = fetch("cotracker3-offline", accept_license=True)
    assert path == folder / "cotracker" / "scaled_offline.pth"
    assert path.read_bytes() == hub.content
    asked = len(hub.requests)
    assert fetch("cotracker3-offline") == path
    assert len(hub.requests) == asked, "the file is there"
    path.unlink()
    assert fetch("cotracker3-offline") == path, "no second consent"
    assert not weights.has_consent(PUBLISHED["cotracker2"]), "only for what was accepted"


@pytest.mark.parametrize("consent", ["no", "yes", 1, None])
def test_only_true_is_consent(hub, folder, consent):
    for attempt in (
        lambda: fetch("cotracker3-offline", accept_license=consent),
        lambda: pt.load_tracker("cotracker3-offline", accept_license=consent),
    ):
        with pytest.raises(OptionError, match="accept_license"):
            attempt()
    assert hub.requests == []
    assert not weights.has_consent(PUBLISHED["cotracker3-offline"])


def test_a_broken_download_resumes(hub, folder):
    # more than the client's block of 10 MB, which it writes whole or not at all
    hub.content = bytes(range(256)) * 100_000
    hub.etag = hashlib.sha256(hub.content).hexdigest()
    hub.break_after = 15_000_000
    try:
        fetch("cotracker3-offline", accept_license=True)
    except WeightsError:
        fetch("cotracker3-offline")
    resumed = [wanted for method, _, wanted in hub.requests if method == "GET" and wanted]
    assert resumed, hub.requests
    assert (folder / "cotracker" / "scaled_offline.pth").read_bytes() == hub.content


def test_wrong_content_is_refused_and_removed(hub, folder):
    hub.etag = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(WeightsError, match="checksum"):
        fetch("cotracker3-offline", accept_license=True)
    assert not (folder / "cotracker" / "scaled_offline.pth").exists()


def test_a_known_checksum_holds_whatever_the_server_says(hub, folder):
    file = replace(PUBLISHED["cotracker3-offline"], sha256="0" * 64, sha256_verified=True)
    with pytest.raises(WeightsError, match="checksum"):
        weights.fetch_weights(file, tracker="cotracker3-offline", accept_license=True)
    assert not (folder / "cotracker" / "scaled_offline.pth").exists()
    known = replace(file, sha256=hub.etag)
    assert weights.fetch_weights(known, tracker="cotracker3-offline").read_bytes() == hub.content


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_the_hub_is_explained(hub, folder, status):
    hub.status = status
    with pytest.raises(WeightsError, match=r"could not be downloaded.*put scaled_offline.pth into"):
        fetch("cotracker3-offline", accept_license=True)


def test_without_a_network_the_way_by_hand_is_told(folder, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"could not be downloaded.*put cotracker2.pth into"):
        fetch("cotracker2", accept_license=True)


def test_a_file_put_there_by_hand_needs_no_consent(folder):
    place = folder / "cotracker" / "scaled_online.pth"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"not a checkpoint")
    assert fetch("cotracker3-online") == place
    with pytest.raises(CheckpointError, match="cannot be read"):
        pt.load_tracker("cotracker3-online")


def test_safetensors_come_first(folder):
    (folder / "cotracker").mkdir(parents=True)
    for suffix in ("pth", "safetensors"):
        (folder / "cotracker" / f"cotracker2.{suffix}").touch()
    assert weights.find_weights(PUBLISHED["cotracker2"]) == folder / "cotracker" / "cotracker2.safetensors"


def test_files_and_consents_of_earlier_versions_are_found(folder, hub):
    folder.mkdir()
    (folder / "cotracker2.pth").touch()
    file = PUBLISHED["cotracker2"]
    assert weights.find_weights(file) == folder / "cotracker2.pth"
    assert weights.find_weights(replace(file, formerly_flat=False)) is None
    (folder / "accepted-licenses.json").write_text(json.dumps({"CC-BY-NC-4.0": ["facebook/cotracker3"]}))
    assert weights.has_consent(PUBLISHED["cotracker3-online"]), "of its repository"
    assert not weights.has_consent(file), "of another repository"
    assert fetch("cotracker3-offline") == folder / "cotracker" / "scaled_offline.pth"


def test_consent_holds_for_one_file_and_one_licence(folder):
    file = PUBLISHED["cotracker3-offline"]
    weights.remember_consent(file)
    weights.remember_consent(file)
    assert json.loads((folder / "accepted-licenses.json").read_text()) == {
        "CC-BY-NC-4.0": ["cotracker/scaled_offline.pth"]
    }
    assert weights.has_consent(file)
    assert not weights.has_consent(replace(file, license="Another-1.0")), "its terms have changed"
    assert not weights.has_consent(PUBLISHED["cotracker3-online"])
    unlicensed = replace(file, license=None)
    weights.remember_consent(unlicensed)
    assert weights.has_consent(unlicensed)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(weights.WEIGHTS_DIR_VARIABLE, str(tmp_path / "file" / "weights"))
    with pytest.raises(WeightsError, match=r"cannot be written.*POINT_TRACKING_WEIGHTS_DIR"):
        fetch("cotracker3-offline", accept_license=True)


def test_a_downloaded_file_that_was_changed_since_is_refused(hub, folder, tmp_path):
    from .fake_servers import FakeHub

    assert isinstance(hub, FakeHub)
    hub.content, hub.file = shallow_tiny(), "/aharley/alltracker/resolve/main/alltracker_tiny.pth"
    hub.etag = hashlib.sha256(hub.content).hexdigest()
    assert pt.load_tracker("alltracker-tiny", accept_license=True, device="cpu").warnings == ()
    path = folder / "alltracker" / "alltracker_tiny.pth"
    assert path.with_name("alltracker_tiny.pth.sha256").read_text() == f"{hub.etag}  alltracker_tiny.pth\n"
    path.write_bytes(shallow_tiny(value=1.0))
    with pytest.raises(CheckpointError, match=r"has changed since it was downloaded.*fetch it again"):
        pt.load_tracker("alltracker-tiny", device="cpu")


def shallow_tiny(value: float = 0.0) -> bytes:
    """A checkpoint of the smallest network that AllTracker's loader takes."""
    from point_tracking.tracker.models.alltracker.config import AllTrackerConfig
    from point_tracking.tracker.models.alltracker.network import AllTracker

    with torch.device("meta"):
        state = AllTracker(AllTrackerConfig("residual", block_pairs=1, window=4)).state_dict()
    file = io.BytesIO()
    torch.save({key: torch.full(one.shape, value, dtype=one.dtype) for key, one in state.items()}, file)
    return file.getvalue()


def test_a_damaged_note_of_consent_counts_as_none(hub, folder):
    weights.remember_consent(PUBLISHED["cotracker3-offline"])
    (folder / "accepted-licenses.json").write_text("{")
    with pytest.raises(LicenseError):
        fetch("cotracker3-offline")


def test_from_the_hub_to_a_tracker(hub, folder, parity):
    from point_tracking.tracker.models.cotracker.network.config import COTRACKER3_OFFLINE
    from point_tracking.tracker.models.cotracker.weights.checkpoint import build_model

    file = io.BytesIO()
    with torch.device("meta"):
        state = build_model(COTRACKER3_OFFLINE).state_dict()
    torch.save({key: torch.zeros(value.shape) for key, value in state.items()}, file)
    hub.content = file.getvalue()
    hub.etag = hashlib.sha256(hub.content).hexdigest()
    tracker = pt.load_tracker("cotracker3-offline", accept_license=True, device="cpu")
    assert tracker.name == "cotracker3-offline"


def test_alltracker_is_downloaded_once_its_terms_are_accepted(hub):
    hub.content = shallow_tiny()
    hub.etag = hashlib.sha256(hub.content).hexdigest()
    hub.file = "/aharley/alltracker/resolve/main/alltracker_tiny.pth"
    assert pt.load_tracker("alltracker-tiny", accept_license=True, device="cpu").name == "alltracker-tiny"
    with pytest.raises(OptionError, match="Invalid accept_license"):
        pt.load_tracker("alltracker", accept_license="yes")


def test_what_is_here_and_what_must_be_asked_for(hub, folder):
    info = pt.tracker_info("cotracker3-offline")
    assert (weights_are_here(info), needs_consent(info), weights_state(info)) == (False, True, "ask")
    assert info.name in pt.list_trackers(ready=False)
    weights.remember_consent(info.files[0])
    assert (weights_are_here(info), needs_consent(info)) == (False, False), "to download, without asking again"
    assert weights_state(info) == "to download"
    fetch_tracker_weights(info)
    assert (weights_are_here(info), needs_consent(info), weights_state(info)) == (True, False, "here")
    assert info.name in pt.list_trackers(ready=True)
    assert info.name not in pt.list_trackers(ready=True, commercial=True)
    (folder / "accepted-licenses.json").unlink()
    assert not needs_consent(info), "a file that is here is used whatever was accepted"


def test_trackers_without_files_are_ready():
    info = pt.tracker_info("optical-flow")
    assert (weights_are_here(info), needs_consent(info), fetch_tracker_weights(info)) == (True, False, [])
    assert info.size_mb is None


def test_a_tracker_of_several_files_is_ready_with_all_of_them(folder):
    info = pt.tracker_info("cotracker3-offline")
    both = replace(info, files=(*info.files, PUBLISHED["cotracker2"]))
    (folder / "cotracker").mkdir(parents=True)
    (folder / "cotracker" / "scaled_offline.pth").touch()
    weights.remember_consent(info.files[0])
    assert (weights_are_here(info), weights_are_here(both), needs_consent(both)) == (True, False, True)
    assert both.size_mb == 102 + 204
    assert "scaled_offline.pth" in both.files_description
    assert "cotracker2.pth" in both.files_description
