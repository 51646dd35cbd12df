"""Labels of a sample as `ShapeTrack`s of annotation programs, and back.

Reads best in this order: `notes` (what is kept for the way back), `from_labels`, `from_points` (the tracks of points
among them), `to_labels`, `to_points`; `cvat` and `mot` are the formats made of these. The file's layout is in
`tracker.formats.annotation`; which files belong to which samples is said one room up.

Adding a kind of label: its two directions here, and how it is told in `notes`.
"""
