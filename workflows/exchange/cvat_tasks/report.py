"""What was sent to the server, and what came back, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....store.runs.outcomes import count_of


@dataclass
class AnnotationTask:
    """What `annotate_tracks` sent; `print(task)` says it in words.

    Args:
        anno_key: of the run; `load_corrections` asks for it
        label_field: that was copied
        copy_field: the copy, made for this task; it goes when the corrections are loaded
        num_samples: one task on the server each
        num_tracks, num_keyframes: that were sent
        num_labels: that the keyframes stand for
        left_out: what the server cannot hold, in words
    """

    anno_key: str
    label_field: str
    copy_field: str
    num_samples: int = 0
    num_tracks: int = 0
    num_keyframes: int = 0
    num_labels: int = 0
    left_out: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{count_of(self.num_samples, 'video')} sent to CVAT under the key {self.anno_key!r}: "
            f"{count_of(self.num_tracks, 'track')} of frames.{self.label_field} with "
            f"{count_of(self.num_keyframes, 'keyframe')} for {count_of(self.num_labels, 'label')}",
            f"when they are corrected: load_corrections(dataset, {self.anno_key!r})",
        ]
        return "\n".join([*lines, *(f"left out: {what}" for what in self.left_out)])


@dataclass
class CorrectionsLoaded:
    """What `load_corrections` found; `print(report)` says it in words.

    Args:
        anno_key: of the run
        label_field: that was corrected
        num_samples: with a change
        num_moved, num_added, num_deleted: keyframes
        num_gone: stretches in which an object is not there any more, or newly hidden
        num_removed: whole tracks that were deleted
        num_new: tracks that were drawn anew
        new_points: sample id -> [(label, [(t, x, y), ...]), ...] of point tracks that were drawn anew, which are
            not stored
        warnings: (path of the video, what the user should know)
    """

    anno_key: str
    label_field: str
    num_samples: int = 0
    num_moved: int = 0
    num_added: int = 0
    num_deleted: int = 0
    num_gone: int = 0
    num_removed: int = 0
    num_new: int = 0
    new_points: dict[str, list[tuple[str, list[tuple[int, float, float]]]]] = field(default_factory=dict)
    warnings: list[tuple[str, str]] = field(default_factory=list)

    @property
    def num_changes(self) -> int:
        return self.num_moved + self.num_added + self.num_deleted + self.num_gone + self.num_removed + self.num_new

    def __str__(self) -> str:
        if not self.num_changes:
            lines = [f"nothing was changed in the task {self.anno_key!r}"]
        else:
            lines = [
                f"frames.{self.label_field} of {count_of(self.num_samples, 'video')} corrected: "
                f"{count_of(self.num_moved, 'keyframe')} moved, {self.num_added:,} added, "
                f"{self.num_deleted:,} deleted; "
                f"{count_of(self.num_gone, 'stretch', 'stretches')} gone or hidden; "
                f"{count_of(self.num_removed, 'track')} removed, {self.num_new:,} new"
            ]
        return "\n".join([*lines, *(f"{path}: {warning}" for path, warning in self.warnings)])
