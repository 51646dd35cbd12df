"""The set-up script against stand-ins for the interpreter, pip and MongoDB, which are small shell scripts."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "setup_environment.py"

# stands in for .venv/bin/python: notes how it was called and succeeds
RECORDING_PYTHON = '#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\n'


@pytest.fixture
def setup(tmp_path, monkeypatch):
    """The script as a module, in a checkout of its own, without the user's FiftyOne settings."""
    spec = importlib.util.spec_from_file_location("setup_environment", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "setup_environment", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in module.DESCRIBED_BY:
        (checkout / name).write_text(name)
    monkeypatch.setattr(module, "CHECKOUT", checkout)
    monkeypatch.setattr(module, "VENV", checkout / ".venv")
    monkeypatch.setattr(module, "CONSTRAINTS", checkout / "constraints.txt")
    monkeypatch.delenv("FIFTYONE_DATABASE_URI", raising=False)
    monkeypatch.setenv("FIFTYONE_CONFIG_PATH", str(tmp_path / "no-config.json"))
    return module


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def fake_venv(setup, python: str = RECORDING_PYTHON) -> Path:
    return executable(setup.VENV / "bin" / "python", python)


def pip_calls(setup) -> list[str]:
    calls = setup.VENV / "bin" / "calls"
    return [line for line in calls.read_text().splitlines() if "pip install" in line] if calls.exists() else []


def mongod_path(setup) -> Path:
    return setup.VENV / "lib" / "python3.11" / "site-packages" / "fiftyone" / "db" / "bin" / "mongod"


# system packages


def names(packages, *, needed: bool) -> set[str]:
    return {package.name for package in packages if package.needed is needed}


def test_a_python_without_ensurepip_needs_the_venv_package(setup, monkeypatch):
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda name: None)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    assert package in names(setup.missing_packages("lint", setup.VENV), needed=True)
    fake_venv(setup)  # nothing to create any more
    assert package not in names(setup.missing_packages("lint", setup.VENV), needed=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for Linux shared libraries")
def test_libraries_of_mongodb_are_needed_only_where_mongodb_is_started(setup, monkeypatch):
    monkeypatch.setattr(setup, "MONGOD_LIBRARIES", {"libnowhere.so.1": "libnowhere1", "libc.so.6": "libc6"})
    assert names(setup.missing_packages("demo", setup.VENV), needed=True) == {"libnowhere1"}
    assert names(setup.missing_packages("lint", setup.VENV), needed=True) == set()
    executable(mongod_path(setup), "#!/bin/sh\necho db version v6\n")  # it runs, so nothing is missing
    assert names(setup.missing_packages("demo", setup.VENV), needed=True) == set()
    executable(mongod_path(setup), "#!/bin/sh\nexit 127\n")
    assert names(setup.missing_packages("demo", setup.VENV), needed=True) == {"libnowhere1"}
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", "mongodb://elsewhere")
    assert names(setup.missing_packages("demo", setup.VENV), needed=True) == set()


def test_chromium_and_ffmpeg_are_reported_but_never_needed(setup, monkeypatch):
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    assert names(setup.missing_packages("test", setup.VENV), needed=False) == {"chromium"}
    assert names(setup.missing_packages("setup", setup.VENV), needed=False) == {"ffmpeg"}
    assert names(setup.missing_packages("demo", setup.VENV), needed=False) == set()


def test_all_missing_packages_stand_in_one_apt_line(setup):
    packages = [
        setup.MissingPackage("libcurl4", "MongoDB does not start without libcurl.so.4", needed=True),
        setup.MissingPackage("python3.11-venv", "creates .venv", needed=True),
        setup.MissingPackage("ffmpeg", "reads videos", needed=False),
    ]
    lines = setup.report(packages).splitlines()
    apt = [line for line in lines if "apt-get" in line]
    assert [line.split("install -y ")[1] for line in apt] == ["libcurl4 python3.11-venv", "ffmpeg"]


def test_nothing_is_installed_while_a_needed_package_is_missing(setup, monkeypatch, capsys):
    fake_venv(setup)
    needed = setup.MissingPackage("libcurl4", "a reason", needed=True)
    monkeypatch.setattr(setup, "missing_packages", lambda target, venv: [needed])
    assert setup.main(["--for", "demo"]) == 1
    assert "libcurl4" in capsys.readouterr().out
    assert pip_calls(setup) == []


def test_a_python_that_is_too_old_is_named(setup, monkeypatch):
    monkeypatch.setattr(setup, "OLDEST_PYTHON", (99, 1))
    with pytest.raises(setup.SetupError, match=r"Python 3\..*99\.1 or newer.*PYTHON="):
        setup.check_python()


# packages


def test_packages_are_installed_once_until_a_file_changes(setup):
    fake_venv(setup)
    assert setup.install_packages() is True
    assert len(pip_calls(setup)) == 1
    assert "--constraint" in pip_calls(setup)[0]
    assert "--editable .[parquet,pose,test,lint]" in pip_calls(setup)[0]
    assert setup.install_packages() is False
    os.utime(setup.CONSTRAINTS)  # touched, but the same
    assert setup.install_packages() is False
    setup.CONSTRAINTS.write_text("another pin")
    assert setup.install_packages() is True
    assert len(pip_calls(setup)) == 2


def test_a_moved_checkout_is_installed_again(setup, monkeypatch, tmp_path):
    fake_venv(setup)
    setup.install_packages()
    moved = setup.CHECKOUT.rename(tmp_path / "moved")
    monkeypatch.setattr(setup, "CHECKOUT", moved)
    monkeypatch.setattr(setup, "VENV", moved / ".venv")
    monkeypatch.setattr(setup, "CONSTRAINTS", moved / "constraints.txt")
    assert setup.install_packages() is True


def test_a_failed_installation_is_tried_again(setup):
    fake_venv(setup, '#!/bin/sh\ncase "$*" in *install*) exit 1;; esac\n')
    for _ in range(2):
        with pytest.raises(setup.SetupError, match="pip could not install"):
            setup.install_packages()


def test_the_type_checker_finds_the_package(setup):
    fake_venv(setup)
    setup.install_packages()
    link = setup.VENV / "import-path" / "point_tracking"
    assert link.resolve() == setup.CHECKOUT.resolve()
    assert not os.path.isabs(os.readlink(link))


# MongoDB


@pytest.mark.parametrize("configured_by", ["environment", "file"])
def test_a_configured_server_replaces_the_binary(setup, monkeypatch, tmp_path, configured_by):
    fake_venv(setup)
    if configured_by == "environment":
        monkeypatch.setenv("FIFTYONE_DATABASE_URI", "mongodb://host")
    else:
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"database_uri": "mongodb://host"}))
        monkeypatch.setenv("FIFTYONE_CONFIG_PATH", str(config))
    assert setup.configured_database_uri() == "mongodb://host"
    assert "database_uri" in setup.ensure_mongod()
    assert pip_calls(setup) == []


