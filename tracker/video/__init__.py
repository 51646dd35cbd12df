"""The only code that opens media, all of it through PyAV.

`probe` tells what a file is, `frames` reads it in chunks as a FrameSource,
`sampling` chooses which frames to use.
"""
