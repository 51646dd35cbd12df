"""Labels other than our tracks, read as arrays: masks, points, and tracks that people or instruments made.

`fields` finds the field that a person named, `frame_labels` reads its labels as documents,
`objects` tells which of them are of one object, `prompts` which of them ask for points, and
where, `masks` reads segmentations and instance masks, `skeletons` those of keypoints,
`known_tracks` reads truth.

Adding a kind of label: a module here that takes a sample and a field's name and
returns arrays in pixels of the displayed frame.
"""
