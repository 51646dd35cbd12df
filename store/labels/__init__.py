"""Labels other than our tracks, read as arrays: masks, points, and tracks that people or instruments made.

`fields` finds the field that a person named, `objects` tells which labels are of one
object, `masks` reads segmentations and instance masks, `points` reads keypoints and
lists of (t, x, y), `known_tracks` reads truth.

Adding a kind of label: a module here that takes a sample and a field's name and
returns arrays in pixels of the displayed frame; who uses it as a prompt is
`workflows.tracking.prompts`.
"""
