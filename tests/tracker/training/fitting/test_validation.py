"""The validation curve: its clips are fixed, and a perfect answer scores full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from point_tracking.tracker.models.cotracker.network.model import CoTracker3
from point_tracking.tracker.training.configs import BASE, SMALL, TINY
from point_tracking.tracker.training.fitting import validation
from point_tracking.tracker.training.fitting.validation import ValidationClips, validation_frames
from point_tracking.tracker.types import Tracks


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "_TEXTURES", 4)
        patch.setattr(validation, "_SIZE", (48, 64))
        yield


@pytest.fixture(scope="module")
def clips(small: None) -> ValidationClips:
    return ValidationClips(TINY.synthetic, count=2, num_frames=6)


def test_clips_are_the_same_for_everyone(clips: ValidationClips):
    again = replace(clips, count=1)
    assert torch.equal(again.clips[0].video, clips.clips[0].video)
    assert torch.equal(again.clips[0].xy, clips.clips[0].xy)
    assert not torch.equal(clips.clips[0].video, clips.clips[1].video)
    assert clips.clips is clips.clips, "rendered once"


def test_the_truth_scores_full(clips: ValidationClips):
    for clip in clips.clips:
        visible = clip.visible[0].numpy()
        scores = clips._score(clip, Tracks(clip.xy[0].numpy(), visible, visible.astype("float32")))
        assert (scores.delta_avg, scores.average_jaccard, scores.occlusion_accuracy) == (1, 1, 1)


def test_an_untrained_model_scores_less_and_is_left_in_evaluation_mode(clips: ValidationClips):
    torch.manual_seed(0)
    model = CoTracker3(TINY.model).train()
    scores = clips.score_model(model, iterations=1)
    assert 0 <= scores.delta_avg < 0.95
    assert not model.training
    jaccard = clips.jaccard_by_threshold(model, 1, [-1.0, 0.5, 1.0])
    assert jaccard[0.5] == pytest.approx(scores.average_jaccard)
    assert jaccard[1.0] == 0, "nothing is surer than that"


@pytest.mark.parametrize("config", [SMALL, BASE, TINY])
def test_clips_are_as_long_as_those_of_training_and_need_several_windows(config):
    frames = validation_frames(config)
    assert frames >= 2.5 * config.model.window
    assert frames >= max(stage.frames for stage in config.stages if stage.kind == "tracks")
