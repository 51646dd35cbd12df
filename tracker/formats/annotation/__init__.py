"""Files of annotation programs: one file's layout, no FiftyOne.

Reads best in this order: `tracked_shapes` (the values), `cvat_video` (written), `cvat_reader` (read, through
`xml_stream`, which refuses what XML can do beyond holding values), `keyframes` (which frames a person is shown as
keyframes, and what lies on the lines between them); `mot_boxes`, boxes as lines of numbers.

Adding a format: a module that writes `ShapeTrack`s and one that reads them, whose docstring gives units, origin, first
frame and source; its datasets in `workflows.exchange`.
"""
