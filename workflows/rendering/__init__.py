"""Tracks of samples as pictures and videos to show.

Read `render_trails` (one sample into one file), then `render_dataset` (many samples into a folder; resumable) with its
`report`. How frames are drawn and files written is `tracker.rendering`.

Another option of the drawing: `tracker.rendering.options`, and both functions here.
"""
