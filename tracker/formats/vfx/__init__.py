"""Text files of compositing and match-moving programs: written, not read. None of these programs was at hand.

`nuke_file`, `after_effects_file`, `blender_file`, `three_de_file`; `track_texts` has what they share. All of them read
the video file in their own way, so a video that is turned for display is refused by whoever calls. They want few, long,
confident tracks, and draw lines between keys: where a point is not seen, the file says so.

Adding a program: a module with `write_clips` (the recipe is in `tracker.formats`), a golden file in the tests, and a
line in docs/exchange.md that says whether the program was tried.
"""
