"""Optional libraries of formats: imported where they are needed, told by name where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import DependencyError

# extra of this package -> what pip installs with it
EXTRAS = {
    "parquet": "pyarrow",
    "pose": "sleap-io tables",
    "colmap": "pycolmap",
    "rerun": "rerun-sdk",
}


def needed(module: str, extra: str) -> Any:
    """Imports a module of an optional library.

    Args:
        module: its name
        extra: of this package, which installs it

    Raises:
        DependencyError: if it is not installed
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise DependencyError(
            f"This format needs {module.split('.')[0]}, which is not installed: pip install {EXTRAS[extra]}"
        ) from error
