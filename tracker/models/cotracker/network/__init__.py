"""The networks, as torch modules: frames and points in, tracks out; no files, no memory plans.

Read in this order: `config` (sizes), `encoder`, `correlation`, `transformer`, `model` (CoTracker3), `cotracker2`;
`guidance` is an addition for small models, `chunks` says how much is computed at once.

A variant is other sizes in `CoTrackerConfig`, checked there; what changes the computation comes with a parity test
in `tests/tracker/models/cotracker`.
"""
