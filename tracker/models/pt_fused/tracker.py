"""Two trackers that check each other: classical optical flow, and a learned tracker that ships here.

They fail differently: flow slips at occlusions and fast motion, the network is
less exact and unsure on what it never saw. Where both put a point in the same
place it is surely there. Where they differ, flow is believed unless the network
is sure. What only the network sees counts, but close to the frame's edge, where a
point that flow has lost has often left the frame, it must be seen surely.
`benchmarks/trackers/fusion_rule.py` shows what each of the numbers does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from ...coordinates import inside_frame
from ...errors import OptionError
from ...types import Queries, Tracks
from ...video.frames import FrameSource
from ..base import Capabilities, RunHooks, Tracker, capped_where_hidden
from ..shared.query_matching import REFERENCE_SIDE_PX, reference_distance

Learned = Literal["pt-small"]
LEARNED: tuple[str, ...] = get_args(Learned)

_FLOW_SHARE = 0.35  # of the time
# flow whose way back closes this surely is the more exact of both: the network's share of the place both have found
_EXACT_FLOW, _SHARE_BESIDE_EXACT, _SHARE = 0.98, 0.25, 0.5
_EDGE_ALONE = 0.9  # confidence from which the network alone is believed at the edge


@dataclass(frozen=True)
class FusedOptions:
    """How the fused tracker runs; the defaults are those of form, SDK and docs.

    Args:
        learned: the tracker beside optical flow: "pt-small"
        checkpoint: another file with weights of its size, such as one trained
            further on own videos; None = the weights that ship with the package
        device: of the learned tracker: "auto" (cuda, else mps, else cpu) or a torch device
        memory_limit_gb: GiB the learned tracker may use above its model; None = what is free
        agreement_px: distance up to which both have found the same place, in pixels of a
            256 x 256 frame
        sure: confidence of the learned tracker, from 0 to 1, above which it is
            believed where flow says otherwise
        alone: confidence from which it is believed where flow has lost the point
        edge_px: distance from the frame's edge, in pixels of a 256 x 256 frame, up to
            which it must be surer than that (0.9), wherever one of both puts the point there

    Raises:
        OptionError: if a value is outside what is supported
    """

    learned: Learned = "pt-small"
    checkpoint: str | None = None
    device: str = "auto"
    memory_limit_gb: float | None = None
    agreement_px: float = 4.0
    sure: float = 0.7
    alone: float = 0.6
    edge_px: float = 8.0

    def __post_init__(self) -> None:
        if self.learned not in LEARNED:
            raise OptionError(f"Invalid learned ({self.learned!r}). Supported values are {', '.join(LEARNED)}")
        for name, high in (("agreement_px", 64), ("sure", 1), ("alone", 1), ("edge_px", 64)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= high:
                raise OptionError(f"Invalid {name} ({value!r}). Supported are numbers from 0 to {high}")


class FusedTracker(Tracker):
    """Optical flow and a learned tracker, one after the other, and what both say together.

    Args:
        options: the fields of `FusedOptions`

    Raises:
        OptionError: if a value is outside what is supported
        CheckpointError: if the weights do not fit
    """

    name = "pt-fused"
    capabilities = Capabilities(joint=True, keeps_queries=True, hides_outside=True)

    def __init__(self, **options: Any) -> None:
        from ..optical_flow import OpticalFlowTracker
        from ..pt_small.tracker import load_pt_small

        self._options = given = FusedOptions(**options)
        self._flow = OpticalFlowTracker()
        self._learned = load_pt_small(
            checkpoint=given.checkpoint, device=given.device, memory_limit_gb=given.memory_limit_gb
        )

    @property
    def options(self) -> dict[str, Any]:
        return {**asdict(self._options), "device": self._learned.options["device"]}

    def first_reading(self, size_px: tuple[int, int], queries: Queries) -> tuple[int, tuple[int, int]] | None:
        return self._flow.first_reading(size_px, queries)

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        flow = self._flow.track(source, queries, backward, **_part(hooks, 0.0, _FLOW_SHARE))
        learned = self._learned.track(source, queries, backward, **_part(hooks, _FLOW_SHARE, 1.0))
        return fuse(flow, learned, source.size_px, self._options)


def fuse(flow: Tracks, learned: Tracks, size_px: tuple[int, int], options: FusedOptions) -> Tracks:
    """What two trackers say together.

    Args:
        flow: T frames and N points
        learned: the same points, by a tracker whose confidence tells how sure it is
        size_px: (width, height) of the frames
        options: how far to believe whom

    Returns:
        tracks with the learned tracker's `info`
    """
    with np.errstate(invalid="ignore"):  # positions may be unknown, and NaN is near nothing
        near = reference_distance(flow.xy, learned.xy, size_px) <= options.agreement_px
        inwards = np.minimum(_edge_distance(flow.xy, size_px), _edge_distance(learned.xy, size_px))
    agreed = flow.visible & near
    flows = flow.visible & ~near & ~(learned.confidence > options.sure)
    needed = np.where(inwards < options.edge_px, max(options.alone, _EDGE_ALONE), options.alone)
    learneds = learned.visible & ~agreed & ~flows & (flow.visible | (learned.confidence >= needed))

    share = np.where(flow.confidence >= _EXACT_FLOW, _SHARE_BESIDE_EXACT, _SHARE)[..., None]
    xy = np.where(agreed[..., None], (1 - share) * flow.xy + share * learned.xy, learned.xy)
    xy = np.where(flows[..., None], flow.xy, xy)
    visible = (agreed | flows | learneds) & inside_frame(xy, size_px)
    confidence = np.where(agreed, np.maximum(flow.confidence, learned.confidence), learned.confidence)
    confidence = np.where(flows, flow.confidence, confidence)
    return replace(learned, xy=xy, visible=visible, confidence=capped_where_hidden(confidence, visible))


def _edge_distance(xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Distances from the frame's nearest edge, negative outside, in pixels of the frame scaled to 256 x 256."""
    size = np.array(size_px)
    return (np.minimum(xy, size - 1 - xy) * (REFERENCE_SIDE_PX / size)).min(-1)


def _part(hooks: RunHooks, start: float, stop: float) -> dict[str, Any]:
    """The hooks of one of several parts of the work, as `Tracker.track` takes them."""
    return {"progress": lambda share: hooks.report(start + (stop - start) * share), "cancelled": hooks.cancelled}
