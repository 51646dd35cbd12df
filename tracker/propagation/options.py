"""How shapes are carried. Constants: chosen on synthetic clips by `benchmarks/curation/propagation.py --synthetic`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import OptionError
from ..flags import check_flags
from ..queries.inside import MAX_POINTS_PER_OBJECT

Direction = Literal["both", "forward", "backward"]
DIRECTIONS: tuple[str, ...] = get_args(Direction)


@dataclass(frozen=True)
class PropagationOptions:
    """How shapes are carried through a clip.

    Args:
        direction: "forward" writes nothing before the first keyframe and follows points from the keyframe before;
            "backward" nothing after the last, from the keyframe after; "both" does all, and blends
        keep_lost: beyond a last keyframe, keep the last shape where the points are lost, `occluded` and with falling
            confidence, instead of ending there
        points_per_object: about how many points are tracked for one shape, at least 1

    Raises:
        OptionError: if a value is outside what is supported
    """

    direction: Direction = "both"
    keep_lost: bool = False
    points_per_object: int = 144

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise OptionError(f"Invalid direction ({self.direction!r}). Supported values are {', '.join(DIRECTIONS)}")
        check_flags(self, "keep_lost")
        count = self.points_per_object
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_POINTS_PER_OBJECT:
            raise OptionError(
                f"Invalid points_per_object ({count!r}). Supported are whole numbers from 1 to {MAX_POINTS_PER_OBJECT}"
            )


@dataclass(frozen=True)
class Rules:
    """Constants of the method.

    Args:
        least_points: fewer visible points than this do not tell where a box or mask is
        least_share: nor does a smaller share of those the keyframe began with
        own_deviation: a point belongs to the object if at the other keyframe it lies at its place in the box, up to
            this share of the box's sides
        astray: a point of a line that is farther than this share of its diagonal from where most of its points went
            lies on something else
        distance_power: weight of a direction falls with this power of the distance from its keyframe
        trust_power: and grows with this power of its agreement with the other keyframe
        unknown_trust: agreement of a direction that does not reach the other keyframe
        lost_weight: least weight for what is seen, also where too few points are: there a path goes straight
        straight_weight: weight of the straight way between the keyframes; that of a trusted direction is 1
        disagreement_weight: it grows by this where the two directions do not overlap at all, by less where they do
        size_weight: how much of a box's change of size, beyond the straight one, is taken from the points
    """

    least_points: int = 8
    least_share: float = 0.2
    own_deviation: float = 0.3
    astray: float = 0.3
    distance_power: float = 1.0
    trust_power: float = 2.0
    unknown_trust: float = 0.3
    lost_weight: float = 0.1
    straight_weight: float = 0.01
    disagreement_weight: float = 0.3
    size_weight: float = 0.75
