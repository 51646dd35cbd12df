"""What a correction is told, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...store.database.fields import FRAMES_PREFIX, check_label_name
from ...tracker.errors import OptionError
from ...tracker.models.base import Tracker
from ...tracker.models.registry import check_tracker_options, tracker_info
from ..lifecycle.options import RunOptions, option


@dataclass(frozen=True)
class CorrectOptions(RunOptions):
    """The options of `correct_tracks`; see there for what each means.

    Raises:
        OptionError: for a value that is not supported
        FieldError: for a field with a bad name
        UnknownTrackerError: for an unknown tracker
    """

    METHOD = "point_tracking_correction"
    AGAIN = "another run key"

    label_field: str = "tracks"
    corrections: Sequence[Sequence[float]] = ()
    retrack: bool = True
    tracker: str | Tracker | None = None
    tracker_options: Mapping[str, Any] | None = None
    run_key: str | None = option(None, not_recorded="it is the record's own name")

    def __post_init__(self) -> None:
        super().__post_init__()
        bare = self.label_field.removeprefix(FRAMES_PREFIX) if isinstance(self.label_field, str) else self.label_field
        object.__setattr__(self, "label_field", check_label_name(bare))
        if self.tracker_options is not None and not isinstance(self.tracker, str):
            raise OptionError("tracker_options go with a tracker's name")
        if isinstance(self.tracker, str):
            tracker_info(self.tracker)
            if self.tracker_options is not None:
                check_tracker_options(self.tracker, self.tracker_options)

    @property
    def base_key(self) -> str:
        return f"correct_{self.label_field}"
