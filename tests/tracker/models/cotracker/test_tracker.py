"""The trackers: queries, support, directions, thresholds, options, hooks."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import OptionError, QueryError
from point_tracking.tracker.models.cotracker.running import clip_run

from .cases import KINDS, POINTS_EARLY


@pytest.mark.parametrize("kind", KINDS)
def test_queries_are_validated_before_any_compute(make, clip, kind, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("compute started")

    tracker = make(kind)
    monkeypatch.setattr(clip_run, "ClipRun", refuse)
    for bad in [(10, 5, 5), (0, 53, 5), (0, -0.5, 5)]:
        with pytest.raises(QueryError):
            tracker.track(clip(10), pt.point_queries([bad]))


def test_options_are_json_values(make):
    tracker = make(support_grid=np.int64(3), iterations=np.int32(2), memory_limit_gb=np.float32(0.5))
    assert json.loads(json.dumps(tracker.options)) == tracker.options
    assert tracker.options["support_grid"] == 3


def test_unknown_options_are_refused_by_the_registry():
    with pytest.raises(OptionError, match="wondows"):
        pt.load_tracker("cotracker3-online", wondows=True)


def test_options_and_capabilities_are_told(make):
    offline, online, v2 = make(), make("online"), make("v2")
    assert (offline.name, online.name, v2.name) == ("cotracker3-offline", "cotracker3-online", "cotracker2")
    assert offline.options["iterations"] == 6
    assert "windowed" not in offline.options
    assert (online.options["windowed"], v2.options["windowed"]) == (False, True)
    assert offline.capabilities.bidirectional
    assert not offline.capabilities.streaming
    assert online.capabilities.streaming
    assert all(tracker.capabilities.joint and tracker.capabilities.knows_before_query for tracker in (offline, v2))


def test_fewer_iterations_are_fewer(make, clip):
    one, six = (make(iterations=n).track(clip(5), POINTS_EARLY).xy for n in (1, 6))
    assert np.abs(one - six).max() > 1e-3


def test_the_model_files_import_without_fiftyone_and_media_libraries():
    code = (
        "import sys\n"
        "for name in ('fiftyone', 'av', 'cv2', 'huggingface_hub'): sys.modules[name] = None\n"
        "from point_tracking.tracker.models.cotracker import tracker\n"
        "from point_tracking.tracker.models.cotracker.weights import convert_weights\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_leaves_the_random_state_alone():
    code = (
        "import torch\ntorch.manual_seed(7)\nbefore = torch.get_rng_state()\n"
        "from point_tracking.tracker.models.cotracker import tracker\n"
        "assert torch.equal(before, torch.get_rng_state())\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
