"""Adaptation: a tracker is trained further on a dataset's own videos, and kept if it is better.

`adapt_tracker` is the public function and the run, `options` what it is told, `report`
what came of it. The training: `tracker.training.adapting`.
"""
