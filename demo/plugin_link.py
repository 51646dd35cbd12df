"""Makes FiftyOne find this checkout as a plugin: adds a link, never replaces anything."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PLUGIN_NAME = "@fo-video/point-tracking"
OPERATOR_URI = f"{PLUGIN_NAME}/track_points"


@dataclass(frozen=True)
class LinkResult:
    """What was found in FiftyOne's plugins folder, and what was done.

    Args:
        path: where the plugin belongs
        usable: whether that path now leads to the checkout
        message: the same in words
    """

    path: Path
    usable: bool
    message: str


def link_plugin(plugins_dir: str | os.PathLike[str], checkout: str | os.PathLike[str]) -> LinkResult:
    """Links a checkout into a plugins folder, where nothing is there yet.

    Args:
        plugins_dir: FiftyOne's plugins folder; made if missing
        checkout: the folder that holds fiftyone.yml

    Returns:
        what is there now; whatever was there before is untouched
    """
    checkout = Path(checkout).resolve()
    path = Path(plugins_dir) / PLUGIN_NAME
    if path.resolve() == checkout:
        return LinkResult(path, True, f"{path} already leads to this checkout")
    if found := _describe(path):
        advice = f"To use this checkout, move it away and run `make demo` again: mv '{path}' '{path}.other'"
        return LinkResult(path, False, f"{path} is {found}. It was left alone. {advice}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(checkout, target_is_directory=True)
    return LinkResult(path, True, f"linked {path} to this checkout")


def _describe(path: Path) -> str | None:
    """What is at a path, or None where nothing is."""
    if path.is_symlink():
        return f"a link to {os.readlink(path)}" + ("" if path.exists() else ", which does not exist")
    if path.is_dir():
        return "a folder of its own"
    return "a file" if path.exists() else None
