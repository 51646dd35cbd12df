"""What trackers of whole clips share whose points never see one another: TAPIR and LocoTrack.

Reads best in this order: `model_sizes`, `trunk` (features of frames),
`frame_maps` (those of a clip; what goes into and comes out of a network),
`sampling`, `soft_peak`, then how a clip is run: `options`, `memory_plan`,
`clip_run`, `tracker`.

Another such family brings a network with `sizes`, `encode` and `track`, as
`clip_run.PointNetwork` says, and a tracker that inherits from `tracker`.
"""
