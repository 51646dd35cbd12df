"""A training run: stages, steps, checkpoints, curves.

The run is a function of its configuration, its budget in steps and the number
of processes: killed and resumed it ends with the same weights (bit for bit on a
CPU). With a budget in minutes the learning rate follows the clock instead.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import OptionError, OutputError, ResumeError, TrainingDivergedError
from ...models.cotracker.network.model import CoTracker3
from ..configs import TrainingConfig, TrainingStage
from ..data.batches import BatchSource, SyntheticSource
from ..steps.losses import LossWeights
from ..steps.pairs import OffsetReader, pair_losses
from ..steps.unroll import clip_loss
from .checkpoint import compacted, has_checkpoint, load_checkpoint, save_checkpoint
from .curves import STEP_COLUMNS, VALIDATION_COLUMNS, CurveFile, draw_curves
from .processes import Processes
from .schedule import Progress, Schedule, learning_rate
from .validation import ValidationClips, validation_frames

CHECKPOINT_FOLDER = "checkpoint"
_SHARPNESS_RATE = 8.0  # of the offset reader, over that of the model
_EMA_WARMUP = 20
_SEED_STRIDE = 1_000_003  # between processes


@dataclass(frozen=True)
class RunOptions:
    """How long a run goes on, and what it leaves behind.

    Args:
        out: folder of checkpoints and curves
        minutes: budget of the whole run, resumed parts included
        steps: budget in steps instead
        stop_after: minutes after which this call ends with a checkpoint, to be resumed
        resume: go on from the folder's checkpoint, where there is one
        precision: "bfloat16" or "float32", of matrix products
        checkpoint_seconds: between checkpoints
        checkpoint_steps: between checkpoints, instead
        log_steps: steps per row of the curve
        compact: keep the optimiser's moments in bfloat16; smaller, resumes almost exactly
        validate: measure the validation curve

    Raises:
        OptionError: for values outside what is supported
    """

    out: Path
    minutes: float | None = None
    steps: int | None = None
    stop_after: float | None = None
    resume: bool = False
    precision: str = "bfloat16"
    checkpoint_seconds: float = 120.0
    checkpoint_steps: int | None = None
    log_steps: int = 20
    compact: bool = False
    validate: bool = True

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise OptionError("A run needs a budget: either minutes or steps")
        for name in ("minutes", "steps", "stop_after", "checkpoint_steps", "log_steps"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):  # refuses NaN too
                raise OptionError(f"Invalid {name} ({value}). Expected a number above 0")
        if self.precision not in ("bfloat16", "float32"):
            raise OptionError(f"Invalid precision ({self.precision!r}). Supported values are bfloat16, float32")


class Trainer:
    """Trains a model by a configuration.

    Args:
        config: what to train, and how
        options: budget and folder
        processes: this process and its fellows; None = alone on the CPU
        source: where batches come from; None = synthetic clips
        model: to go on training; None = fresh weights
        report: called with a line of text now and then

    Raises:
        OptionError, ResumeError, OutputError: before anything is trained
    """

    def __init__(
        self,
        config: TrainingConfig,
        options: RunOptions,
        *,
        processes: Processes | None = None,
        source: BatchSource | None = None,
        model: CoTracker3 | None = None,
        report: Callable[[str], None] = print,
    ) -> None:
        self.config = config
        self.options = options
        self.processes = processes or Processes(0, 1, torch.device("cpu"))
        self.progress = Progress()
        self._schedule = Schedule(config.stages, options.minutes, options.steps)
        self._report = report
        device = self.processes.device
        torch.manual_seed(config.seed)
        self.model = (model or CoTracker3(config.model)).to(device).train()
        self.reader = OffsetReader(config.model).to(device)
        self.ema = copy.deepcopy(self.model).requires_grad_(False)
        self._optimizer = torch.optim.AdamW(
            [
                {"params": [*self.model.parameters(), *self.reader.linear.parameters()], "factor": 1.0},
                {"params": [self.reader.log_sharpness], "factor": _SHARPNESS_RATE, "weight_decay": 0.0},
            ],
            lr=0.0,
            betas=config.betas,
            eps=config.epsilon,
            weight_decay=config.weight_decay,
        )
        seed = config.seed + _SEED_STRIDE * self.processes.rank
        self._generator = torch.Generator().manual_seed(seed)
        self.source = source or SyntheticSource(dict(config.synthetic), device=device, seed=seed)
        self._validation = ValidationClips(config.synthetic, config.validation_clips, validation_frames(config))
        self._classical: float | None = None
        self._recent: list[dict[str, Tensor]] = []
        self._make_out()
        self._steps = CurveFile(options.out / "steps.csv", STEP_COLUMNS)
        self._validations = CurveFile(options.out / "validation.csv", VALIDATION_COLUMNS)
        self._start_or_resume()

    # -- the run

    def run(self) -> bool:
        """Trains until the budget, or this call's time, is spent.

        Returns:
            whether the run is complete

        Raises:
            TrainingDivergedError: if gradients are no numbers many times in a row
            OutputError: if a checkpoint or curve cannot be written
        """
        if self._validation_wanted and self.processes.leads:
            self._classical = self._validation.classical_delta_avg()
        started = last = checkpointed = time.monotonic()
        while (stage := self._schedule.stage(self.progress)) is not None:
            self._set_frozen(stage)
            self._step(stage)
            now = self.processes.agree(time.monotonic()) if self.options.minutes else time.monotonic()
            self.progress.seconds += now - last
            self.progress.stage_seconds += now - last
            last = now
            self._schedule.advance(self.progress)
            if self.progress.step % self.options.log_steps == 0:
                self._log(stage)
            if self._schedule.share_done(self.progress) >= self.progress.validated + self.config.validation_every:
                self._validate(stage)
            if self._checkpoint_due(now - checkpointed):
                self._save()
                checkpointed = time.monotonic()
            limit = self.options.stop_after
            if limit is not None and self.processes.agree(time.monotonic() - started) >= 60 * limit:
                break
        complete = self._schedule.stage(self.progress) is None
        if complete and self.progress.validated < 1:
            self._validate(self.config.stages[-1])
        self._save()
        if self.processes.leads:
            draw_curves(self._steps, self._validations, self.options.out / "curves.png")
        return complete

    # -- a step

    def _set_frozen(self, stage: TrainingStage) -> None:
        for name, parameter in self.model.named_parameters():
            unused = stage.kind == "pairs" and not name.startswith(("fnet.", "corr_mlp."))
            parameter.requires_grad_(not unused and not name.startswith(stage.frozen))

    def _step(self, stage: TrainingStage) -> None:
        share = self._schedule.stage_share(self.progress)
        rate = learning_rate(stage, share)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        batch, sound = self.source.next(stage, share).to(self.processes.device).repaired()
        autocast = torch.autocast(
            self.processes.device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16"
        )
        with autocast:
            loss, parts = self._loss(stage, batch)
        if not sound:
            loss = loss * float("nan")  # skipped below, in all processes alike
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.processes.average_gradients(self._trained())
        norm = nn.utils.clip_grad_norm_(self._trained(), self.config.clip)
        if bool(torch.isfinite(norm)):
            self._optimizer.step()
            self._average_weights()
            self.progress.skipped_in_a_row = 0
            self._recent.append({**parts, "loss": loss.detach(), "gradient_norm": norm})
        else:
            self._skip()
        self.progress.step += 1
        self.progress.stage_step += 1
        self.progress.clips += stage.batch * self.processes.count

    def _loss(self, stage: TrainingStage, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        if stage.kind == "pairs":
            losses = pair_losses(self.model, self.reader, batch, self._generator)
            return losses.total, {name: value.detach() for name, value in vars(losses).items()}
        config = self.config
        weights = LossWeights(config.gamma, config.visible_weight, config.hidden_weight)
        result = clip_loss(
            self.model,
            batch,
            weights,
            iterations=stage.iterations,
            train_encoder=not any("fnet.".startswith(prefix) for prefix in stage.frozen),
            contrastive=stage.contrastive,
        )
        return result.total, result.parts

    def _trained(self) -> list[Tensor]:
        parameters = [*self.model.parameters(), *self.reader.parameters()]
        return [parameter for parameter in parameters if parameter.grad is not None]

    def _average_weights(self) -> None:
        decay = min(self.config.ema, (self.progress.step + 1) / (self.progress.step + _EMA_WARMUP))
        with torch.no_grad():
            for averaged, parameter in zip(self.ema.parameters(), self.model.parameters(), strict=True):
                averaged.lerp_(parameter, 1 - decay)

    def _skip(self) -> None:
        self.progress.skipped += 1
        self.progress.skipped_in_a_row += 1
        if self.progress.skipped_in_a_row >= self.config.max_skipped:
            raise TrainingDivergedError(
                f"The gradients of {self.progress.skipped_in_a_row} steps in a row were no numbers, up to step "
                f"{self.progress.step}. Resume from the last checkpoint with precision float32, or lower the "
                f"learning rate of the stage"
            )

    # -- what is written

    def _log(self, stage: TrainingStage) -> None:
        if not self._recent:
            return
        names = {name for row in self._recent for name in row}
        means = {
            name: float(torch.stack([row[name].float() for row in self._recent if name in row]).mean())
            for name in names
        }
        self._recent = []
        if not self.processes.leads:
            return
        progress = self.progress
        counters = {
            "step": progress.step,
            "stage": stage.name,
            "seconds": progress.seconds,
            "clips": progress.clips,
            "learning_rate": self._optimizer.param_groups[0]["lr"],
            "skipped": progress.skipped,
        }
        self._steps.append({**counters, **means})
        shown = ", ".join(f"{name} {means[name]:.3f}" for name in STEP_COLUMNS if name in means)
        self._report(f"{progress.seconds / 60:6.1f} min  step {progress.step}  {stage.name}: {shown}")

    @property
    def _validation_wanted(self) -> bool:
        return self.options.validate and self.config.validation_clips > 0

    def _validate(self, stage: TrainingStage) -> None:
        share = self._schedule.share_done(self.progress)
        self.progress.validated = share
        if not self._validation_wanted or not self.processes.leads or stage.kind == "pairs":
            return
        started = time.monotonic()
        scores = self._validation.score_model(self.ema, self.config.model.iterations)
        row = {
            "step": self.progress.step,
            "stage": stage.name,
            "seconds": self.progress.seconds,
            "clips": self.progress.clips,
            "delta_avg": scores.delta_avg,
            "jaccard": scores.average_jaccard,
            "occlusion": scores.occlusion_accuracy,
            "classical_delta_avg": self._classical,
        }
        self._validations.append(row)
        against = "" if self._classical is None else f" (optical-flow {self._classical:.3f})"
        self._report(
            f"{self.progress.seconds / 60:6.1f} min  step {self.progress.step}  validation: delta_avg "
            f"{scores.delta_avg:.3f}{against}, AJ {scores.average_jaccard:.3f}, OA {scores.occlusion_accuracy:.3f}, "
            f"{time.monotonic() - started:.0f} s"
        )
        draw_curves(self._steps, self._validations, self.options.out / "curves.png")

    def _checkpoint_due(self, seconds: float) -> bool:
        if self.options.checkpoint_steps is not None:
            return self.progress.step % self.options.checkpoint_steps == 0
        return self.processes.agree(float(seconds >= self.options.checkpoint_seconds)) > 0

    def _make_out(self) -> None:
        try:
            self.options.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The output folder {self.options.out} cannot be made: {error.strerror or error}"
            ) from error

    @property
    def _checkpoint_folder(self) -> Path:
        return self.options.out / CHECKPOINT_FOLDER

    def _save(self) -> None:
        sources = self.processes.gather({"source": self.source.state_dict(), "generator": self._generator.get_state()})
        if not self.processes.leads:
            return
        optimizer = self._optimizer.state_dict()
        if self.options.compact:
            optimizer["state"] = {key: compacted(value) for key, value in optimizer["state"].items()}
        save_checkpoint(
            self._checkpoint_folder,
            {
                "config": self.config.to_dict(),
                "budget": {"minutes": self.options.minutes, "steps": self.options.steps},
                "progress": dict(vars(self.progress)),
                "model": self.model.state_dict(),
                "ema": self.ema.state_dict(),
                "reader": self.reader.state_dict(),
                "optimizer": optimizer,
                "processes": sources,
                "random": torch.get_rng_state(),
            },
        )

    def _start_or_resume(self) -> None:
        folder = self._checkpoint_folder
        if not self.options.resume or not has_checkpoint(folder):
            if has_checkpoint(folder):
                raise ResumeError(f"{folder} holds a checkpoint already. Resume it, or choose another folder")
            if self.processes.leads:
                self._steps.start(0)
                self._validations.start(0)
            return
        state = load_checkpoint(folder)
        try:
            self._restore(state)
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise ResumeError(f"The checkpoint in {folder} does not fit this run: {error}") from error
        if self.processes.leads:
            self._steps.start(self.progress.step)
            self._validations.start(self.progress.step)

    def _restore(self, state: dict[str, Any]) -> None:
        if _plain(state["config"]["model"]) != _plain(self.config.to_dict()["model"]):
            raise ResumeError(
                f"The checkpoint in {self._checkpoint_folder} is of another model than the configuration "
                f"{self.config.name!r}"
            )
        if _plain(state["config"]) != _plain(self.config.to_dict()):
            self._report("the configuration has changed since the checkpoint; the run goes on with the new one")
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.reader.load_state_dict(state["reader"])
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        self.progress = Progress(**state["progress"])
        # under another configuration the same place can be another share of the run
        self.progress.validated = min(self.progress.validated, self._schedule.share_done(self.progress))
        if self._schedule.stage(self.progress) is None:
            self._report("the run is complete already; a longer one needs a folder of its own")
        if len(state["processes"]) == self.processes.count:
            mine = state["processes"][self.processes.rank]
            self.source.load_state_dict(mine["source"])
            self._generator.set_state(mine["generator"])
        else:
            self._report("the number of processes has changed: the clips to come are others")


def _plain(value: Any) -> Any:
    """Containers as JSON has them, to compare what was stored."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
