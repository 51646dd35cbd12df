"""How a network is run over a video: in which order, on which device, and within which memory.

Read `run_context` (a model ready to run), `clip_run` (a whole clip) and `session` (frames as they come); below these
`passes` (pixels, support points, thresholds), `offline` and `online` (windows), `features` (maps of frames),
`memory_plan` with `costs`, `precision` and `threads`.

An option of how a model runs: a field of `RunContext`, filled from `CoTrackerOptions` in `from_options`.
"""
