"""AllTracker, normal and tiny, written from its paper (arXiv:2506.07310).

Reads best in this order: `config`, `encoder`, `correlation`, `update`,
`network` (one window), `windows` (a clip), `checkpoint`, `memory_plan`,
`tracker` (the `Tracker` contract). Parameter names are those of the published
checkpoints, so that these load unchanged.

Lengths: pixels, and cells of the feature map, eight pixels a side.
"""
