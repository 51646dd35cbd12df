"""One clip: from a video and queries to tracks of the frames that were asked for.

`run` does it; `pinning` keeps points where a person set them, `ahead` decodes in a thread beside it, `onto_source`
moves tracks of a preprocessed copy to the video it was made from, `cycle` tracks points back to where they came from,
`rates` knows how long tracking takes on this machine. Many samples are the affair of `workflows.tracking`.

Adding a step that concerns a single clip: a module of its own that takes a `FrameSource` or `Tracks` and hands one
back, called in `run`.
"""
