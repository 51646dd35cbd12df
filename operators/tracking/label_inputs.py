"""The part of Track points' form for labels that are tracked: which of them, how densely, and what that comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import fiftyone.operators.types as types

from ...store.labels.fields import find_field
from ...store.labels.frame_labels import LIST_FIELDS
from ...store.labels.objects import LISTS
from ...store.labels.prompts.count import PromptCount, count_prompts
from ...store.labels.prompts.points import DEFAULT_POINTS_PER_OBJECT, PROMPT_FRAMES, PromptRules
from ...store.runs.outcomes import count_of
from ..shared import forms


@dataclass(frozen=True)
class Asked:
    """What a form asks to be tracked in each sample, as far as that is known.

    Args:
        num_points: on average; None = not known
        num_frames: that hold these points, on average
        most_frames: that hold those of one sample
        fills_frame: whether the points are a grid, or fill masks
    """

    num_points: int | None = None
    num_frames: int | None = None
    most_frames: int | None = None
    fills_frame: bool = False


# options that say how labels are tracked; without a field of labels they mean nothing
OF_LABELS = ("points_per_object", "classes", "prompt_frames")


def add_label_rules(ctx: Any, inputs: types.Object, name: str, chosen: Any) -> Asked:
    """Asks how the labels of a field are tracked, and says how many points that makes.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        name: of a checked field of labels, or of lists of numbers, which are tracked as they are
        chosen: the samples

    Returns:
        what that comes to
    """
    bare, on_frames, field = find_field(ctx.dataset, name)
    if isinstance(field, LIST_FIELDS):
        return Asked()
    kind = field.document_type.__name__
    path = f"frames.{bare}" if on_frames else bare
    if kind in LISTS:
        forms.add_classes(ctx, inputs, f"{path}.{LISTS[kind]}.label")
    if not kind.startswith("Keypoint"):
        prop = inputs.int(
            "points_per_object",
            default=DEFAULT_POINTS_PER_OBJECT,
            label="Points on each object",
            description="About so many, evenly; of a line its corners always",
        )
        forms.check_field(prop, lambda: _rules(ctx))
    if on_frames:
        frames = types.RadioGroup()
        for value, label in PROMPT_FRAMES.items():
            frames.add_choice(value, label=label)
        inputs.enum("prompt_frames", list(PROMPT_FRAMES), default="first", label="Track each object from", view=frames)
    if forms.error_of(lambda: _rules(ctx)) is not None:
        return Asked()
    return add_count(inputs, count_prompts(chosen, name, _rules(ctx)), len(chosen))


def add_count(inputs: types.Object, count: PromptCount, num_samples: int) -> Asked:
    """Says how many objects and points a field asks for.

    Args:
        inputs: the form
        count: over the first of the chosen samples
        num_samples: that were chosen

    Returns:
        what that comes to; nothing is known where the field holds none
    """
    view = types.Notice if count.num_labels else types.Warning
    inputs.view("labels_found", view(label=_told(count, num_samples)))
    if not count.num_points:
        return Asked()
    per_sample = round(count.num_points / count.num_samples) or None
    return Asked(per_sample, max(round(count.num_frames / count.num_prompted), 1), count.most_frames)


def _rules(ctx: Any) -> PromptRules:
    values = {name: ctx.params.get(name) for name in OF_LABELS}
    return PromptRules(**{name: value for name, value in values.items() if value not in (None, "", [])})


def _told(count: PromptCount, num_samples: int) -> str:
    if not count.num_labels:
        return "The chosen videos hold no label to track from"
    looked_at = f"In the first {count.num_samples} videos: " if count.num_samples < num_samples else ""
    text = f"{looked_at}{count_of(count.num_objects, 'object')}, about {count_of(count.num_points, 'point')}"
    if count.num_labels > count.num_objects:
        text += f", from {count.num_labels:,} labels"
    if count.num_prompted < count.num_samples:
        text += f"; {count_of(count.num_samples - count.num_prompted, 'video')} without such labels"
    if count.num_alone:
        text += f". {count_of(count.num_alone, 'label')} without an index each count as an object"
    if count.num_left_out:
        text += f". {count_of(count.num_left_out, 'label')} left out: their frame holds another one of the same object"
    return text
