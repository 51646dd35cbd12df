"""Training of the trackers that ship with the package.

`python -m point_tracking.tracker.training --config small --minutes 30 --out DIR`
trains; see docs/training.md. It needs torch, numpy, safetensors and OpenCV alone,
and of the rest of the package only `dataset.adaptation` imports it.

Reads best in this order: `configs` (what is trained, and how), `synthetic` (the
data), `batches` (any source of data), `losses`, `pairs` and `unroll` (what a
step does), `train` (the run), `checkpoint`, `validation`, `curves`, `export`.

`adaptation` trains a tracker further on unlabelled videos, which need av
too: `clip_cuts`, `pseudo_labels` (the data), `held_out` (whether it is better).
"""
