"""Messages in the words of the App: errors are written for Python and for forms, and name options as Python does.

Adding an option whose name comes up in a message: a line below, with the label of its input.
"""

from __future__ import annotations

import re

# what Python says -> what the App says; the first that fits counts
_WORDS = (
    (r"Use overwrite=True or skip_existing=True", "Choose 'Replace existing tracks' or 'Leave finished samples alone'"),
    (r"overwrite and skip_existing exclude", "'Replace existing tracks' and 'Leave finished samples alone' exclude"),
    (
        r"(preprocess(?:_dataset)?|Preprocess) again with overwrite=True",
        "preprocess again with 'Replace earlier copies'",
    ),
    (r"\boverwrite=True\b", "'Replace existing'"),
    (r"\bpass overwrite_unmarked=True", "tick 'Replace labels that do not say whether they are keyframes'"),
    (r"\bskip_existing=True\b", "'Leave finished samples alone'"),
    (r"\bnames='index'", "'By their numbers'"),
    (r"\bformat='dlc'", "the format DeepLabCut"),
    (r"\bformat='csv'", "the format 'Table, CSV'"),
    (r"\bmin_confidence=([\d.]+)", r"'Least confidence' \1"),
    (r": give frame_offset\b", ": give 'Number of the first frame'"),
    (r"\bgive another frame_offset\b|\bGive another frame_offset\b", "Give another 'Number of the first frame'"),
    (r"\bLeave layout out\b", "Leave 'Layout' empty"),
    (r"Use field=None to keep their names, or say where each goes: field=\{[^}]*\}?", "Leave the field empty"),
    (r"Name one for each: field=\{[^}]*\}?", "Leave the field empty"),
    (r": field=\{'boxes': \.\.\., 'polylines': \.\.\.\}", ""),
    (r", or import one file onto one sample: import_tracks\(.*\)", ", or choose one sample"),
    (r", or write them anew: write_tracks\(.*\)", ""),
    (r"\bdiscard_corrections=True\b", "'Discard corrections'"),
    (r"\bGive tracker=\.\.\., a loaded one or one of\b", "Choose one of these trackers:"),
    (
        r"\bGive \[\(index, frame, x, y\), \.\.\.\], or retrack=True",
        "Use 'Correct a point', or 'Retrack from corrections'",
    ),
    (r"Invalid frames \(from_frame=(.*?), to_frame=(.*?)\)", r"Invalid frames (\1 to \2)"),
    (r"; to_frame is the frame to stop before, None = the end", ""),
    (r"\buse hide_tracks\b", "use 'Points are wrong from here'"),
    (r"\bGive corrections: \[\(index, frame, x, y\), \.\.\.\]", "Use 'Correct a point'"),
    (r"\bkeep_hidden=True\b", "'Keep hidden points'"),
    (r"\bbackward=True\b", "'Track backward too'"),
    (r"\bcycle=True\b", "'Track back to the start'"),
    (r"\breplace_labels=(\d+) is not their number", r"\1 is not their number"),
    (r"\breplace_labels=(\d+)", r"the number \1 in 'Number of labels to delete'"),
    (r"\blayout='frame'", "the layout 'One keypoint per frame'"),
    (r"\blayout='points'", "the layout 'One keypoint per point'"),
    (r"\blayout='objects'", "the layout 'One keypoint per object'"),
    (r"\bwrite_to='source'", "'Write tracks onto: the source'"),
    (r"\bwrite_to='media'", "'Write tracks onto: the tracked media'"),
    (r"\bengine='ray'", "a Ray cluster"),
    (r"\bpass accept_license=True", "tick the box below the tracker"),
    (r"\bown_start=True", "'Learn from its own start too'"),
    (r"\boccluded=True", "occluded = True"),
    (r"\bpolicy=", "the policy "),
    (
        r"the queries of truth_queries\(.*?\)",
        "the strided queries of the known tracks (docs/evaluation.md)",
    ),
    (r"\bwith accept_license=True", "and accept its terms"),
    (r"preprocess_dataset\(\.\.\., fps=([\d.]+)\)", r"'Preprocess videos' with \1 frames per second"),
    (r"samples\.select_group_slices\(['\"](.*?)['\"]\)", r"the slice '\1'"),
    (r"\bRun preprocess_dataset\b", "Use 'Preprocess videos'"),
    (r"\bpreprocess_dataset\b", "'Preprocess videos'"),
    (r"\btrack_dataset\b", "'Track points'"),
    (r"\(t, x, y\)", "frame, x, y"),
    (r", found the shape \(\d+, (\d+)\)", r", and these have \1"),
    (r", found the shape \([\d, ]*\)", ", and these are none"),
    (r"points_per_object", "'Points on each object'"),
    (r"\bgive mask_field\b", "choose 'Mask field'"),
    (r"\bGive mask_field\b", "Choose 'Mask field'"),
    (r"points and mask_field are both set", "Points and a mask are both chosen"),
    (r"\((\w+)_field\)", r"('\1 field')"),
    (r"(?:, or None|, or None for a grid)(?=$|[.;])", ", or leave it empty"),
    (r"Use None for none", "Leave it empty for none"),
)
# names that have no input of their own name
_INVALID_NAME = re.compile(r"(?<=Invalid )[a-z]+(?:_[a-z]+)+")
_COMPILED = tuple((re.compile(pattern), words) for pattern, words in _WORDS)


def in_app_words(text: str) -> str:
    """A message with the labels of the forms in place of the names that options have in Python.

    Args:
        text: of an error, a warning or a report

    Returns:
        the same, where it names no option
    """
    for pattern, words in _COMPILED:
        text = pattern.sub(words, text)
    return _INVALID_NAME.sub(lambda name: name.group().replace("_", " "), text)
