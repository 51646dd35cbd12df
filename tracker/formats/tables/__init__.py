"""Tracks as arrays and tables: our own npz, tidy CSV and parquet, and TAP-Vid's pickles.

`rows` turns a clip into the columns of a table and back, with every check; `csv_file` and `parquet_file` only bring
them to disk. `npz_file` holds arrays, `tapvid_file` the clips of `formats.tap_vid`.

Adding a table: a module with `write_clips` and `read_clips` (the recipe is in `tracker.formats`), on top of `rows`.
"""
