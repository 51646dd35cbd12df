"""What several families of trackers compute in the same way.

`query_matching` finds points again by what surrounded them in their query frames, `frame_resizing`
brings frames to a model's size, `residual_encoder` is the trunk that several networks share,
`precision` runs a model in float32, TF32 or bfloat16, `memory` says what is free, and
`checkpoint_files` reads weights without running code.

Something belongs here once a second family needs it; it knows no family, and nothing of options or
the registry.
"""
