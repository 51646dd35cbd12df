"""The committed training configurations: model sizes, stages, and everything a run depends on.

Adding a configuration: write a `TrainingConfig` below and enter it in
`CONFIGS`; `python -m point_tracking.tracker.training --config <name>` runs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ..errors import OptionError
from ..models.cotracker.network.config import CoTrackerConfig

TrainingStageKind = Literal["pairs", "tracks"]
STAGE_KINDS = ("pairs", "tracks")


@dataclass(frozen=True)
class TrainingStage:
    """One part of a run.

    Args:
        name: shown in the curves
        kind: "pairs" trains the encoder to match far-apart frames, "tracks" the
            whole model on clips
        share: of the run's time, or of its steps
        learning_rate: at the end of the warm-up
        final_rate: share of it that the cosine ends at
        warmup: share of the stage in which the rate rises
        batch: clips per step and process
        frames: per clip; a window and a whole number of half windows more
        size: (height, width) of training frames, multiples of 8 times the stride
        points: tracks per clip
        iterations: refinements per window
        frozen: parameters whose names start like this stay as they are
        contrastive: weight of the contrastive loss beside the track loss
        motion: (start, end) amount of motion, risen linearly over the first half; 1 = full
    """

    name: str
    kind: TrainingStageKind
    share: float
    learning_rate: float
    batch: int
    size: tuple[int, int]
    points: int
    frames: int = 2
    final_rate: float = 0.05
    warmup: float = 0.05
    iterations: int = 4
    frozen: tuple[str, ...] = ()
    contrastive: float = 0.0
    motion: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        if self.kind not in STAGE_KINDS:
            raise OptionError(f"Invalid stage kind ({self.kind!r}). Supported values are {', '.join(STAGE_KINDS)}")
        for name in ("share", "learning_rate", "batch", "points", "iterations"):
            if getattr(self, name) <= 0:
                raise OptionError(
                    f"Invalid {name} of stage {self.name!r} ({getattr(self, name)}). Expected more than 0"
                )


@dataclass(frozen=True)
class TrainingConfig:
    """Everything a run depends on besides its budget and the machine.

    Args:
        name: by which `--config` and checkpoints name it
        model: sizes of the model; its `resolution` is that of inference
        stages: one after the other
        seed: of weights and data
        weight_decay, betas, epsilon: of AdamW
        clip: largest norm of the gradients
        ema: decay of the averaged weights, once warmed up
        gamma: weight of each iteration over that of the next
        visible_weight, hidden_weight: of the track loss
        max_skipped: steps in a row with gradients that are no numbers before the run ends
        synthetic: options of `SyntheticConfig`
        validation_clips: fixed synthetic clips the curve is measured on
        validation_every: share of the run between two measurements
    """

    name: str
    model: CoTrackerConfig
    stages: tuple[TrainingStage, ...]
    seed: int = 1
    weight_decay: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.98)
    epsilon: float = 1e-8
    clip: float = 1.0
    ema: float = 0.998
    gamma: float = 0.8
    visible_weight: float = 0.05
    hidden_weight: float = 0.01
    max_skipped: int = 20
    synthetic: Mapping[str, Any] = field(default_factory=dict)
    validation_clips: int = 12
    validation_every: float = 0.05

    def __post_init__(self) -> None:
        window = self.model.window
        for stage in self.stages:
            grain = 2 ** (self.model.levels - 1) * self.model.stride
            if any(side % self.model.stride or side < grain for side in stage.size):
                raise OptionError(
                    f"Invalid size {stage.size} of stage {stage.name!r}. Expected multiples of {self.model.stride}, "
                    f"at least {grain}"
                )
            rest = stage.frames - window
            if stage.kind == "tracks" and (rest < 0 or rest % (window // 2)):
                raise OptionError(
                    f"Invalid frames ({stage.frames}) of stage {stage.name!r}. Expected the window ({window}) and any "
                    f"number of half windows more"
                )

    def to_dict(self) -> dict[str, Any]:
        """All values as JSON."""
        return asdict(self)


_SMALL_MODEL = CoTrackerConfig(
    mode="online",
    window=8,
    resolution=(256, 384),
    motion_resolution=(256, 384),
    encoder_widths=(24, 32, 48, 64),
    feature_dim=64,
    levels=4,
    radius=2,
    corr_hidden=128,
    corr_dim=64,
    width=96,
    heads=4,
    depth=2,
    mlp_ratio=2,
    virtual_tokens=16,
    iterations=3,
    guided=True,
)

# coarse levels see something only in larger frames
_LARGE = TrainingStage(
    "large",
    "tracks",
    share=0.34,
    learning_rate=3.5e-4,
    final_rate=0.02,
    warmup=0.02,
    batch=1,
    frames=12,
    size=(160, 224),
    points=64,
    iterations=3,
    motion=(1.0, 1.3),
    contrastive=0.1,
)

# 1.2 M parameters, for one CPU core and about four and a half hours
SMALL = TrainingConfig(
    name="small",
    model=_SMALL_MODEL,
    stages=(
        TrainingStage(
            "pairs",
            "pairs",
            share=0.22,
            learning_rate=2e-3,
            batch=6,
            size=(96, 128),
            points=160,
            frozen=("corr_mlp.",),
        ),
        TrainingStage(
            "offsets",
            "pairs",
            share=0.04,
            learning_rate=1e-3,
            final_rate=0.3,
            batch=6,
            size=(96, 128),
            points=160,
        ),
        TrainingStage(
            "frozen",
            "tracks",
            share=0.12,
            learning_rate=1e-3,
            final_rate=0.8,
            batch=3,
            frames=8,
            size=(96, 128),
            points=48,
            iterations=3,
            frozen=("fnet.",),
            motion=(0.5, 1.0),
        ),
        TrainingStage(
            "joint",
            "tracks",
            share=0.28,
            learning_rate=8e-4,
            final_rate=0.4,
            warmup=0.02,
            batch=2,
            frames=12,
            size=(96, 128),
            points=48,
            iterations=3,
            contrastive=0.1,
        ),
        _LARGE,
        # more windows in a row: what one leaves behind the next has to live with
        replace(_LARGE, name="long", share=0.85, learning_rate=5e-4, frames=16, motion=(1.0, 1.2)),
        replace(_LARGE, name="larger", share=0.85, learning_rate=4e-4, frames=16, size=(192, 256), motion=(1.0, 1.2)),
    ),
)


def _gpu_stages(pair_batch: int, clip_batch: int, window: int) -> tuple[TrainingStage, ...]:
    """Stages for one GPU of 80 GB: two windows per clip, the last stage three."""
    size, points = (192, 256), 192
    clip_frames = window + window // 2
    return (
        TrainingStage(
            "pairs",
            "pairs",
            share=0.12,
            learning_rate=2e-3,
            batch=pair_batch,
            size=size,
            points=256,
            frozen=("corr_mlp.",),
        ),
        TrainingStage(
            "offsets",
            "pairs",
            share=0.04,
            learning_rate=1e-3,
            final_rate=0.3,
            batch=pair_batch,
            size=size,
            points=256,
        ),
        TrainingStage(
            "frozen",
            "tracks",
            share=0.1,
            learning_rate=1e-3,
            final_rate=0.8,
            batch=clip_batch,
            frames=window,
            size=size,
            points=points,
            frozen=("fnet.",),
            motion=(0.5, 1.0),
        ),
        TrainingStage(
            "joint",
            "tracks",
            share=0.56,
            learning_rate=1e-3,
            final_rate=0.2,
            warmup=0.02,
            batch=clip_batch,
            frames=clip_frames,
            size=size,
            points=points,
            contrastive=0.2,
        ),
        TrainingStage(
            "large",
            "tracks",
            share=0.18,
            learning_rate=3e-4,
            final_rate=0.02,
            warmup=0.02,
            batch=clip_batch // 3,
            frames=2 * window,
            size=(256, 384),
            points=256,
            contrastive=0.2,
        ),
    )


# the model of SMALL, for a GPU
SMALL_GPU = replace(
    SMALL, name="small-gpu", stages=_gpu_stages(pair_batch=96, clip_batch=24, window=8), ema=0.999, validation_every=0.1
)

_BASE_MODEL = replace(
    _SMALL_MODEL,
    window=12,
    encoder_widths=(48, 64, 96, 128),
    feature_dim=128,
    radius=3,
    corr_hidden=256,
    corr_dim=128,
    width=160,
    heads=5,
    depth=3,
    virtual_tokens=32,
    iterations=4,
)

# 5.1 M parameters, for a GPU
BASE = TrainingConfig(
    name="base",
    model=_BASE_MODEL,
    stages=_gpu_stages(pair_batch=64, clip_batch=15, window=12),
    ema=0.999,
    validation_every=0.1,
)

# for tests, and to see a run from start to end: seconds on a CPU
TINY = TrainingConfig(
    name="tiny",
    model=replace(
        _SMALL_MODEL,
        window=4,
        resolution=(64, 64),
        motion_resolution=(64, 64),
        encoder_widths=(8, 8, 8, 8),
        feature_dim=8,
        levels=2,
        corr_hidden=16,
        corr_dim=8,
        width=16,
        heads=2,
        depth=1,
        virtual_tokens=4,
        iterations=2,
    ),
    stages=(
        TrainingStage("pairs", "pairs", share=0.3, learning_rate=2e-3, batch=2, size=(32, 32), points=16),
        TrainingStage(
            "frozen",
            "tracks",
            share=0.3,
            learning_rate=1e-3,
            batch=1,
            frames=6,
            size=(32, 32),
            points=8,
            iterations=2,
            frozen=("fnet.",),
        ),
        TrainingStage(
            "joint",
            "tracks",
            share=0.4,
            learning_rate=1e-3,
            batch=1,
            frames=6,
            size=(32, 32),
            points=8,
            iterations=2,
            contrastive=0.1,
        ),
    ),
    max_skipped=3,
    synthetic={"texture_count": 8, "texture_size": 64, "max_layers": 2, "num_points": 16},
    validation_clips=1,
    validation_every=0.3,
)

CONFIGS: dict[str, TrainingConfig] = {config.name: config for config in (SMALL, SMALL_GPU, BASE, TINY)}


def find_config(name: str) -> TrainingConfig:
    """A committed configuration by name.

    Raises:
        OptionError: if there is none of that name
    """
    if name not in CONFIGS:
        raise OptionError(f"Unknown training configuration ({name!r}). Supported values are {', '.join(CONFIGS)}")
    return CONFIGS[name]
