"""The only code that opens media, all of it through PyAV.

`stream` opens and decodes a file, `probe` tells what it is, `source` is the
contract by which trackers read frames, `frames` reads files and arrays by it,
`sampling` chooses which frames to use.

`transcode` makes small copies: `timeline` says when frames are shown, `policy`
which are kept, `picture` and `audio` shape them, `provenance` is what a copy
remembers of its source, `output_file` lets it appear complete or not at all.
"""
