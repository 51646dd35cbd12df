"""Evaluation: tracks are judged, and their scores stored with the samples.

`evaluate_dataset` is the public function and the run, `options` what it is told, `queries`
which points an evaluation asks for, `judge_sample` one sample, `matching` which track
answers which known point, `figures` what is stored (recipe for one more at its top),
`report` the totals. The arithmetic: `tracker.metrics`.
"""
