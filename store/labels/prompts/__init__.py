"""What to track, read out of labels: which of them ask for points, and where on their shapes these lie.

`points` reads a field, `coverage` covers one label with points, `class_masks` tells the classes of
a segmentation apart, `count` says how many points a field asks for before a run.

Adding a kind of label: its class in `POINT_TYPES` of `points`, and how it is covered in `coverage`.
"""
