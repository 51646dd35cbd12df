"""Tracks out to files of others and in again, as datasets.

`tap_vid` reads and writes TAP-Vid's pickles, `known_clips` reads clips with a truth file,
`new_dataset` makes the dataset that either fills.

Adding a format: its layout in `tracker.formats` (no FiftyOne), its datasets in a module here.
"""
