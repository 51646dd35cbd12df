"""Where models are trained, evaluation must work with numpy alone."""

from __future__ import annotations

import subprocess
import sys


def test_figures_need_numpy_alone() -> None:
    code = (
        "import sys, importlib, pkgutil, point_tracking.tracker.metrics as package\n"
        "for found in pkgutil.iter_modules(package.__path__):\n"
        "    importlib.import_module(f'{package.__name__}.{found.name}')\n"
        "print(sorted({'fiftyone', 'torch', 'cv2', 'av', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
