"""The repository as a source of FiftyOne's model zoo, fetched over loopback http."""

from __future__ import annotations

import json
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import fiftyone as fo
import fiftyone.zoo as foz
import media
import pytest
from ffmpeg import needs_ffmpeg

import point_tracking as pt
from point_tracking.workflows.model_zoo.source import SOURCE_NAME, manifest

REPOSITORY = Path(__file__).resolve().parents[3]
_REFUSED_PORT = 9  # "discard": nothing listens there


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        del format, args


def _archive(path: Path) -> None:
    """What a download of this repository holds: its files, without those that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no git checkout: there is no list of the repository's files to archive")
    with zipfile.ZipFile(path, "w") as archive:
        for name in listed.stdout.decode().split("\0"):
            file = REPOSITORY / name
            if name and file.is_file():
                archive.write(file, f"point-tracking-main/{name}")


@pytest.fixture(scope="module")
def source_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an archive of this repository, registered as a model source."""
    folder = tmp_path_factory.mktemp("served")
    _archive(folder / "point-tracking.zip")
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: _Quiet(*args, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/point-tracking.zip"
    foz.register_zoo_model_source(url)
    yield url
    foz.delete_zoo_model_source(url)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of weights: nothing was downloaded, no terms were accepted, and no hub answers."""
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{_REFUSED_PORT}")
    return tmp_path / "weights"


def test_the_manifest_is_that_of_the_registry() -> None:
    stored = json.loads((REPOSITORY / "manifest.json").read_text())
    assert stored == manifest(), "run: python -m point_tracking.workflows.model_zoo.source > manifest.json"
    assert [model["base_name"] for model in stored["models"]] == pt.list_trackers()
    assert stored["name"] == SOURCE_NAME


def test_fiftyone_lists_every_tracker_with_its_terms(source_url: str) -> None:
    assert source_url in foz.list_zoo_model_sources()
    assert foz.list_zoo_models(source=source_url) == sorted(pt.list_trackers())
    assert set(pt.list_trackers()) <= set(foz.list_zoo_models(tags="point-tracking"))
    for name in pt.list_trackers():
        info, model = pt.tracker_info(name), foz.get_zoo_model(name)
        assert model.license == (info.weights_license or info.code_license)
        assert name in foz.list_zoo_models(license=model.license)
        assert {"video", *info.tags} <= set(model.tags)
        assert set(info.requirements) <= set(model.requirements.packages)
        assert info.terms in model.description
        if info.size_mb is not None:
            assert model.size_bytes == pytest.approx(info.size_mb * 1e6)
    free = foz.list_zoo_models(source=source_url, license="Apache-2.0")
    # the weights' licence, or the code's where there are none, is what the zoo shows
    licenses = {name: pt.tracker_info(name).weights_license or "Apache-2.0" for name in sorted(pt.list_trackers())}
    ours = [name for name, license_name in licenses.items() if license_name == "Apache-2.0"]
    assert free == ours
    assert all(pt.tracker_info(name).commercial_use for name in ours)


@needs_ffmpeg
def test_a_model_of_the_zoo_tracks_as_the_package_does(source_url: str, tmp_path: Path) -> None:
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", num_frames=8))))
    model = foz.load_zoo_model("optical-flow", grid_size=10)
    assert foz.is_zoo_model_downloaded("optical-flow")
    assert json.loads(Path(foz.find_zoo_model("optical-flow")).read_text())["weights"] is None
    assert foz.load_zoo_model("optical-flow", grid_size=10) is model  # FiftyOne keeps it while it is in use
    assert foz.load_zoo_model("optical-flow", grid_size=9) is not model
    dataset.apply_model(model, label_field="tracks", skip_failures=False)
    pt.track_dataset(dataset, "expected", tracker="optical-flow", grid_size=10)
    points, expected = dataset.values(["frames.tracks.keypoints.points", "frames.expected.keypoints.points"])
    assert points == expected
    assert len(points[0][0]) == 100
    dataset.delete()


def test_the_zoo_copy_stands_on_its_own(source_url: str) -> None:
    """FiftyOne imports the copy it downloaded, not the installed package."""
    model = foz.load_zoo_model("optical-flow", cache=False)
    assert type(model).__module__.startswith(f"{SOURCE_NAME}.")


def test_wrong_options_and_names_get_a_message(source_url: str) -> None:
    with pytest.raises(Exception, match="apply_model") as error:
        foz.load_zoo_model("optical-flow", label_field="tracks")
    assert type(error.value).__name__ == "OptionError"
    with pytest.raises(ValueError, match="'optical-flaw' not found in the zoo"):
        foz.load_zoo_model("optical-flaw")
    with pytest.raises(pt.PointTrackingError, match=r"optical-flaw.*Supported values are .*optical-flow"):
        pt.load_model("optical-flaw")


def test_a_source_that_is_offline_is_named() -> None:
    url = f"http://127.0.0.1:{_REFUSED_PORT}/point-tracking.zip"
    with pytest.raises(ValueError, match=f"Failed to retrieve model metadata from '{url}'"):
        foz.register_zoo_model_source(url)
    assert url not in foz.list_zoo_model_sources()


def test_no_weights_come_without_consent(source_url: str, no_weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Exception, match=r"CC-BY-NC-4.0.*accept_license=True") as error:
        foz.load_zoo_model("cotracker3-offline")
    assert type(error.value).__name__ == "LicenseError"
    assert "Nothing was downloaded" in caplog.text
    assert not no_weights.exists()
    assert not foz.is_zoo_model_downloaded("cotracker3-offline")


def test_with_consent_a_hub_that_is_offline_is_named(source_url: str, no_weights: Path) -> None:
    with pytest.raises(Exception, match="could not be downloaded") as error:
        foz.load_zoo_model("cotracker3-offline", accept_license=True)
    assert type(error.value).__name__ == "WeightsError"
    assert list(no_weights.glob("*.pth")) == []


def test_the_form_of_the_zoo_operator_offers_options_of_load_model(source_url: str) -> None:
    for name in pt.list_trackers():
        form = foz.get_zoo_model(name).resolve_input(SimpleNamespace(params={}))
        fields = form.type.properties
        assert ("accept_license" in fields) == bool(pt.tracker_info(name).files)
    defaults = {key: prop.default for key, prop in fields.items() if key not in ("accept_license", "terms")}
    assert pt.load_model("optical-flow", **defaults).media_type == "video"


def test_the_manifest_is_part_of_the_installed_package() -> None:
    assert (Path(str(pt.__file__)).parent / "manifest.json").is_file()
