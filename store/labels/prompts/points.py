"""Points to track out of a field: labels of samples or frames, or a list of (t, x, y).

How points lie on one label's shape is said in `coverage`, which labels are of one object in `objects`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import fiftyone as fo
import numpy as np

from ....tracker.coordinates import clamped_to_frame
from ....tracker.errors import EmptyQueriesError, FieldError, MaskError, NoPromptError, OptionError
from ....tracker.queries import point_queries
from ....tracker.queries.inside import check_points_per_object
from ....tracker.types import Queries
from ...database.fields import FRAMES_PREFIX
from ...tracks.track_names import DEFAULT_LABEL, PromptLabel, TrackNames
from ..frame_labels import LIST_FIELDS, FieldValues, Labels
from ..objects import LabelledObject, ObjectLabel, attribute_of, objects_of
from ..skeletons import node_names
from .class_masks import with_classes_apart
from .coverage import BAD_MASK, EMPTY_MASK, NO_POSITION, NoPlace, class_of, joints_of, points_on

_LISTS, _SINGLE = (fo.Keypoints, fo.Detections, fo.Polylines), (fo.Keypoint, fo.Detection, fo.Polyline)
POINT_TYPES = (*_LISTS, *_SINGLE, fo.Segmentation)
SUPPORTED = "Keypoints, Detections, Polylines (or a single one), Segmentation, and a list of (t, x, y) in pixels"

PROMPT_FRAMES = {
    "first": "In the keyframes of an object; where it has none, in its first labelled frame",
    "all": "In every labelled frame of an object",
}
DEFAULT_POINTS_PER_OBJECT = 25


@dataclass(frozen=True)
class PromptRules:
    """How points are chosen from labels.

    Args:
        points_per_object: about so many on each box, mask or line; None = 25
        classes: labels that count; None = all
        prompt_frames: one of `PROMPT_FRAMES`

    Raises:
        OptionError: for a value that is not supported
    """

    points_per_object: int | None = None
    classes: Sequence[str] | None = None
    prompt_frames: str = "first"

    def __post_init__(self) -> None:
        if self.points_per_object is not None:
            check_points_per_object(self.points_per_object)
        if self.prompt_frames not in PROMPT_FRAMES:
            meaning = "; ".join(f"{name!r}: {text[0].lower()}{text[1:]}" for name, text in PROMPT_FRAMES.items())
            raise OptionError(f"Invalid prompt_frames ({self.prompt_frames!r}). Supported values are {meaning}")
        if self.classes is not None:
            object.__setattr__(self, "classes", check_classes(self.classes))

    @property
    def density(self) -> int:
        """Points wanted on each object."""
        return DEFAULT_POINTS_PER_OBJECT if self.points_per_object is None else self.points_per_object


def check_classes(classes: Sequence[str] | str) -> list[str]:
    """The labels that count, as a list.

    Raises:
        OptionError: unless they are one or several labels
    """
    listed = [classes] if isinstance(classes, str) else list(classes) if isinstance(classes, Sequence) else None
    if not listed or not all(isinstance(label, str) and label for label in listed):
        raise OptionError(f"Invalid classes ({classes!r}). Expected labels such as ['goat', 'kid'], or None for all")
    return listed


def check_points_field(name: str, field: fo.Field) -> None:
    """Refuses a field that cannot hold points.

    Args:
        name: of the field, as the user gave it
        field: its declaration

    Raises:
        FieldError: saying what was found and what is supported
    """
    kind = getattr(field, "document_type", None)
    if kind not in POINT_TYPES and not isinstance(field, LIST_FIELDS):
        found = (kind or type(field)).__name__
        raise FieldError(f"The points field {name!r} holds {found}. Supported are {SUPPORTED}")


def read_points(
    values: FieldValues,
    rules: PromptRules,
    size_px: tuple[int, int],
    warnings: list[str],
    num_frames: Callable[[int], int],
) -> tuple[Queries, TrackNames | None]:
    """Reads the points of one sample.

    Each object is asked for once: in its first labelled frame, each joint of keypoints in the first
    frame in which its place is known; or in each of its keyframes where it has some.

    Args:
        values: of the field
        rules: how points are chosen
        size_px: (width, height) of the displayed frame
        warnings: receives what the user should know, in words
        num_frames: called with the last frame index of a point; the frames that decode, as
            exactly as is needed to tell whether there is such a frame

    Returns:
        Queries in pixels of the displayed frame, and what the points are called; None for a list of numbers

    Raises:
        FieldError: if the field cannot hold points
        NoPromptError: if it holds none for this sample
        EmptyQueriesError: if it holds points, but none in the video
        MaskError: if there would be points if a mask could be read
    """
    check_points_field(values.name, values.field)
    nothing = f"The field {values.name!r} holds no points for this sample"
    if isinstance(values.field, LIST_FIELDS):
        if values.path.startswith(FRAMES_PREFIX):
            raise FieldError(f"The points field {values.name!r} is a list on frames; a list belongs on samples")
        rows = values.frames[0][1]
        if rows is None or len(rows) == 0:
            raise NoPromptError(nothing)
        return point_queries(rows), None
    labels = chosen_labels(values, rules)
    problems: Counter[str] = Counter()
    seeds = [
        seed
        for labelled in objects_of(labels, warnings)
        for seed in _seeds_of(labelled, rules, size_px, problems, warnings)
    ]
    warnings.extend(_about(problems, values.name))
    if not seeds:
        raise _nothing_found(problems, nothing)
    seeds = _in_video(seeds, values.name, size_px, num_frames, warnings)
    return _as_queries(seeds, values)


def chosen_labels(values: FieldValues, rules: PromptRules) -> Labels:
    """The labels of a field that count, those of a segmentation's classes apart.

    Raises:
        NoPromptError: if there are labels, but none of the classes
    """
    labels = with_classes_apart(values, all_frames=rules.prompt_frames == "all", classes=rules.classes)
    if rules.classes is None:
        return labels
    chosen = [pair for pair in labels if attribute_of(pair[1], "label") in rules.classes]
    if labels and not chosen:
        found = sorted({str(attribute_of(document, "label")) for _, document in labels})
        raise NoPromptError(
            f"No label of this sample in {values.name!r} is one of the classes {', '.join(map(repr, rules.classes))}. "
            f"Found: {', '.join(found[:10])}{', ...' if len(found) > 10 else ''}"
        )
    return chosen


def prompt_labels(labelled: LabelledObject, rules: PromptRules) -> tuple[list[ObjectLabel], bool]:
    """The labels that an object may be asked for in; where it is `outside` it is not there.

    Args:
        labelled: the object
        rules: how points are chosen

    Returns:
        labels, by frame, and whether the first of them that has a place for points is enough
    """
    there = [label for label in labelled.labels if attribute_of(label.document, "outside") is not True]
    if rules.prompt_frames == "all":
        return there, False
    keyframes = [label for label in there if label.keyframe]
    return (keyframes, False) if keyframes else (there, True)


@dataclass(frozen=True, eq=False)
class _Seed:
    """The points that one label is asked for with, or one object in several frames.

    Args:
        labelled: the object
        t: (K,) int, frame indices
        xy: (K, 2) float64 pixels
        places: (K,) int, which point of a skeleton each is; None for those of other shapes
        num_places: points of the skeleton
    """

    labelled: LabelledObject
    t: np.ndarray
    xy: np.ndarray
    places: np.ndarray | None = None
    num_places: int = 0

    def chosen(self, kept: np.ndarray, xy: np.ndarray) -> _Seed:
        """Some of the points, (K,) bool, at other places, (K, 2)."""
        places = None if self.places is None else self.places[kept]
        return replace(self, t=self.t[kept], xy=xy[kept], places=places)


def _seeds_of(
    labelled: LabelledObject,
    rules: PromptRules,
    size_px: tuple[int, int],
    problems: Counter[str],
    warnings: list[str],
) -> Iterator[_Seed]:
    labels, once = prompt_labels(labelled, rules)
    if labels and class_of(labels[0].document) == "Keypoint":
        yield from _seeds_of_joints(labelled, labels, size_px, once, warnings)
        return
    for label in labels:
        try:
            xy = points_on(label.document, rules.density, size_px)
        except NoPlace as problem:
            problems[problem.reason] += 1
            if problem.reason == BAD_MASK:
                warnings.append(f"a mask in frame {label.frame_number} cannot be read: {problem.detail}")
            continue
        yield _Seed(labelled, np.full(len(xy), label.frame_index), xy)
        if once:
            return


def _seeds_of_joints(
    labelled: LabelledObject, labels: list[ObjectLabel], size_px: tuple[int, int], once: bool, warnings: list[str]
) -> Iterator[_Seed]:
    lengths = {len(attribute_of(label.document, "points") or ()) for label in labels}
    if len(lengths) > 1:
        warnings.append(
            f"the keypoints of an object (label {labelled.label!r}, index {labelled.index}) have different numbers of "
            f"points, {min(lengths)} to {max(lengths)}: the same place in the list is taken for the same point"
        )
    number = max(lengths, default=0)
    asked, t, xy = np.zeros(number, dtype=bool), np.zeros(number, dtype=int), np.zeros((number, 2))
    for label in labels:
        positions, known = joints_of(label.document, size_px)
        places = np.flatnonzero(known & ~asked[: len(known)])
        asked[places], t[places], xy[places] = True, label.frame_index, positions[places]
        if not once:
            if len(places):
                yield _Seed(labelled, t[places], xy[places], places, number)
            asked[:] = False
        elif asked.all():
            break
    if once and asked.any():
        places = np.flatnonzero(asked)
        yield _Seed(labelled, t[places], xy[places], places, number)


def _about(problems: Counter[str], name: str) -> list[str]:
    """What to say of labels that have no place for points."""
    return [f"{number} labels in {name!r} {reason}, and are passed over" for reason, number in problems.items()]


def _nothing_found(problems: Counter[str], nothing: str) -> Exception:
    if not problems:
        return NoPromptError(nothing)
    text = f"{nothing}: {', '.join(f'{number} labels {reason}' for reason, number in problems.items())}"
    if BAD_MASK in problems:
        return MaskError(text)
    # who says that nothing is there asks for nothing
    return (NoPromptError if set(problems) <= {EMPTY_MASK, NO_POSITION} else EmptyQueriesError)(text)


def _in_video(
    seeds: list[_Seed],
    points_field: str,
    size_px: tuple[int, int],
    num_frames: Callable[[int], int],
    warnings: list[str],
) -> list[_Seed]:
    """What is in the video; says what was left out or moved onto the last pixel."""
    t, xy = np.concatenate([seed.t for seed in seeds]), np.concatenate([seed.xy for seed in seeds])  # (N,), (N, 2)
    end = num_frames(int(t.max()))
    late = t >= end
    beside = ~late & ((xy < 0) | (xy > size_px)).any(axis=1)
    kept = ~late & ~beside
    moved = kept & (xy > np.array(size_px) - 1).any(axis=1)
    found = f"{len(t)} points in {points_field!r}"
    told = [
        (late, f"past the end of the video ({end} frames)"),
        (beside, "outside the frame"),
        (moved, "in the last pixel, beyond its centre, and are tracked from its centre"),
    ]
    warnings.extend(f"{which.sum()} of {found} lie {where}" for which, where in told if which.any())
    if not kept.any():
        raise EmptyQueriesError(f"None of the {found} lies in the video: {'; '.join(warnings)}")
    ends = np.cumsum([len(seed.t) for seed in seeds])[:-1]
    places = zip(seeds, np.split(kept, ends), np.split(clamped_to_frame(xy, size_px), ends), strict=True)
    return [seed.chosen(inside, at) for seed, inside, at in places if inside.any()]


def _as_queries(seeds: list[_Seed], values: FieldValues) -> tuple[Queries, TrackNames]:
    labels: list[str] = []
    objects: list[int | None] = []
    nodes: list[str | None] = []
    prompts: list[PromptLabel] = []
    for seed in seeds:
        first, number, labelled = len(labels), len(seed.t), seed.labelled
        label = labelled.label or DEFAULT_LABEL
        columns: list[int | None] = list(range(first, first + number))
        called: list[str | None] = [None] * number
        if seed.places is not None:
            named = node_names(values.dataset, values.path, seed.num_places) if seed.num_places > 1 else [None]
            called = [named[place] for place in seed.places]
            listed: list[int | None] = [None] * seed.num_places
            for column, place in enumerate(seed.places.tolist(), start=first):
                listed[place] = column
            columns = listed
        labels += [label] * number
        objects += [labelled.index] * number
        nodes += called
        prompts.append(PromptLabel(label, labelled.index, labelled.instance_id, tuple(columns)))
    queries = Queries(
        t=np.concatenate([seed.t for seed in seeds]),
        xy=np.concatenate([seed.xy for seed in seeds]),  # (N, 2)
        labels=np.array(labels, dtype=object),
        objects=np.array(objects, dtype=object),
    )
    return queries, TrackNames(tuple(labels), tuple(objects), tuple(nodes), tuple(prompts))
