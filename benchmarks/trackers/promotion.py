"""When a tracker may become the default: the rule, as a function of measured figures.

On every kind of clip its delta_avg and its AJ are above those of the tracker to
beat, `optical-flow` (on static RGB-D scenes, where that is nearly perfect, not more
than one point below); on clips with masks it stays on the object and declares enough of
it visible; and points that left the frame are not reported as visible: at most
one position in twenty, or as many as that one reports where that is more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# kinds of clips on which a tracker may lie this many percent points below the default
ALLOWED_LOSS_PERCENT = {"rgbd_reprojection_dense": 1.0}
MIN_ON_OBJECT_PERCENT = 90.0
MIN_MASK_VISIBLE_PERCENT = 60.0
# a point within a pixel of the border is easily taken for one inside
MAX_VISIBLE_OUTSIDE_PERCENT = 5.0


@dataclass(frozen=True)
class KindFigures:
    """What was measured on one kind of clip; percent, None where the kind does not tell.

    Args:
        delta_avg: TAP-Vid's, None for clips with masks only
        average_jaccard: TAP-Vid's, likewise
        on_object: share of positions declared visible that lie on the object's mask
        share_visible: share of positions declared visible
        visible_outside: share of positions outside the frame that are reported as visible
    """

    delta_avg: float | None = None
    average_jaccard: float | None = None
    on_object: float | None = None
    share_visible: float | None = None
    visible_outside: float | None = None


@dataclass(frozen=True)
class PromotionDecision:
    """Whether a tracker may become the default.

    Args:
        promoted: whether it may
        reasons: what it fails, in words; empty where it is promoted
    """

    promoted: bool
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return "may become the default" if self.promoted else "stays experimental: " + "; ".join(self.reasons)


def decide_promotion(candidate: Mapping[str, KindFigures], default: Mapping[str, KindFigures]) -> PromotionDecision:
    """Applies the rule of promotion.

    Args:
        candidate: kind of clip -> figures of the tracker that wants to be the default
        default: the same of the tracker to beat, measured in the same way

    Returns:
        the decision; a kind that was not measured for both counts as failed
    """
    reasons = [
        f"{kind}: measured for {'the default' if kind in default else 'the candidate'} only"
        for kind in sorted(set(candidate) ^ set(default))
    ]
    for kind in sorted(set(candidate) & set(default)):
        reasons += [f"{kind}: {reason}" for reason in _against(candidate[kind], default[kind], kind)]
        reasons += [f"{kind}: {reason}" for reason in _on_masks(candidate[kind], default[kind])]
        reasons += [f"{kind}: {reason}" for reason in _outside(candidate[kind], default[kind])]
    if not candidate:
        reasons.append("nothing was measured")
    return PromotionDecision(promoted=not reasons, reasons=tuple(reasons))


def _against(candidate: KindFigures, default: KindFigures, kind: str) -> list[str]:
    loss = ALLOWED_LOSS_PERCENT.get(kind)
    reasons = []
    for name, label in (("delta_avg", "delta_avg"), ("average_jaccard", "AJ")):
        own, other = getattr(candidate, name), getattr(default, name)
        if other is None and own is None:
            continue
        if own is None or other is None or np.isnan(own) or np.isnan(other):
            reasons.append(f"{label} was not measured for both")
        elif loss is None and own <= other:
            reasons.append(f"{label} {own:.1f} does not beat {other:.1f}")
        elif loss is not None and own < other - loss:
            reasons.append(f"{label} {own:.1f} is more than {loss:g} below {other:.1f}")
    return reasons


def _on_masks(figures: KindFigures, default: KindFigures) -> list[str]:
    if figures.on_object is None:
        return [] if default.on_object is None else ["on the object was not measured for both"]
    reasons = []
    if not figures.on_object >= MIN_ON_OBJECT_PERCENT:
        reasons.append(f"{figures.on_object:.1f} % on the object, at least {MIN_ON_OBJECT_PERCENT:g} are needed")
    visible = figures.share_visible
    if visible is None or not visible >= MIN_MASK_VISIBLE_PERCENT:
        found = "unknown" if visible is None else f"{visible:.1f} %"
        reasons.append(f"declared visible: {found}, at least {MIN_MASK_VISIBLE_PERCENT:g} are needed")
    return reasons


def _outside(candidate: KindFigures, default: KindFigures) -> list[str]:
    allowed = MAX_VISIBLE_OUTSIDE_PERCENT
    if default.visible_outside is not None and default.visible_outside > allowed:
        allowed = default.visible_outside
    found = candidate.visible_outside
    if found is None or np.isnan(found):
        known = default.visible_outside is not None and not np.isnan(default.visible_outside)
        return ["points outside the frame were not measured for both"] if known else []
    if found <= allowed:
        return []
    return [f"{found:.1f} % of positions outside the frame are reported visible, at most {allowed:.1f} are allowed"]
