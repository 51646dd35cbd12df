"""TAPIR, BootsTAPIR and its online form, written from their papers (arXiv:2306.08637, 2402.00847, 2308.15975).

Reads best in this order: `config`, `mixer`, `network` (maps, first positions,
refinement), `checkpoint`, `options`, `tracker` (the `Tracker` contract),
`streaming` and `session` (the online form, frame by frame). How a clip is read
and points are shared out stands in `shared.independent_points`. Parameter names
are those of the published checkpoints, so that these load unchanged.
"""
