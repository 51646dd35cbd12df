"""Small copies of videos that every browser plays, with an exact way back to their sources.

Read `transcode` (one video); its parts are `timeline` (when frames are shown), `timed_frames` (frames held against it),
`policy` (which are kept), `picture` and `audio` (what is encoded), `timed_output` (how), `provenance` (what a copy
remembers of its source) and `output_file` (a file appears complete or not at all). `encode` makes videos of pictures in
memory.

A rule of which frames are kept: an entry in `policy`. Formats of the source are the affair of `tracker.video`.
"""
