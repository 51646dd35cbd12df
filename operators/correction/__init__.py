"""Correcting tracks in the App: operators on points that were selected in an open video.

`selected` reads which tracks were selected; `edit_points` hides and removes tracks and takes that back,
`correct_point` places a point and tracks again, `suggest_points` says which to look at first. What they do:
`workflows.correction`.
"""
