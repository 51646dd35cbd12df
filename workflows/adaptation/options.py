"""What an adaptation is told, checked before anything is read or loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...tracker.errors import OptionError
from ...tracker.models.base import Tracker
from ...tracker.models.registry import check_new_name, list_trackers, tracker_info
from ...tracker.training.adapting.options import AdaptationOptions
from ..lifecycle.options import RunOptions, option

DEFAULT_STUDENT = "pt-small"
_TRAINING = AdaptationOptions()


@dataclass(frozen=True)
class AdaptOptions(RunOptions):
    """The options of `adapt_tracker`; see there for what each means.

    Raises:
        OptionError: for a value that is not supported
        UnknownTrackerError: for an unknown tracker
    """

    METHOD = "point_tracking_adaptation"

    name: str
    tracker: str | Tracker = DEFAULT_STUDENT
    tracker_options: Mapping[str, Any] | None = None
    teachers: Sequence[str | Tracker] | None = None
    own_start: bool = True
    minutes: float | None = None
    steps: int | None = None
    held_out: float = _TRAINING.held_out
    seed: int = _TRAINING.seed
    learning_rate: float = _TRAINING.learning_rate
    points: int = _TRAINING.points
    batch: int = _TRAINING.batch
    ema: bool = _TRAINING.ema
    device: str = "auto"
    overwrite: bool = False
    run_key: str | None = option(None, not_recorded="it is the record's own name")
    training: AdaptationOptions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_new_name(self.name, overwrite=self.overwrite)
        self._check_student()
        self._check_teachers()
        passed = ("minutes", "steps", "held_out", "seed", "learning_rate", "points", "batch", "ema", "overwrite")
        object.__setattr__(self, "training", AdaptationOptions(**{name: getattr(self, name) for name in passed}))
        if not isinstance(self.device, str):
            raise OptionError(f"Invalid device ({self.device!r}). Supported values are auto, cpu, cuda")

    def _check_student(self) -> None:
        if self.tracker_options is not None and not isinstance(self.tracker_options, Mapping):
            raise OptionError(f"Invalid tracker_options ({self.tracker_options!r}). Expected a dict")
        if isinstance(self.tracker, Tracker):
            if self.tracker_options:
                raise OptionError("tracker_options go with a tracker's name; this tracker is loaded already")
        elif not tracker_info(self.tracker).adaptable:
            raise OptionError(
                f"The tracker {self.tracker!r} cannot be adapted. Supported are {', '.join(adaptable_trackers())}"
            )

    def _check_teachers(self) -> None:
        teachers = self.teachers
        if isinstance(teachers, str) or not (teachers is None or isinstance(teachers, Sequence)):
            raise OptionError(f"Invalid teachers ({teachers!r}). Expected a list of names or loaded trackers")
        object.__setattr__(self, "teachers", tuple(teachers or ()))
        for teacher in teachers or ():
            if not isinstance(teacher, Tracker):
                tracker_info(teacher)
        if not teachers and not self.own_start:
            raise OptionError("There is no teacher. Name one, or let the student's own start be one (own_start=True)")

    @property
    def tracker_name(self) -> str:
        return self.tracker if isinstance(self.tracker, str) else self.tracker.name

    @property
    def teacher_names(self) -> list[str]:
        """All teachers, the student's own start first where it is one."""
        named = [teacher if isinstance(teacher, str) else teacher.name for teacher in self.teachers or ()]
        return list(dict.fromkeys([self.tracker_name, *named] if self.own_start else named))

    @property
    def base_key(self) -> str:
        return "adapt_" + self.name.replace("-", "_")

    def recorded(self, name: str) -> Any:
        if name == "teachers":
            return self.teacher_names
        return super().recorded(name)

    def to_record(self) -> dict[str, Any]:
        """As of `RunOptions`, with the budget in full."""
        return {**super().to_record(), **self.training.budget}


def adaptable_trackers() -> list[str]:
    """The names of trackers that can be adapted."""
    return [name for name in list_trackers() if tracker_info(name).adaptable]
