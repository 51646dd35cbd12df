"""Training of the trackers that ship with the package, and of those that users adapt.

`python -m point_tracking.tracker.training --config small --minutes 30 --out DIR`
trains; see docs/training.md. It needs torch, numpy, safetensors and OpenCV alone.

Read `configs` (what is trained, and how), `data` (where clips come from), `steps` (what a step does), `fitting` (the
run, its checkpoints and curves), `__main__` (the command). `adapting` trains a tracker further on unlabelled videos,
which need av too; `workflows.adaptation` calls it for samples. Another configuration is an entry in
`configs.CONFIGS`.

`selection` fits the estimate that pt-fused-2 chooses by, with a command of its own.
"""
