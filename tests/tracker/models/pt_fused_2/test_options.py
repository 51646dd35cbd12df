"""What pt-fused-2 can be loaded with."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.pt_fused_2.options import LEARNED, Fused2Options


def test_the_learned_partner_is_named_where_another_is_asked_for():
    with pytest.raises(OptionError, match=r"Invalid learned \('cotracker2'\). Supported values are pt-small"):
        Fused2Options(learned="cotracker2")


def test_the_defaults_are_supported():
    assert asdict(Fused2Options()) == {
        "learned": LEARNED[0],
        "checkpoint": None,
        "device": "auto",
        "memory_limit_gb": None,
    }


def test_forms_read_the_options_without_torch():
    code = "import sys, point_tracking.tracker.models.pt_fused_2.options; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
