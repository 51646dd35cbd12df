"""Tracks for 3-D reconstruction and 3-D viewers: written, not read.

`colmap_file` writes a COLMAP database with the tracks as verified correspondences and, if asked, the model they give;
`static_points` tells points that move against the rest; `rerun_file` writes a recording for the rerun viewer.

Adding a format: a module with `write_clips` (the recipe is in `tracker.formats`).
"""
