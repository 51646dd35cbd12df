"""Formats of pose estimation: named points of one animal or person, or of several.

`poses` says which track is which point of which individual, and refuses names that are not unique; `scorer_table` is
the CSV with three or four header rows that `dlc_file` and `lightning_pose_file` share; `slp_file` goes through
sleap-io; `coco_file` holds COCO keypoints.

Adding a format: a module with `write_clips` and `read_clips` (the recipe is in `tracker.formats`), on top of `poses`.
"""
