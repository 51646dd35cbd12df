"""Correcting tracks: where a person says that points are, hiding and removing tracks, and taking it back.

Reads best in this order: `correct_tracks` (the public function and its run), `retracking` (what is tracked from the
corrections, and what that gives), `edit_tracks` (hiding, removing, taking back), `overwriting` (what becomes of
corrections where a whole sample is tracked anew; `workflows.tracking` asks it). Beside these lie `options`, `report`
and `points` (checks of what was given).

How corrections are stored: `store.corrections`; how paths are joined: `tracker.correction`.
"""
