"""`python -m point_tracking.tracker.training`: trains a committed configuration."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import PointTrackingError
from ..models.shared.memory import is_out_of_memory
from .configs import CONFIGS, find_config
from .fitting.processes import Processes
from .fitting.train import RunOptions, Trainer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="point_tracking.tracker.training", description="Trains a tracker.")
    parser.add_argument("--config", default="small", help=f"one of {', '.join(CONFIGS)}")
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints and curves")
    parser.add_argument("--minutes", type=float, help="budget of the whole run")
    parser.add_argument("--steps", type=int, help="budget in steps instead; such a run is repeatable")
    parser.add_argument("--stop-after", type=float, help="minutes after which this call ends, to be resumed")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out, if there is one")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    parser.add_argument("--precision", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--compact", action="store_true", help="smaller checkpoints; resuming is not quite exact")
    parser.add_argument("--checkpoint-steps", type=int, help="steps between checkpoints instead of two minutes")
    parser.add_argument("--no-validation", action="store_true")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 0 = complete, 3 = stopped to be resumed, 2 = an error was told."""
    given = _parser().parse_args(arguments)
    processes = None
    try:
        processes = Processes.start(given.device)
        options = RunOptions(
            out=given.out,
            minutes=given.minutes,
            steps=given.steps,
            stop_after=given.stop_after,
            resume=given.resume,
            precision=given.precision,
            compact=given.compact,
            checkpoint_steps=given.checkpoint_steps,
            validate=not given.no_validation,
        )
        trainer = Trainer(find_config(given.config), options, processes=processes, report=_tell)
        complete = trainer.run()
    except PointTrackingError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        print(
            f"OutOfMemoryError: memory ran out ({reason}). End what else uses it, or lower the batch of the stages of "
            f"{given.config!r} (tracker/training/configs.py), then resume from the last checkpoint",
            file=sys.stderr,
        )
        return 2
    finally:
        if processes is not None:
            processes.stop()
    return 0 if complete else 3


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
