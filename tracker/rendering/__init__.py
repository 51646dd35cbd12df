"""Tracks drawn on the frames they were made on: pictures and videos to show.

Read `trails` (a frame and its tracks into a frame: a pure function), `colors` (which point has which colour),
`options` (what can be asked for), `panes` (one or two fields as one picture), `animation` (pictures into a .gif or
.webp that repeats), and `output` (a video file into a picture, an animated one or a video file, frame by frame).

Another colouring: a function in `colors` and its line in `COLORINGS`. Another kind of file: its ending in
`output.WRITERS`.
"""
