"""Tracks out to files of others and in again.

`export_tracks` and `import_tracks` are for all formats: `options` says what they are told, `files` which file is of
which sample, `report` what became of each. `clips` turns the point tracks of a sample into the value that most
formats know, and back; `shapes` turns labels of any kind into what annotation programs keep, and back; `formats` says
which goes which way. `tap_vid` reads and writes whole datasets as TAP-Vid's pickles, `known_clips` reads clips with a
truth file, `new_dataset` makes the dataset that either fills; `cvat_tasks` are tasks on a CVAT server.

Adding a format: the recipe is in `tracker.formats.registry`.
"""
