"""The sizes of a CoTracker model; one class serves the published and smaller ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from ....errors import OptionError

ONLINE_WINDOW = 16
OFFLINE_WINDOW = 60


@dataclass(frozen=True)
class CoTrackerConfig:
    """The sizes of one model. The defaults are those of the published CoTracker3.

    Args:
        version: 3, or 2 for the older architecture
        mode: "offline" sees the whole clip at once, "online" windows of `window` frames
        window: frames of the time embedding, and of a window in "online" mode
        resolution: (height, width) of the model's frame, multiples of `stride`
        stride: pixels of the model's frame per feature pixel
        encoder_widths: channels of the four stages of the feature CNN
        feature_dim: channels of a feature
        levels: of the feature pyramid
        radius: of a correlation neighbourhood; it has (2 radius + 1) ** 2 positions
        corr_hidden: width of the hidden layer of the correlation MLP
        corr_dim: what that MLP hands on per level
        width: of a token in the transformer
        heads: of its attention
        depth: pairs of time and space blocks
        mlp_ratio: hidden width of a block's MLP over `width`
        virtual_tokens: tokens through which points exchange information
        motion_frequencies: of the positional code of motion (CoTracker3)
        iterations: refinements the predictor runs
        motion_resolution: (height, width) of the frame that motion is told in
            shares of; None = `resolution`. With one of its own, a model means the
            same by a motion at any resolution
        guided: windows start where optical flow carries points (`guidance`),
            instead of standing still; CoTracker3 in "online" mode only

    Raises:
        OptionError: if sizes do not fit each other
    """

    version: Literal[2, 3] = 3
    mode: Literal["offline", "online"] = "offline"
    window: int = OFFLINE_WINDOW
    resolution: tuple[int, int] = (384, 512)
    stride: int = 4
    encoder_widths: tuple[int, int, int, int] = (64, 96, 128, 128)
    feature_dim: int = 128
    levels: int = 4
    radius: int = 3
    corr_hidden: int = 384
    corr_dim: int = 256
    width: int = 384
    heads: int = 8
    depth: int = 3
    mlp_ratio: int = 4
    virtual_tokens: int = 64
    motion_frequencies: int = 10
    iterations: int = 6
    motion_resolution: tuple[int, int] | None = None
    guided: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "resolution", tuple(self.resolution))
        object.__setattr__(self, "encoder_widths", tuple(self.encoder_widths))
        if self.motion_resolution is not None:
            object.__setattr__(self, "motion_resolution", tuple(self.motion_resolution))
        for item in fields(self):
            value = getattr(self, item.name)
            numbers = value if isinstance(value, tuple) else (value,) if item.type == "int" else ()
            if any(isinstance(number, bool) or not isinstance(number, int) or number < 1 for number in numbers):
                raise OptionError(f"Invalid {item.name} ({value!r}). Expected whole numbers of at least 1")
        if self.version not in (2, 3) or self.mode not in ("offline", "online"):
            raise OptionError(f"Invalid model ({self.version}, {self.mode!r}). Supported are 2 or 3, offline or online")
        if self.width % self.heads:
            raise OptionError(f"Invalid width ({self.width}). It must be a multiple of the {self.heads} heads")
        if any(side % self.stride for side in self.resolution):
            raise OptionError(f"Invalid resolution {self.resolution}. Both sides must be multiples of {self.stride}")
        if min(self.grid_size) < 2 ** (self.levels - 1):
            raise OptionError(
                f"Invalid resolution {self.resolution}. {self.levels} levels of stride {self.stride} need at least "
                f"{self.stride * 2 ** (self.levels - 1)} pixels"
            )
        if self.mode == "online" and self.window % 2:
            raise OptionError(f"Invalid window ({self.window}). Windows overlap by half: it must be even")
        if self.guided and (self.version, self.mode) != (3, "online"):
            raise OptionError("Only windows of CoTracker3 can be guided: version 3, mode 'online'")
        if self.version == 2 and self.mode == "offline":
            raise OptionError("CoTracker2 works in windows: its mode is 'online'")
        if self.version == 2 and self.token_dim % 4:
            raise OptionError(
                f"Invalid sizes: tokens of CoTracker2 would have {self.token_dim} entries. Choose feature_dim, levels "
                "and radius such that they are a multiple of 4"
            )

    @property
    def grid_size(self) -> tuple[int, int]:
        """(height, width) of a feature map."""
        height, width = self.resolution
        return height // self.stride, width // self.stride

    @property
    def motion_grid_size(self) -> tuple[int, int]:
        """(height, width) in feature pixels that motion is told in shares of."""
        height, width = self.motion_resolution or self.resolution
        return height // self.stride, width // self.stride

    @property
    def neighbourhood(self) -> int:
        """Positions of a correlation neighbourhood."""
        return (2 * self.radius + 1) ** 2

    @property
    def motion_dim(self) -> int:
        """Entries of the code of a point's motion to the next and previous frame."""
        return 4 * (1 + 2 * self.motion_frequencies)

    @property
    def token_dim(self) -> int:
        """Entries of a token before the transformer's input layer."""
        if self.version == 2:
            return 2 + self.feature_dim + self.levels * self.neighbourhood + self.feature_dim + 2
        return 2 + self.levels * self.corr_dim + self.motion_dim

    @property
    def step(self) -> int:
        """Frames by which windows advance."""
        return self.window // 2

    def to_dict(self) -> dict[str, Any]:
        """The sizes as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, sizes: dict[str, Any]) -> CoTrackerConfig:
        """The inverse of `to_dict`.

        Raises:
            OptionError: if a size is unknown or does not fit
        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(str(name) for name in set(sizes) - known)
        if unknown:
            raise OptionError(f"Unknown model sizes {', '.join(unknown)}. Supported are {', '.join(sorted(known))}")
        return cls(**sizes)


COTRACKER3_OFFLINE = CoTrackerConfig()
COTRACKER3_ONLINE = replace(COTRACKER3_OFFLINE, mode="online", window=ONLINE_WINDOW)
COTRACKER2 = CoTrackerConfig(version=2, mode="online", window=8, depth=6)
COTRACKER2_1 = replace(COTRACKER2, window=16)
