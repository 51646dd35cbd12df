"""Tracks that a person corrected: one path through all that is known of a point.

`paths` joins what a tracker says from each known position, forwards and backwards, into one path that passes through
all of them exactly. numpy alone; the method stands in its docstring, what was measured in `docs/corrections.md`.
"""
