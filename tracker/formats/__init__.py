"""Files in which others keep tracks, read into arrays and written.

`registry` lists the formats of `export_tracks` and `import_tracks` and holds the recipe for one more; `conventions`
says once where each counts from; `clip` is the value that travels; `options` what writers and readers are told;
`extras` the optional libraries; `output_files` and `pictures` how files and folders are written whole or not at all.
Rooms: `tables`, `pose`, `annotation`, `reconstruction`, `vfx`.

`known_clips` are pairs of a video and an .npz of tracks, `tap_vid` the pickles of the TAP-Vid benchmark, read by
`pickled_arrays` without running what they hold.

Adding a format: the recipe is in `registry`; no file is unpickled or executed. What makes samples of it belongs into
`workflows.exchange`.
"""
