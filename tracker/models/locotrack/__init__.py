"""LocoTrack, small and base, written from its paper (arXiv:2407.15420).

Reads best in this order: `config`, `correlation_encoder`, `transformer`,
`network` (maps, first positions, refinement), `checkpoint`, `options`, `tracker`
(the `Tracker` contract). How a clip is read and points are shared out stands in
`shared.independent_points`. Parameter names are those of the published
checkpoints, so that these load unchanged.
"""
