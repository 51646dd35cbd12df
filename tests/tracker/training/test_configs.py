"""Committed configurations."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.cotracker.network.config import CoTrackerConfig
from point_tracking.tracker.training.configs import CONFIGS, TINY, TrainingConfig, TrainingStage, find_config


def only(stage: TrainingStage, **changes) -> TrainingConfig:
    return replace(TINY, stages=(replace(stage, share=1.0, **changes),))


def test_stages_check_their_sizes():
    with pytest.raises(OptionError, match="half windows"):
        only(TINY.stages[2], frames=5)
    with pytest.raises(OptionError, match="multiples"):
        only(TINY.stages[2], size=(30, 32))
    with pytest.raises(OptionError, match="kind"):
        replace(TINY.stages[0], kind="other")


@pytest.mark.parametrize("name", CONFIGS)
def test_committed_configurations_are_json_values_under_their_own_name(name: str):
    config = find_config(name)
    assert config.name == name
    content = json.loads(json.dumps(config.to_dict()))
    assert [stage["name"] for stage in content["stages"]] == [stage.name for stage in config.stages]
    assert CoTrackerConfig.from_dict(content["model"]) == config.model
    assert config.stages[-1].kind == "tracks", "the whole model is trained last"


@pytest.mark.parametrize("name", ["share", "learning_rate", "batch", "points", "iterations"])
def test_amounts_are_above_zero(name: str):
    with pytest.raises(OptionError, match=f"Invalid {name} of stage"):
        replace(TINY.stages[0], **{name: 0})


def test_an_unknown_configuration_is_told():
    with pytest.raises(OptionError, match="small, small-gpu, base"):
        find_config("huge")
