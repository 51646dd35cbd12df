"""Which trackers there are: name, terms of use, and how each is loaded.

Adding a tracker
1. Put its code in a module (or folder) of its own beside this file, with a
   subclass of `base.Tracker`.
2. Add a `TrackerInfo` to `_TRACKERS`; `loader` is "module:callable" relative to
   this package, imported only when the tracker is loaded.
3. Write the zoo's list anew:
   `python -m point_tracking.workflows.model_zoo.source > manifest.json`.
4. Add its name to the parametrised tests of `tests/tracker/models/test_contract.py`,
   run `benchmarks/accuracy.py`, and write its row in the README.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any

from ..errors import OptionError, UnknownTrackerError
from .adapted import Provenance, check_adapted_name, find_adapted, list_adapted
from .base import Tracker

DEFAULT_TRACKER = "pt-fused"


@dataclass(frozen=True)
class TrackerInfo:
    """What a user needs to know before choosing a tracker.

    Args:
        name: as passed to `load_tracker`
        summary: one line: what it is good for
        code_license: SPDX name of the code's licence
        weights_license: SPDX name, or None for a tracker without weights
        commercial_use: whether code and weights allow it
        weights_from: where the weights come from, in words
        loader: "module:callable", relative to this package
        options: "module:dataclass" of what the loader takes; None where that depends on more than the name
        needs_gpu: whether it is slow without one
        requirements: distributions it imports beyond numpy
        size_mb: what has to be downloaded, or None
        tags: words to find it by
        adaptable: whether `adapt_tracker` can train it further
        adapted: a user trained it further on own videos
    """

    name: str
    summary: str
    code_license: str
    weights_license: str | None
    commercial_use: bool
    weights_from: str
    loader: str
    options: str | None = None
    needs_gpu: bool = False
    requirements: tuple[str, ...] = ()
    size_mb: float | None = None
    tags: tuple[str, ...] = field(default_factory=tuple)
    adaptable: bool = True
    adapted: bool = False

    @property
    def terms(self) -> str:
        """The licence of code and weights in one line, for forms and tables."""
        use = "commercial use allowed" if self.commercial_use else "NON-COMMERCIAL use only"
        weights = f"weights {self.weights_license}" if self.weights_license else "no weights"
        return f"code {self.code_license}, {weights}: {use}"


_TRACKERS: dict[str, TrackerInfo] = {
    info.name: info
    for info in (
        TrackerInfo(
            name="optical-flow",
            summary="classical dense optical flow (OpenCV DIS): the fastest, runs anywhere, needs no download",
            code_license="Apache-2.0",
            weights_license=None,
            commercial_use=True,
            weights_from="needs none",
            loader=".optical_flow:OpticalFlowTracker",
            options=".optical_flow:OpticalFlowOptions",
            requirements=("opencv-python-headless",),
            tags=("cpu", "classical", "no-download"),
            adaptable=False,
        ),
        TrackerInfo(
            name="pt-small",
            summary="experimental: a small learned tracker for CPUs, trained here on synthetic video; no download",
            code_license="Apache-2.0",
            weights_license="Apache-2.0",
            commercial_use=True,
            weights_from="ships with the package",
            loader=".pt_small.tracker:load_pt_small",
            options=".pt_small.options:ShippedOptions",
            requirements=("torch", "safetensors"),
            tags=("cpu", "joint", "streaming", "long-video", "no-download", "experimental"),
        ),
        TrackerInfo(
            name="pt-fused",
            summary="optical-flow and pt-small check each other: more accurate than either, slower than flow",
            code_license="Apache-2.0",
            weights_license="Apache-2.0",
            commercial_use=True,
            weights_from="ships with the package",
            loader=".pt_fused.tracker:FusedTracker",
            options=".pt_fused.tracker:FusedOptions",
            requirements=("opencv-python-headless", "torch", "safetensors"),
            tags=("cpu", "joint", "no-download"),
            adaptable=False,
        ),
        TrackerInfo(
            name="cotracker3-offline",
            summary="the most accurate here; sees the whole clip at once, so it tracks through occlusions",
            code_license="Apache-2.0",
            weights_license="CC-BY-NC-4.0",
            commercial_use=False,
            weights_from="huggingface.co/facebook/cotracker3, scaled_offline.pth",
            loader=".cotracker.tracker:load_cotracker3_offline",
            options=".cotracker.options:CoTrackerOptions",
            needs_gpu=True,
            requirements=("torch", "safetensors", "huggingface_hub"),
            size_mb=102,
            tags=("gpu", "joint", "occlusion"),
        ),
        TrackerInfo(
            name="cotracker3-online",
            summary="for long videos and live streams: windows of 16 frames, memory independent of the length",
            code_license="Apache-2.0",
            weights_license="CC-BY-NC-4.0",
            commercial_use=False,
            weights_from="huggingface.co/facebook/cotracker3, scaled_online.pth",
            loader=".cotracker.tracker:load_cotracker3_online",
            options=".cotracker.options:CoTrackerOptions",
            needs_gpu=True,
            requirements=("torch", "safetensors", "huggingface_hub"),
            size_mb=102,
            tags=("gpu", "joint", "streaming", "long-video"),
        ),
        TrackerInfo(
            name="cotracker2",
            summary="the older CoTracker, windows of 8 frames; for comparison with results made with it",
            code_license="Apache-2.0",
            weights_license="CC-BY-NC-4.0",
            commercial_use=False,
            weights_from="huggingface.co/facebook/cotracker, cotracker2.pth",
            loader=".cotracker.tracker:load_cotracker2",
            options=".cotracker.options:CoTrackerOptions",
            needs_gpu=True,
            requirements=("torch", "safetensors", "huggingface_hub"),
            size_mb=204,
            tags=("gpu", "joint", "streaming", "long-video"),
            adaptable=False,
        ),
        TrackerInfo(
            name="alltracker",
            summary="every point of a frame at once: the strongest for grids and masks; needs its file of weights",
            code_license="Apache-2.0",
            weights_license="MIT",
            commercial_use=True,
            weights_from="huggingface.co/aharley/alltracker, alltracker.pth, given as checkpoint",
            loader=".alltracker.tracker:load_alltracker",
            options=".alltracker.options:AllTrackerOptions",
            needs_gpu=True,
            requirements=("torch", "safetensors"),
            tags=("gpu", "dense", "occlusion"),
            adaptable=False,
        ),
        TrackerInfo(
            name="alltracker-tiny",
            summary="alltracker with a smaller encoder: somewhat faster, somewhat less accurate",
            code_license="Apache-2.0",
            weights_license="MIT",
            commercial_use=True,
            weights_from="huggingface.co/aharley/alltracker, alltracker_tiny.pth, given as checkpoint",
            loader=".alltracker.tracker:load_alltracker_tiny",
            options=".alltracker.options:AllTrackerOptions",
            needs_gpu=True,
            requirements=("torch", "safetensors"),
            tags=("gpu", "dense"),
            adaptable=False,
        ),
    )
}


def list_trackers() -> list[str]:
    """The names of all trackers, the default first, those adapted on this machine last."""
    return shipped_trackers() + [name for name in list_adapted() if name not in _TRACKERS]


def shipped_trackers() -> list[str]:
    """The names of the trackers of this package, the default first."""
    return sorted(_TRACKERS, key=lambda name: (name != DEFAULT_TRACKER, name))


def check_new_name(name: object, *, overwrite: bool = False) -> str:
    """Refuses a name that an adapted tracker must not have; see `adapted.check_adapted_name`."""
    return check_adapted_name(name, _TRACKERS, overwrite=overwrite)


def tracker_info(name: str) -> TrackerInfo:
    """What is known about one tracker, without loading it.

    Raises:
        UnknownTrackerError: if there is no tracker of that name
    """
    info = _TRACKERS.get(name) if isinstance(name, str) else None
    if info is None and isinstance(name, str):
        provenance = find_adapted(name)
        info = None if provenance is None else _adapted_info(name, provenance)
    if info is None:
        raise UnknownTrackerError(f"Unknown tracker ({name!r}). Supported values are {', '.join(list_trackers())}")
    return info


def load_tracker(name: str, **options: Any) -> Tracker:
    """Loads a tracker by name.

    Args:
        name: one of `list_trackers()`
        options: what that tracker takes; see its class

    Returns:
        the tracker, ready for `track`

    Raises:
        UnknownTrackerError: if there is no tracker of that name
        OptionError: if an option is unknown or has an unsupported value
    """
    info = tracker_info(name)
    check_tracker_options(name, options)
    factory = _import(info.loader)
    if info.adapted:
        options["name"] = name
    try:
        return factory(**options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise OptionError(f"Invalid option for the tracker {name!r}: {error}") from error


def check_tracker_options(name: str, options: Iterable[str], *, besides: Iterable[str] = ()) -> None:
    """Refuses names of options that a tracker does not take.

    Args:
        name: one of `list_trackers()`
        options: the names
        besides: what else may be given in the same place, for the message

    Raises:
        UnknownTrackerError: if there is no tracker of that name
        OptionError: listing what is supported
    """
    place = tracker_info(name).options
    if place is None:
        return
    known = [spec.name for spec in fields(_import(place))]
    unknown = sorted(set(options) - set(known))
    if unknown:
        message = f"Invalid option for the tracker {name!r} ({unknown[0]!r}). Supported values are {', '.join(known)}"
        others = ", ".join(besides)
        raise OptionError(f"{message}; besides these, {others}" if others else message)


def _import(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module, package=__package__), attribute)


def _adapted_info(name: str, provenance: Provenance) -> TrackerInfo:
    teachers = ", ".join(teacher.name for teacher in provenance.teachers)
    return TrackerInfo(
        name=name,
        summary=f"{provenance.start.name}, adapted on own videos; learnt from {teachers}",
        code_license="Apache-2.0",
        weights_license=provenance.license,
        commercial_use=provenance.commercial_use,
        weights_from="adapted on this machine",
        loader=".adapted:load_adapted",
        requirements=("torch", "safetensors"),
        tags=("adapted",),
        adapted=True,
    )
