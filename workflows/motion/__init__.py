"""Motion as fields: what the camera does and what moves, by tracks, to filter and to curate by.

Read `describe_motion` (the public function and its run) with `options` and `report`, then `describe_sample` (one
sample: its tracks or a helper grid, described and stored) and `motion_fields` (the fields, the spans, the views).
`helper_grid` tracks a grid where there are no tracks; `pictures` reads what is looked at beside tracks.

The arithmetic is `tracker.motion`: another figure is a line there, and is stored and shown by that.
"""
