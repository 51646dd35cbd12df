"""Where training clips come from.

`batches` holds the protocol `BatchSource` and the synthetic source, `clip_cuts` cuts clips from real videos,
`pseudo_labels` lets teachers label them.

Another source of video with tracks: a class with `next`, `state_dict` and `load_state_dict` that resumes exactly, in a
module of its own.
"""
