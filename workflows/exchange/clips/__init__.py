"""Point tracks of a sample as the `TrackedClip` that writers and readers of `tracker.formats` know, and back.

Reads best in this order: `from_dataset` (a sample's tracks as a clip), `choosing` (which of them are exported, and
what a format cannot hold), `to_dataset` (a clip as a sample's tracks).
"""
