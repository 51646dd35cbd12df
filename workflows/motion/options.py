"""What a description of motion is told, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...store.database.fields import FRAMES_PREFIX, check_label_name
from ...tracker.errors import OptionError
from ...tracker.models.base import Tracker
from ...tracker.models.registry import check_tracker_options, tracker_info
from ...tracker.queries.grid import check_grid_size
from ..lifecycle.options import FormInput, RunOptions, option

# the part of the form that is there with tracks alone
OF_TRACKS = "tracks"


@dataclass(frozen=True)
class MotionOptions(RunOptions):
    """The options of `describe_motion`; see there for what each means.

    Raises:
        OptionError: for a value that is not supported
        FieldError: for a field with a bad name
        UnknownTrackerError: for an unknown tracker
    """

    METHOD = "point_tracking_motion"

    label_field: str | None = None
    texture: bool = option(
        True,
        form=FormInput(
            "Look for featureless ground",
            "Tell which tracks lie on sky, water or walls; reads the video",
            section=OF_TRACKS,
        ),
    )
    pictures: bool = option(
        True,
        form=FormInput(
            "Look at the pictures too",
            "Tell the camera right also where tracks lag behind; reads the video",
            section=OF_TRACKS,
        ),
    )
    groups: bool = option(
        True,
        form=FormInput(
            "Group points that move together", "Give keypoints the number of their group", section=OF_TRACKS
        ),
    )
    find_similar: bool = option(
        False,
        form=FormInput(
            "Sort by like motion", "Also make an index for sorting by similarity, and a map for the Embeddings panel"
        ),
    )
    cycle_consistency: bool = option(
        False,
        form=FormInput(
            "Follow tracks back",
            "Tell how far from their start they come: takes as long as tracking each video again",
            section=OF_TRACKS,
        ),
    )
    # motion of the whole picture needs no better one, and it is the fastest
    tracker: str | Tracker = "optical-flow"
    tracker_options: Mapping[str, Any] | None = None
    grid_size: int = 10
    overwrite: bool = option(
        False, form=FormInput("Describe all again", "Off: samples whose tracks did not change are left alone")
    )
    run_key: str | None = option(None, not_recorded="it is the record's own name")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_field is not None:
            bare = (
                self.label_field.removeprefix(FRAMES_PREFIX) if isinstance(self.label_field, str) else self.label_field
            )
            object.__setattr__(self, "label_field", check_label_name(bare))
        check_grid_size(self.grid_size)
        if self.grid_size < 4:
            raise OptionError(f"Invalid grid_size ({self.grid_size}). Motion needs a grid of at least 4 x 4 points")
        if isinstance(self.tracker, str):
            tracker_info(self.tracker)
        if self.tracker_options is not None:
            if not isinstance(self.tracker, str) or not isinstance(self.tracker_options, Mapping):
                raise OptionError("tracker_options are a dict, and go with a tracker's name")
            check_tracker_options(self.tracker, self.tracker_options)

    @property
    def motion_field(self) -> str:
        """The sample field with the figures."""
        return "motion" if self.label_field is None else f"{self.label_field}_motion"

    @property
    def events_field(self) -> str:
        """The sample field with the spans."""
        return f"{self.motion_field}_events"

    @property
    def vector_field(self) -> str:
        """The sample field with the vectors that like motion is found by."""
        return f"{self.motion_field}_vector"

    @property
    def reads_video(self) -> bool:
        """Whether the video is looked at beside tracks that are there."""
        return self.texture or self.pictures or self.cycle_consistency

    @property
    def base_key(self) -> str:
        return f"describe_{self.motion_field}"

    @property
    def tracker_name(self) -> str:
        return self.tracker if isinstance(self.tracker, str) else self.tracker.name

    @property
    def tracker_text(self) -> str:
        """The tracker and its options, to tell from others."""
        return f"{self.tracker_name} {sorted((self.tracker_options or {}).items())}"
