"""Files in which others keep tracks, read into arrays and written.

`known_clips` are pairs of a video and an .npz of tracks, `tap_vid` the pickles of the TAP-Vid benchmark, read by
`pickled_arrays` without running what they hold, `annotation` what annotation programs write, `output_files` how a file
is written whole or not at all.

Adding a format: a module that checks what it reads and hands on `Tracks`, `Queries` or a `TrackTruth`; no file is
unpickled or executed. What makes samples of it belongs into `workflows.exchange`.
"""
