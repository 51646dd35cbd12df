"""pt-fused-2, experimental: optical flow and pt-small side by side, and a learned choice between them.

Reads best in this order: `tracker` and `session` (what comes in and out), `stream`
(chain and network side by side), `chain` and `matching` (lost points are found
again), `candidates`, `estimate`, `selection` with `path` and `guard`. A figure more about a
candidate: a name in `candidates.FEATURES`, its values in `CandidateReader`, then
`python -m point_tracking.tracker.training.selection` fits the estimate anew.
"""
