"""Tracks on a CVAT server: keyframes up, a person's corrections back, through FiftyOne's own CVAT backend.

Reads best in this order: `annotate_tracks` (up), `task_fields` (the copy that is sent), `load_corrections` (down),
`comparing` (what a person changed, from positions alone), `corrected_labels` (what becomes of boxes and polylines;
points go to `workflows.correction`), `report`.

The tracks' own field is never sent, nor loaded into: FiftyOne would write the server's straight lines over it.
"""
