"""Tracking: every sample of a dataset or view is read, tracked and written.

`track_dataset` is the public function and the run, `options` what it is told, `targets`
which samples it looks at, `prompts` what to track in each, `report` what it did.
`scheduler` takes samples through the steps of `sample_steps`, in threads of `stages` or,
with `ray_cluster`, on many machines; `marked_samples` finds what a dead process had
finished, `free_memory` keeps long runs small.

Adding an option: one field in `options` (see `lifecycle.options`). Adding a prompt: `prompts`.
"""
