"""The only code that opens media to read it, all of it through PyAV.

Read `frame_source` (the contract by which trackers read frames), `frames` (files and arrays by it), `decoding` (opens
and decodes a file), `probe` (what a file is), `sampling` (which frames to use), `reversal` (a clip played backward).

Another source of frames: a subclass of `frame_source.FrameSource`. Another kind of file: `decoding` and `probe`, with
a maker of such a file in `tests/media.py`.
"""
