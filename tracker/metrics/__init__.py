"""How good tracks are: predicted `Tracks` against the truth, masks, or themselves.

`truth` holds what is known and which frames count, `tap_vid`, `dynamic_replica` and `point_odyssey` the
benchmarks' figures, `masks` and `cycle` what can be said without the truth, and `counting` averages.

Everything here works on numpy arrays alone. Adding a figure: a function that takes `Tracks` and a `TrackTruth` (or
masks) and returns a frozen dataclass of floats, so that `counting.mean_scores` can average it; leave out of every
count what the truth does not know (`TrackTruth.known`) and what the query mode does not count (`counted_frames`).
To store it with samples, add it to `workflows.evaluation.figures`.
"""
