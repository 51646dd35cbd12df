"""What a propagation is told, checked before anything is read.

The defaults of the SDK, the operator's form and the documentation are the defaults of `PropagateOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...store.database.fields import FRAMES_PREFIX, check_label_name
from ...tracker.errors import OptionError
from ...tracker.models.base import Tracker
from ...tracker.models.registry import check_tracker_options, tracker_info
from ...tracker.propagation import PropagationOptions
from ...tracker.propagation.options import Direction
from ..lifecycle.options import RunOptions, option

# boxes are carried by it as well as by the default tracker, in a third of the time (docs/propagation.md)
_TRACKER = "optical-flow"

DIRECTION_LABELS = {
    "both": "Forwards and backwards",
    "forward": "Forwards only",
    "backward": "Backwards only",
}


@dataclass(frozen=True)
class PropagateOptions(RunOptions):
    """The options of `propagate_labels`; see there for what each means.

    Raises:
        OptionError: for a value that is not supported
        FieldError: for a field with a bad name
        UnknownTrackerError: for an unknown tracker
    """

    METHOD = "point_tracking_propagation"
    AGAIN = "another run key"

    field: str = ""
    output_field: str | None = None
    tracker: str | Tracker = _TRACKER
    tracker_options: Mapping[str, Any] | None = None
    direction: Direction = "both"
    frames: tuple[int, int] | None = None
    classes: Sequence[str] | None = None
    keep_lost: bool = False
    points_per_object: int = PropagationOptions.points_per_object
    overwrite_unmarked: bool = False
    run_key: str | None = option(None, not_recorded="it is the record's own name")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("field", "output_field"):
            value = getattr(self, name)
            if name == "output_field" and value is None:
                continue
            bare = value.removeprefix(FRAMES_PREFIX) if isinstance(value, str) else value
            object.__setattr__(self, name, check_label_name(bare))
        self.carrying  # noqa: B018 - refuses what it does not support
        self._check_tracker()
        self._check_frames()
        self._check_classes()

    @property
    def base_key(self) -> str:
        return f"propagate_{self.target_field}"

    def to_record(self) -> dict[str, Any]:
        return {**super().to_record(), "target_field": self.target_field}

    @property
    def target_field(self) -> str:
        """The field that is written."""
        return self.output_field or self.field

    @property
    def in_place(self) -> bool:
        """Whether labels are filled in beside their prompts."""
        return self.target_field == self.field

    @property
    def carrying(self) -> PropagationOptions:
        """How shapes are carried."""
        return PropagationOptions(self.direction, self.keep_lost, self.points_per_object)

    @property
    def made_with(self) -> dict[str, Any]:
        """What the labels of a stretch depend on besides its keyframes."""
        record = self.to_record()
        names = ("tracker", "tracker_options", "direction", "keep_lost", "points_per_object")
        return {name: record[name] for name in names}

    def _check_tracker(self) -> None:
        if isinstance(self.tracker, Tracker):
            if self.tracker_options:
                raise OptionError("tracker_options go with a tracker's name")
            return
        tracker_info(self.tracker)
        if self.tracker_options is not None:
            check_tracker_options(self.tracker, self.tracker_options)

    def _check_frames(self) -> None:
        frames = self.frames
        if frames is None:
            return
        wrong = OptionError(
            f"Invalid frames ({frames!r}). Expected the numbers of the first and the last frame to fill, such as "
            "(1, 90); the first frame of a video is 1"
        )
        if not isinstance(frames, Sequence) or isinstance(frames, str) or len(frames) != 2:
            raise wrong
        if any(isinstance(number, bool) or not isinstance(number, int) for number in frames):
            raise wrong
        first, last = frames
        if not 1 <= first <= last:
            raise wrong
        object.__setattr__(self, "frames", (first, last))

    def _check_classes(self) -> None:
        classes = self.classes
        if classes is None:
            return
        several = isinstance(classes, Sequence) and not isinstance(classes, str)
        if not several or not classes or not all(isinstance(name, str) for name in classes):
            raise OptionError(f"Invalid classes ({classes!r}). Expected a list of labels, ['person'] or so; None = all")
        object.__setattr__(self, "classes", tuple(classes))
