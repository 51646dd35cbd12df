"""What several families of trackers compute in the same way.

`query_matching` finds points again by what surrounded them in their query frames, `flow_chain` carries
points from frame to frame by dense flow, `frame_resizing` brings frames to a model's size,
`residual_encoder` is the trunk that several networks share, `precision` runs a model in float32, TF32 or
bfloat16, `memory` says what is free, and `checkpoint_files` reads weights without running code.
`independent_points` is what TAPIR and LocoTrack share: their trunk, and how clips are run through them.

Something belongs here once a second family needs it; it knows no family, and nothing of the registry.
"""
