"""What a rendering run is told, checked before anything is read or made.

The defaults of the SDK, the operator's form and the documentation are the defaults of `RenderOptions`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...store.database.fields import FRAMES_PREFIX, check_sample_field_name
from ...tracker.errors import OptionError
from ...tracker.rendering.options import MAX_TAIL, TRAIL_DEFAULTS, TrailOptions
from ...tracker.rendering.output import ANIMATION_FPS, VIDEO, WRITERS, check_sound
from ..lifecycle.options import FormInput, RunOptions, option
from ..output_files.folders import absolute_folder, file_name
from ..output_files.side_by_side import check_num_workers

_COLORINGS = {
    "track": "By track: each its own",
    "label": "By label",
    "object": "By object",
    "speed": "By speed: blue at rest, red at its fastest",
}
_BACKGROUNDS = {"video": "In its colours", "grey": "In grey, so that trails stand out"}
SUFFIXES = dict(
    zip(
        WRITERS,
        (
            "Videos (.mp4)",
            "Pictures of the middle frame (.png)",
            f"Animated pictures (.gif): at most {ANIMATION_FPS:g} frames per second, large files",
            f"Animated pictures (.webp): at most {ANIMATION_FPS:g} frames per second, small files",
        ),
        strict=True,
    )
)


@dataclass(frozen=True)
class RenderOptions(RunOptions):
    """The options of `render_dataset`; see there for what each means.

    Raises:
        OptionError: for a value that is not supported
        FieldError: for a media field with a bad name
    """

    METHOD = "point_tracking_rendering"

    label_field: str = "tracks"
    output_dir: str | os.PathLike[str] | None = None
    suffix: str = VIDEO
    tail: int = option(
        TRAIL_DEFAULTS.tail,
        form=FormInput("Length of the trails (frames)", f"From 0, points alone, to {MAX_TAIL}", section="look"),
    )
    color_by: str = option(TRAIL_DEFAULTS.color_by, form=FormInput("Colours", choices=_COLORINGS, section="look"))
    show_hidden: bool = option(
        TRAIL_DEFAULTS.show_hidden,
        form=FormInput(
            "Show hidden points",
            "As rings, where their position is known: only in tracks made with 'Keep hidden points'",
            section="look",
        ),
    )
    background: str = option(
        TRAIL_DEFAULTS.background, form=FormInput("The video", choices=_BACKGROUNDS, section="look")
    )
    longest_side: int | None = TRAIL_DEFAULTS.longest_side
    keep_audio: bool = TRAIL_DEFAULTS.keep_audio
    compare_field: str | None = None
    media_field: str | None = None
    overwrite: bool = False
    skip_existing: bool = False
    num_workers: int | None = option(None, not_recorded="it changes the speed and not the files")
    run_key: str | None = option(None, not_recorded="it is the record's own name")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("label_field", "compare_field"):
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, value.removeprefix(FRAMES_PREFIX))
            elif value is not None or name == "label_field":
                raise OptionError(f"Invalid {name} ({value!r}). Expected the name of a frame field")
        check_fields_differ(self.fields)
        self.trails  # noqa: B018 - refuses what it does not support
        self.folder  # noqa: B018 - refuses what is no path
        if not isinstance(self.suffix, str) or self.suffix not in WRITERS:
            raise OptionError(f"Invalid suffix ({self.suffix!r}). Supported values are {', '.join(WRITERS)}")
        check_sound(self.suffix, self.trails)
        if self.overwrite and self.skip_existing:
            raise OptionError("overwrite and skip_existing exclude each other. Set one of them")
        if self.media_field is not None:
            check_sample_field_name(self.media_field, "media field")
            if self.suffix != VIDEO:
                raise OptionError(
                    f"A media field of videos cannot hold {self.suffix} files. Leave media_field out, or take {VIDEO}"
                )
        check_num_workers(self.num_workers)

    @property
    def fields(self) -> list[str]:
        """The fields to draw, side by side."""
        return [name for name in (self.label_field, self.compare_field) if name is not None]

    @property
    def trails(self) -> TrailOptions:
        """What trails look like and what a file holds."""
        return TrailOptions(
            self.tail, self.color_by, self.show_hidden, self.background, self.longest_side, self.keep_audio
        )

    @property
    def folder(self) -> Path | None:
        """The output folder, absolute; None where files go beside their videos."""
        return None if self.output_dir is None else absolute_folder(self.output_dir)

    def file_of(self, sample_id: str, filepath: str) -> Path:
        """The file that is made of a sample.

        Args:
            sample_id: of the sample
            filepath: of its video
        """
        folder = self.folder or Path(os.path.abspath(filepath)).parent
        return folder / file_name(filepath, f"{self.label_field}-{sample_id}", self.suffix)

    @property
    def base_key(self) -> str:
        return f"render_{self.label_field}"

    def recorded(self, name: str) -> Any:
        if name == "output_dir" and self.folder is not None:
            return str(self.folder)
        return super().recorded(name)


def check_fields_differ(fields: list[str]) -> None:
    """Refuses to draw a field beside itself.

    Args:
        fields: names of frame fields

    Raises:
        OptionError: if two are the same
    """
    if len(set(fields)) < len(fields):
        raise OptionError(f"The field {fields[0]!r} is not drawn beside itself. Name another field, or leave it out")


RENDER_DEFAULTS = RenderOptions()
