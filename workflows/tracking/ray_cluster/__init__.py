"""Runs on more than one machine.

`ray_runner` leads a run from the machine that started it, `ray_worker` is what runs
on the others. Both do what a local run does with each sample: the claims, marks and
journals of `workflows` hold across machines.

Adding an engine: a module with a line of its own (`offer`, `next_finished`, `close`,
`busy_s`, as `workflows.tracking.stages.Line`), its name in `ENGINES` of
`workflows.tracking.options`, and a branch in `workflows.tracking.track_dataset`.
"""
