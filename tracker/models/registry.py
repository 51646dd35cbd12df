"""Which trackers there are: name, terms of use, and how each is loaded.

Adding a tracker
1. Put its code in a module (or folder) of its own beside this file, with a
   subclass of `base.Tracker`.
2. Add a `TrackerInfo` (see `tracker_info`) to `_TRACKERS`; `loader` is "module:callable" relative to
   this package, imported only when the tracker is loaded. Files to download are
   declared beside its code, without torch (see `alltracker/published.py`), and
   found by the loader with `published_weights.store.weights_path`.
   Give the family its place in the contract "families of trackers" (pyproject.toml).
3. Write the zoo's list anew:
   `python -m point_tracking.workflows.model_zoo.source > manifest.json`.
4. Add its name to the parametrised tests of `tests/tracker/models/test_contract.py`
   (with downloaded weights: a shallow checkpoint in `shallow.py` beside it),
   run `benchmarks/trackers/accuracy.py`, and write its row in the README and its
   section in docs/trackers.md, with a row for each file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from ..errors import UnknownTrackerError
from .adapted import Lineage, check_adapted_name, find_adapted, list_adapted
from .alltracker.published import PUBLISHED as ALLTRACKER_FILES
from .base import Tracker, check_option_names
from .cotracker.weights.published import PUBLISHED as COTRACKER_FILES
from .locotrack.published import PUBLISHED as LOCOTRACK_FILES
from .published_weights.checksums import judge_weights
from .published_weights.store import fetch_weights, find_weights, has_consent
from .tapir.published import PUBLISHED as TAPIR_FILES
from .tracker_info import MANY_FRAMES, ONE_FRAME, TrackerInfo, published

DEFAULT_TRACKER = "pt-fused"


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
            name="pt-fused-2",
            summary="experimental: pt-fused that finds lost points again anywhere, but hides more of what bends",
            code_license="Apache-2.0",
            weights_license="Apache-2.0",
            commercial_use=True,
            weights_from="ships with the package",
            loader=".pt_fused_2.tracker:Fused2Tracker",
            options=".pt_fused_2.options:Fused2Options",
            requirements=("opencv-python-headless", "torch", "safetensors"),
            tags=("cpu", "joint", "streaming", "long-video", "no-download", "experimental"),
            adaptable=False,
        ),
        TrackerInfo(
            name="cotracker3-offline",
            summary="sees the whole clip at once: by its authors' figures the best through occlusions",
            **published(COTRACKER_FILES["cotracker3-offline"]),
            loader=".cotracker.tracker:load_cotracker3_offline",
            options=".cotracker.options:CoTrackerOptions",
            tags=("gpu", "joint", "occlusion"),
        ),
        TrackerInfo(
            name="cotracker3-online",
            summary="for long videos and live streams: windows of 16 frames, memory independent of the length",
            **published(COTRACKER_FILES["cotracker3-online"]),
            loader=".cotracker.tracker:load_cotracker3_online",
            options=".cotracker.options:CoTrackerOptions",
            tags=("gpu", "joint", "streaming", "long-video"),
        ),
        TrackerInfo(
            name="cotracker2",
            summary="the older CoTracker, windows of 8 frames; for comparison with results made with it",
            **published(COTRACKER_FILES["cotracker2"]),
            loader=".cotracker.tracker:load_cotracker2",
            options=".cotracker.options:CoTrackerOptions",
            tags=("gpu", "joint", "streaming", "long-video"),
            adaptable=False,
        ),
        TrackerInfo(
            name="alltracker",
            summary="every point of a frame at once: for grids and masks, by its authors' figures the most accurate",
            **published(ALLTRACKER_FILES["alltracker"]),
            loader=".alltracker.tracker:load_alltracker",
            options=".alltracker.options:AllTrackerOptions",
            tags=("gpu", "dense", "occlusion"),
            pass_per_query_frame=True,
            recommended_for=(ONE_FRAME,),
            adaptable=False,
        ),
        TrackerInfo(
            name="alltracker-tiny",
            summary="alltracker with a smaller encoder: a file of 25 MB, half the encoder's work",
            **published(ALLTRACKER_FILES["alltracker-tiny"]),
            loader=".alltracker.tracker:load_alltracker_tiny",
            options=".alltracker.options:AllTrackerOptions",
            tags=("gpu", "dense"),
            pass_per_query_frame=True,
            adaptable=False,
        ),
        TrackerInfo(
            name="bootstapir",
            summary="any point of any frame in one pass: for points that are given in many frames",
            **published(TAPIR_FILES["bootstapir"]),
            loader=".tapir.tracker:load_bootstapir",
            options=".tapir.options:TapirOptions",
            same_tensors=("bootstapir-online",),
            tags=("gpu", "occlusion"),
            recommended_for=(MANY_FRAMES,),
            adaptable=False,
        ),
        TrackerInfo(
            name="bootstapir-online",
            summary="bootstapir for live streams: frame by frame, memory independent of the length",
            **published(TAPIR_FILES["bootstapir-online"]),
            loader=".tapir.tracker:load_bootstapir_online",
            options=".tapir.options:TapirOptions",
            same_tensors=("bootstapir",),
            tags=("gpu", "streaming", "long-video"),
            adaptable=False,
        ),
        TrackerInfo(
            name="tapir",
            summary="what bootstapir grew from, trained on synthetic video alone; half the work, less accurate",
            **published(TAPIR_FILES["tapir"]),
            loader=".tapir.tracker:load_tapir",
            options=".tapir.options:TapirOptions",
            tags=("gpu", "occlusion"),
            adaptable=False,
        ),
        TrackerInfo(
            name="locotrack-base",
            summary="compares whole surroundings of points; light, and any query frames in one pass",
            **published(LOCOTRACK_FILES["locotrack-base"]),
            loader=".locotrack.tracker:load_locotrack_base",
            options=".locotrack.options:LocoTrackOptions",
            tags=("gpu", "occlusion"),
            adaptable=False,
        ),
        TrackerInfo(
            name="locotrack-small",
            summary="locotrack-base with a smaller network: faster, somewhat less accurate",
            **published(LOCOTRACK_FILES["locotrack-small"]),
            loader=".locotrack.tracker:load_locotrack_small",
            options=".locotrack.options:LocoTrackOptions",
            tags=("gpu", "occlusion"),
            adaptable=False,
        ),
    )
}


def list_trackers(*, commercial: bool | None = None, ready: bool | None = None) -> list[str]:
    """The names of trackers, the default first, those adapted on this machine last.

    Args:
        commercial: True = only those whose terms are known to allow commercial use, False = only the others, None = all
        ready: True = only those that need no download any more, False = only the others, None = all
    """
    names = shipped_trackers() + [name for name in list_adapted() if name not in _TRACKERS]
    if commercial is not None:
        names = [name for name in names if (tracker_info(name).commercial_use is True) == commercial]
    if ready is not None:
        names = [name for name in names if weights_are_here(tracker_info(name)) == ready]
    return names


def tracker_table(*, commercial: bool | None = None, ready: bool | None = None) -> str:
    """The trackers as a table in markdown: what each is good for, its terms, and where its weights are.

    Args:
        commercial, ready: as of `list_trackers`

    Returns:
        a row for each; its last column is "none needed", "in the package", "file here", "to download" (their terms were
        accepted on this machine) or "ask" (they have yet to be: `accept_license=True`)
    """
    rows = [("tracker", "good for", "terms", "weights"), ("---",) * 4]
    for name in list_trackers(commercial=commercial, ready=ready):
        info = tracker_info(name)
        if info.files:
            state = weights_state(info)
            weights = "file here" if state == "here" else f"{state} ({info.size_mb:g} MB)"
        else:
            weights = "none needed" if info.weights_license is None else "in the package"
            weights = "file here" if info.adapted else weights
        rows.append((name, info.summary, info.terms, weights))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


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
        lineage = find_adapted(name)
        info = None if lineage is None else _adapted_info(name, lineage)
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
        LicenseError, WeightsError: if its weights are not here, and may not or cannot be fetched
        CheckpointError: if a file holds other weights, or was damaged since it was downloaded
    """
    info = tracker_info(name)
    check_tracker_options(name, options)
    factory = _import(info.loader)
    if info.adapted:
        return factory(name=name, **options)
    tracker: Tracker = factory(**options)
    if info.files:
        tracker.warnings = tuple(_judge(info, options))
    return tracker


