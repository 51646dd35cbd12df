"""Point trackers: one module or folder per family, independent of each other.

Read `base` (the contract of a tracker), then a family: `optical_flow` is the simplest, `cotracker` the published
networks, `pt_small` the same in small with weights of our own, `pt_fused` the default, which lets `optical_flow` and
`pt_small` check each other. `registry` lists and loads them, `tracker_info` is what it
tells of each, `recommendation` which suits what is tracked, `adapted` those that users trained further.
`published_weights` finds and downloads files of others; `shared` holds what families have in common.

How to add one stands in `registry`; its place among the others in the contract "families of trackers" in
pyproject.toml.
"""
