"""How good tracks are: `metrics` compares predicted `Tracks` with known truth.

Everything here works on numpy arrays alone. Adding a metric: write a function
in `metrics` that takes `Tracks` and a `TrackTruth` (or masks) and returns a
frozen result; leave out of every count what the truth does not know
(`TrackTruth.valid`) and what the query mode does not count (`counted_frames`).
"""