def _judge(info: TrackerInfo, options: Mapping[str, Any]) -> list[str]:
    """What is doubtful about the file that a tracker was loaded from."""
    checkpoint = options.get("checkpoint")
    path = find_weights(info.files[0]) if checkpoint is None else Path(checkpoint).expanduser()
    published = {other.name: other.files[0] for other in _TRACKERS.values() if other.files}
    if path is None:
        return []
    return judge_weights(path, info.name, published, same_tensors=info.same_tensors, flavour=options.get("flavour"))


def weights_are_here(info: TrackerInfo) -> bool:
    """Whether a tracker can be loaded without a download."""
    return all(find_weights(file) is not None for file in info.files)


def weights_state(info: TrackerInfo) -> Literal["here", "to download", "ask"]:
    """Where a tracker's weights are: here, to be downloaded under terms that were accepted, or only once they are."""
    if weights_are_here(info):
        return "here"
    return "ask" if needs_consent(info) else "to download"


def needs_consent(info: TrackerInfo) -> bool:
    """Whether the terms of weights that have yet to be downloaded must be accepted first."""
    return any(find_weights(file) is None and not has_consent(file) for file in info.files)


def fetch_tracker_weights(info: TrackerInfo, *, accept_license: bool = False) -> list[Path]:
    """The local files of a tracker's published weights, downloaded where they are not there yet.

    Args:
        info: the tracker, as `tracker_info` gives it
        accept_license: the terms are accepted; remembered beside the weights

    Returns:
        one path for each of `info.files`

    Raises:
        LicenseError: if the terms were never accepted
        WeightsError: if a download fails or its content is damaged
        DependencyError: if huggingface_hub is not installed
        OptionError: if `accept_license` is neither True nor False
    """
    return [fetch_weights(file, tracker=info.name, accept_license=accept_license) for file in info.files]


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
    check_option_names(name, options, _import(place), besides=besides)


def _import(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module, package=__package__), attribute)


def _adapted_info(name: str, lineage: Lineage) -> TrackerInfo:
    teachers = ", ".join(teacher.name for teacher in lineage.teachers)
    return TrackerInfo(
        name=name,
        summary=f"{lineage.start.name}, adapted on own videos; learnt from {teachers}",
        code_license="Apache-2.0",
        weights_license=lineage.license,
        commercial_use=lineage.commercial_use,
        weights_from="adapted on this machine",
        loader=".adapted:load_adapted",
        requirements=("torch", "safetensors"),
        tags=("adapted",),
        adapted=True,
    )