def test_a_broken_config_file_is_named(setup, monkeypatch, tmp_path):
    config = tmp_path / "config.json"
    config.write_text("{")
    monkeypatch.setenv("FIFTYONE_CONFIG_PATH", str(config))
    with pytest.raises(setup.SetupError, match=r"config\.json"):
        setup.configured_database_uri()


def test_a_missing_mongod_is_installed_and_one_that_is_there_is_not(setup):
    there = mongod_path(setup)
    fake_venv(
        setup,
        RECORDING_PYTHON + f'mkdir -p "{there.parent}"\n'
        f'printf "#!/bin/sh\\necho db version v6.0.5\\n" > "{there}"; chmod +x "{there}"\n',
    )
    assert setup.ensure_mongod() == "db version v6.0.5"
    assert len(pip_calls(setup)) == 1
    assert setup.MONGOD_PACKAGE in pip_calls(setup)[0]
    assert setup.ensure_mongod() == "db version v6.0.5"
    assert len(pip_calls(setup)) == 1


def test_a_package_that_cannot_be_had_says_what_else_to_do(setup):
    fake_venv(setup, "#!/bin/sh\nexit 1\n")
    with pytest.raises(setup.SetupError, match="FIFTYONE_DATABASE_URI"):
        setup.ensure_mongod()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file' >&2\n"
            "exit 127",
            r"libcurl\.so\.4 is missing.*apt-get install -y libcurl4",
        ),
        ("echo 'error while loading shared libraries: libodd.so.9: none' >&2; exit 127", r"libodd\.so\.9 is missing"),
        ("kill -ILL $$", "AVX"),
        ("echo 'no good' >&2; exit 3", "no good"),
    ],
)
def test_a_mongod_that_does_not_run_is_explained(setup, tmp_path, script, message):
    mongod = executable(tmp_path / "mongod", f"#!/bin/sh\n{script}\n")
    with pytest.raises(setup.SetupError, match=message):
        setup.check_mongod(mongod)


def test_a_mongod_that_cannot_be_started_is_explained(setup, tmp_path):
    mongod = tmp_path / "mongod"
    mongod.write_text("no program")
    with pytest.raises(setup.SetupError, match="does not start"):
        setup.check_mongod(mongod)


def test_lint_needs_no_database(setup, monkeypatch, capsys):
    fake_venv(setup)
    monkeypatch.setattr(setup, "missing_packages", lambda target, venv: [])
    assert setup.main(["--for", "lint"]) == 0
    assert len(pip_calls(setup)) == 1  # the packages, no MongoDB
    assert setup.main(["--for", "demo"]) == 1
    assert "Set-up failed" in capsys.readouterr().err
