"""The skills that come with the plugin, as FiftyOne finds them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import fiftyone.plugins as fop
import pytest
import yaml

import point_tracking as pt
from point_tracking.store.runs.outcomes import Failure

REPOSITORY = Path(__file__).resolve().parents[1]
PLUGIN = "@fo-video/point-tracking"
DECLARED = yaml.safe_load((REPOSITORY / "fiftyone.yml").read_text())


@pytest.mark.parametrize("name", DECLARED["skills"])
def test_fiftyone_finds_the_skill_and_it_names_only_what_exists(name: str) -> None:
    (skill,) = [skill for skill in fop.list_skills(plugin=PLUGIN) if skill.name == name]
    assert (REPOSITORY / "skills" / name / "SKILL.md").read_text() == skill.content
    assert "Use when" in skill.description
    operators = set(re.findall(rf"{PLUGIN}/(\w+)", skill.content))
    assert operators
    assert operators <= set(DECLARED["operators"])
    functions = set(re.findall(r"\bpt\.(\w+)", skill.content))
    assert functions
    assert functions <= set(dir(pt))


def test_the_skill_names_only_parameters_and_attributes_that_exist() -> None:
    text = (REPOSITORY / "skills" / "track-points-in-videos" / "SKILL.md").read_text()
    for function in (pt.preprocess_dataset, pt.track_dataset):
        calls = re.findall(rf"pt\.{function.__name__}\(([^()]*)\)", text)
        assert len(calls) >= 2
        named = {name for call in calls for name in re.findall(r"(\w+)=", call)}
        assert named
        assert named <= set(inspect.signature(function).parameters)
    rows = {
        name for row in re.findall(r"^\| (`\w+`[^|]*) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert {"write_to", "interpolate", "media_field", "grid_size"} <= rows
    assert rows <= set(inspect.signature(pt.track_dataset).parameters)
    read = set(re.findall(r"\bfailure\.(\w+)", text))
    assert read
    assert read <= set(Failure.__dataclass_fields__)
