"""Tracks of samples as pictures and videos to show.

Read `render_trails` (one sample into one file), then `render_dataset` (a run over many samples, into a folder and
maybe a media field) with its `options` and `report`. How frames are drawn and files written is `tracker.rendering`.

Another option of the drawing: `tracker.rendering.options`, `options` here, and both functions.
"""
