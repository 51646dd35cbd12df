"""Training of the trackers that ship with the package.

`python -m point_tracking.tracker.training --config small --minutes 30 --out DIR`
trains; see docs/training.md. Nothing else in the package imports this folder,
and it needs torch, numpy and safetensors alone.

Reads best in this order: `configs` (what is trained, and how), `synthetic` (the
data), `batches` (any source of data), `losses`, `pairs` and `unroll` (what a
step does), `train` (the run), `checkpoint`, `validation`, `curves`, `export`.
"""
