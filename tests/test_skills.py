"""The skills that come with the plugin, as FiftyOne finds them."""

from __future__ import annotations

import re
from pathlib import Path

import fiftyone.plugins as fop
import pytest
import yaml

import point_tracking as pt

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
