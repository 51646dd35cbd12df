"""Tracks out to files of others and in again.

`export_tracks` and `import_tracks` are for all `formats`: `files` says which file is of which sample, `report` what
became of each, `shapes` turns labels into what annotation programs keep and back, `cvat` is one format. `tap_vid` reads
and writes TAP-Vid's pickles, `known_clips` reads clips with a truth file, `new_dataset` makes the dataset that either
fills.

Adding a format: the recipe is in `formats`.
"""
